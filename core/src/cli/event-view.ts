import type { Client } from '@tappaas/client';
import { eventPath } from './paths.js';
import { duration, textTable } from './table.js';

/** The parts of an Event that commands read. */
export interface EventView {
  readonly metadata: { readonly namespace: string; readonly creationTimestamp: string; readonly resourceVersion: string };
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string;
}

/** A list of events; `metadata.continue` is set when there are more than a command reads. */
export interface EventList {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly EventView[];
}

const eventsMax = 500;
const pagesMax = 20;

/** Field selector for the events of an application. */
export const aboutApplication = (name: string): string => `involvedObject.kind=Application,involvedObject.name=${name}`;

/** Returns the path of the events of a namespace, of one application in it, or of all namespaces. */
export function eventListPath(namespace: string | undefined, application?: string): string {
  const query = new URLSearchParams({ limit: String(eventsMax) });
  if (application !== undefined) query.set('fieldSelector', aboutApplication(application));
  return `${eventPath(namespace)}?${query.toString()}`;
}

/** Reads the events at a path. They are ordered by name, so the latest may be on any page. */
export async function readEvents(client: Client, path: string): Promise<EventList> {
  let list: EventList = (await client.json<EventList>(path)) ?? { items: [] };
  for (let page = 1; page < pagesMax; page += 1) {
    const { metadata: { continue: token = '' } = {}, items } = list;
    if (token === '') break;
    const next = (await client.json<EventList>(`${path}&continue=${encodeURIComponent(token)}`)) ?? { items: [] };
    list = { ...next, items: [...items, ...next.items] };
  }
  return list;
}

/** Returns the events of an application, latest first; an empty list if the caller may not read events. */
export async function eventsOf(client: Client, namespace: string, application: string): Promise<readonly EventView[]> {
  const { status, text } = await client.send(eventListPath(namespace, application));
  return status === 200 ? lastFirst(JSON.parse(text) as EventList) : [];
}

/** Sorts events, latest first. */
export function lastFirst({ items }: EventList): readonly EventView[] {
  return items.toSorted((one, other) => lastMs(other) - lastMs(one) || revisionOf(other) - revisionOf(one));
}

/** Which columns identify the object of each event. */
export type EventsAbout = 'object' | 'namespace' | undefined;

export function eventTable(events: readonly EventView[], nowMs: number, about?: EventsAbout): string {
  const { header, rows } = eventRows(events, nowMs, about);
  return textTable(header, rows);
}

/** Returns the header and cells of a table of events. */
export function eventRows(
  events: readonly EventView[],
  nowMs: number,
  about: EventsAbout,
): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const rows = events.map((event): readonly string[] => {
    const { namespace } = event.metadata;
    const { kind, name } = event.involvedObject;
    return [
      ...(about === 'namespace' ? [namespace] : []),
      `${duration(Math.max(0, Math.floor((nowMs - lastMs(event)) / 1000) * 1000))} ago`,
      event.type ?? '-',
      event.reason ?? '-',
      ...(about === undefined ? [] : [`${kind.toLowerCase()}/${name}`]),
      String(event.count ?? 1),
      event.message ?? '',
    ];
  });
  const columns = ['LAST SEEN', 'TYPE', 'REASON', ...(about === undefined ? [] : ['OBJECT']), 'COUNT', 'MESSAGE'];
  return { header: about === 'namespace' ? ['NAMESPACE', ...columns] : columns, rows };
}

/** Orders events within the same second. */
const revisionOf = ({ metadata }: EventView): number => Number(metadata.resourceVersion);

function lastMs({ lastTimestamp, metadata }: EventView): number {
  return Date.parse(lastTimestamp ?? metadata.creationTimestamp);
}
