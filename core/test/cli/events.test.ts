import test from 'ava';
import { eventListPath, lastFirst, readEvents, type EventView } from '../../dist/cli/event-view.js';

type Asked = Parameters<typeof readEvents>[0];

const event = (name: string, second: number): EventView => ({
  metadata: { namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: String(second) },
  involvedObject: { kind: 'Application', name },
  lastTimestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
});

/** Pages of one event each, in the order of names. */
function clientOf(pages: number, requested: string[]): Asked {
  const json = async (path: string) => {
    requested.push(path);
    const page = Number(new URLSearchParams(path.split('?')[1]).get('continue') ?? 0);
    const isLast = page === pages - 1;
    return { metadata: isLast ? {} : { continue: String(page + 1) }, items: [event(`app-${page}`, page)] };
  };
  return { json } as unknown as Asked;
}

test('events are read to their last page, where the newest may be', async (t) => {
  const requested: string[] = [];
  const list = await readEvents(clientOf(3, requested), eventListPath(undefined));
  t.deepEqual(
    lastFirst(list).map(({ involvedObject }) => involvedObject.name),
    ['app-2', 'app-1', 'app-0'],
  );
  t.is(requested.length, 3);
  t.is(list.metadata?.continue, undefined);
});

test('no more than so many pages are read, and that there are more is known', async (t) => {
  const requested: string[] = [];
  const list = await readEvents(clientOf(100, requested), eventListPath('default'));
  t.is(requested.length, 20);
  t.is(list.items.length, 20);
  t.is(list.metadata?.continue, '20');
});
