import type { Caller } from '@tappaas/sdk';
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

/** Sends the lines of a container's log as they are written. Each begins with its time, for a client to resume from by `sinceTime`. */
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
  const { body } = await part.handle(
    { params: {}, query, headers: {}, body: new Uint8Array(), key },
    { caller, requestId, signal: room.signal, remainingMs: () => Infinity },
  );
  room.stands();
  if (body === undefined) return;
  const chunks = typeof body === 'string' || body instanceof Uint8Array ? [body] : untilAborted(body, room.signal);
  for await (const lines of textLines(chunks, lineCharsMax)) {
    for (const batch of batchesOf(lines)) await room.send(eventPacket('log', JSON.stringify({ room: room.name, lines: batch })));
  }
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
