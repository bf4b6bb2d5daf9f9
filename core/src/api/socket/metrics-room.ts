import type { Clock } from '@tappaas/sdk';
import type { JoinRequest } from './join-request.js';
import { eventPacket, messageBytesMax } from './outbox.js';
import type { Room } from './room.js';

/** Returns the metrics of all processes: this one's page and, with an adapter, those of the others. */
export type MetricsPages = (names: readonly string[]) => Promise<readonly MetricsPage[]>;

/** The metrics lines of one process. */
export interface MetricsPage {
  readonly replica: string;
  readonly text: string;
}

const everyMs = 5000;
/** A page of this length fits into a message when it is escaped as JSON. */
const textCharsMax = messageBytesMax / 2;
const truncated = '# truncated\n';

/** Sends the requested metrics now and every five seconds. The join succeeds only after the first pages are read. */
export async function fillMetricsRoom(
  room: Room,
  { names }: JoinRequest & { readonly topic: 'metrics' },
  pages: MetricsPages,
  clock: Clock,
): Promise<void> {
  let told = await pages(names);
  room.stands(missing(names, told).map((name) => `room ${room.name}: expected a metric with values, found none named ${name} so far`));
  while (!room.signal.aborted) {
    for (const page of told) await room.send(eventPacket('metrics', JSON.stringify({ room: room.name, ...page })));
    await clock.sleep(everyMs, room.signal).catch(() => {});
    if (room.signal.aborted) return;
    told = await pages(names);
  }
}

/** Returns the names of which no page has a line; a metric has none before its first value, so the room waits for them. */
function missing(names: readonly string[], pages: readonly MetricsPage[]): readonly string[] {
  if (pages.some(({ text }) => text.endsWith(truncated))) return [];
  return names.filter((name) => !pages.some(({ text }) => linesAbout(text, [name]) !== ''));
}

/** Returns the lines of a metrics page about the given names, including the parts of histograms, truncated to fit into a message. */
export function linesAbout(page: string, names: readonly string[]): string {
  const wanted = new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
  let text = '';
  for (const line of page.split('\n')) {
    if (line.startsWith('#') || !wanted.has(/^[a-zA-Z0-9_:]*/.exec(line)?.[0] ?? '')) continue;
    if (text.length + line.length >= textCharsMax) return text + truncated;
    text += `${line}\n`;
  }
  return text;
}
