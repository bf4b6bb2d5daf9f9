import { isTapError, type Caller } from '@tappaas/sdk';
import { LogReading } from '@tappaas/sdk/log';
import type { ServedSubresource } from '../contributions.js';
import { apiErrors } from '../errors.js';
import { untilAborted } from '../watch/stream-pace.js';
import { textLines } from '../watch/text-lines.js';
import type { JoinRequest } from './join-request.js';
import { eventPacket, messageBytesMax } from './outbox.js';
import type { Room } from './room.js';

const linesMax = 200;
/** A line of this length fits into a message with its envelope, even if JSON escapes every character. */
const lineCharsMax = 8 * 1024;
const charsMax = messageBytesMax / 8;

/**
 * Sends the lines of a container's log as they are written. Each begins with its time, for a client to resume from by `sinceTime`: if the
 * container was restarted since, the end of its previous run comes first.
 */
export async function fillLogRoom(
  room: Room,
  subresources: readonly ServedSubresource[],
  { engine, target, query }: JoinRequest & { readonly topic: 'logs' },
  { caller, requestId }: { readonly caller: Caller; readonly requestId: string },
): Promise<void> {
  const { kind, namespace = '', name = '' } = target;
  const part = subresources.find(
    (each) =>
      each.engine === engine && each.group === kind.group && each.plural === kind.plural && each.name === 'log' && each.method === 'GET',
  );
  if (part === undefined) throw apiErrors.TAP_REQUEST_PATH_UNKNOWN({ message: `engine ${engine} keeps no logs of ${kind.plural}` });
  const key = { namespace, name };
  const call = { caller, requestId, signal: room.signal, remainingMs: () => Infinity };
  const read: ReadLog = async (selected) => {
    const { body = '' } = await part.handle({ params: {}, query: selected, headers: {}, body: new Uint8Array(), key }, call);
    const chunks = typeof body === 'string' || body instanceof Uint8Array ? [body] : untilAborted(body, room.signal);
    return textLines(chunks, lineCharsMax);
  };
  const current = await read(query);
  room.stands();
  for await (const lines of withPreviousRun(current, query, read)) {
    for (const batch of batchesOf(lines)) await room.send(eventPacket('log', JSON.stringify({ room: room.name, lines: batch })));
  }
}

type LogQuery = Readonly<Record<string, string>>;
type ReadLog = (query: LogQuery) => Promise<AsyncIterable<readonly string[]>>;

/**
 * Yields the end of the previous run before the lines of the current one, if the log does not contain the line at `sinceTime`: then the
 * container was restarted after that line. Nothing of the previous run belongs to a limited number of last lines.
 */
async function* withPreviousRun(
  current: AsyncIterable<readonly string[]>,
  query: LogQuery,
  read: ReadLog,
): AsyncGenerator<readonly string[], void, void> {
  const { sinceTime, tailLines } = query;
  let mayBeRestarted = sinceTime !== undefined && tailLines === undefined;
  for await (const lines of current) {
    if (mayBeRestarted && isLater(lines[0] ?? '', sinceTime ?? '')) yield* previousRun(query, read);
    mayBeRestarted = false;
    yield lines;
  }
}

async function* previousRun(requested: LogQuery, read: ReadLog): AsyncGenerator<readonly string[], void, void> {
  const { follow: _, ...query } = requested;
  try {
    yield* await read({ ...query, previous: 'true' });
  } catch (error) {
    // The previous run has no log, or it was deleted. After any other error, the client joins again from where it was.
    if (!isTapError(error) || error.spec.retry === 'back-off') throw error;
  }
}

/** Whether a line is later than a time; LogReading compares times of any precision and time zone. */
function isLater(line: string, time: string): boolean {
  return new LogReading({ time, first: '', count: 0 }).take([line]).fresh.length > 0;
}

function* batchesOf(lines: readonly string[]): Iterable<readonly string[]> {
  let batch: string[] = [];
  let chars = 0;
  for (const line of lines) {
    if (batch.length > 0 && (batch.length === linesMax || chars + line.length > charsMax)) {
      yield batch;
      [batch, chars] = [[], 0];
    }
    batch.push(line);
    chars += line.length;
  }
  if (batch.length > 0) yield batch;
}
