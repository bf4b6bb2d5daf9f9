import type { Clock } from '@tappaas/sdk';
import type { JoinRequest } from './join-request.js';
import { eventPacket, messageBytesMax } from './outbox.js';
import type { Room } from './room.js';

/** The metrics of every process: this one's page and, where an adapter joins them, those of the others. */
export type MetricsPages = (names: readonly string[]) => Promise<readonly MetricsPage[]>;

/** The lines of one process' metrics. */
export interface MetricsPage {
  readonly replica: string;
  readonly text: string;
}

const everyMs = 5000;
/** Escaped as JSON, a page of this length fits into a message. */
const textCharsMax = messageBytesMax / 2;

/** Sends the metrics that the client asked for, now and every five seconds. The client has joined only when there are some to send. */
export async function fillMetricsRoom(
  room: Room,
  { names }: JoinRequest & { readonly topic: 'metrics' },
  pages: MetricsPages,
  clock: Clock,
): Promise<void> {
  let told = await pages(names);
  room.stands();
  while (!room.signal.aborted) {
    for (const page of told) await room.send(eventPacket('metrics', JSON.stringify({ room: room.name, ...page })));
    await clock.sleep(everyMs, room.signal).catch(() => {});
    if (room.signal.aborted) return;
    told = await pages(names);
  }
}

/** The lines of a metrics page that are about one of the names, a histogram's parts included; no more than fit into a message. */
export function linesAbout(page: string, names: readonly string[]): string {
  const wanted = new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
  let text = '';
  for (const line of page.split('\n')) {
    if (line.startsWith('#') || !wanted.has(/^[a-zA-Z0-9_:]*/.exec(line)?.[0] ?? '')) continue;
    if (text.length + line.length >= textCharsMax) return `${text}# truncated\n`;
    text += `${line}\n`;
  }
  return text;
}
