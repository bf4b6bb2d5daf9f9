/** What a room delivers across breaks: nothing is lost or delivered twice, whatever the platform sends. */
import test from 'ava';
import { RoomFeed } from '../dist/room-feed.js';
import type { RoomMessage, RoomEvent } from '../dist/room-message.js';

const logs = { topic: 'logs', namespace: 'team', pod: 'shop' } as const;
const at = (second: string): string => `2026-11-30T12:00:${second}Z`;
const received = (...lines: string[]): RoomEvent => ({ room: 'x', lines });

/** All queued messages. */
async function taken(feed: RoomFeed, joinAgain: () => void = () => {}): Promise<RoomMessage[]> {
  feed.end();
  const messages: RoomMessage[] = [];
  for await (const message of feed.messages(joinAgain)) messages.push(message);
  return messages;
}

const linesOf = (messages: readonly RoomMessage[]): string[] => messages.flatMap((each) => (each.type === 'LINES' ? each.lines : []));

test('the rest of a long line, which has no time, is told, and so is what follows it', async (t) => {
  const feed = new RoomFeed(logs);
  feed.joining();
  feed.receive(received(`${at('01.000')} long …`));
  feed.receive(received('zeal of a long line'));
  feed.receive(received(`${at('02.000')} next`));
  feed.receive(received(`${at('03.000')} last`));
  t.like(feed.joining(), { sinceTime: at('03.000') });
  t.deepEqual(linesOf(await taken(feed)), [
    `${at('01.000')} long …`,
    'zeal of a long line',
    `${at('02.000')} next`,
    `${at('03.000')} last`,
  ]);
});

test('lines of one time are told, in however many messages they come', async (t) => {
  const feed = new RoomFeed(logs);
  feed.joining();
  for (const word of ['a', 'b', 'b']) feed.receive(received(`${at('01.000')} ${word}`));
  t.deepEqual(
    linesOf(await taken(feed)),
    ['a', 'b', 'b'].map((word) => `${at('01.000')} ${word}`),
  );
});

test('after a break only those lines are told that were not told before it, of one time, too', async (t) => {
  const feed = new RoomFeed({ ...logs, tailLines: 3 });
  t.deepEqual(feed.joining(), { ...logs, tailLines: 3 });
  const first = [`${at('01.1')} a`, `${at('01.1')} b`, 'rest of b'];
  feed.receive(received(...first));
  t.deepEqual(feed.joining(), { ...logs, sinceTime: at('01.1') }, 'more than that many lines may have come meanwhile');
  // Lines with the same time precede those that the first request selected.
  feed.receive(received(`${at('01.02')} before`, 'rest of before', `${at('01.1')} before, too`));
  feed.receive(received(...first, `${at('01.1')} c`));
  feed.receive(received(`${at('01.12')} d`));
  const second = [`${at('01.1')} c`, `${at('01.12')} d`];
  feed.joining();
  feed.receive(received(`${at('01.12')} d`, '2026-11-30T13:00:01.13+01:00 e'));
  t.deepEqual(linesOf(await taken(feed)), [...first, ...second, '2026-11-30T13:00:01.13+01:00 e']);
});

const objects = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'team' } as const;
const metadata = (name: string, version: number): RoomEvent['object'] => ({
  metadata: { name, namespace: 'team', resourceVersion: String(version) },
});
const added = (name: string, version: number): RoomEvent => ({ room: 'x', type: 'ADDED', object: metadata(name, version) });
const listed = (version: number): RoomEvent => ({
  room: 'x',
  type: 'BOOKMARK',
  object: { metadata: { name: '', resourceVersion: String(version), annotations: { 'k8s.io/initial-events-end': 'true' } } },
});
const waitingMax = 1000;

test('history that goes while more waits than is held is told of, once, and all objects after it', async (t) => {
  const feed = new RoomFeed({ ...objects, resourceVersion: '1' });
  feed.joining();
  for (let version = 2; version <= waitingMax + 2; version += 1) feed.receive(added(`n${version}`, version));
  t.is(feed.closed({ resync: true }), 0);
  t.is(feed.refused({ code: 410 }), 0, 'again, before anything was taken');
  const joins: object[] = [];
  const messages = await taken(feed, () => {
    joins.push(feed.joining());
    feed.receive(added('a', 5000));
    feed.receive(listed(5001));
  });
  t.deepEqual(joins, [objects], 'from the beginning');
  t.is(messages.length, waitingMax + 3);
  t.deepEqual(
    messages.slice(waitingMax - 1).map(({ type }) => type),
    ['ADDED', 'RESYNC', 'ADDED', 'SYNCED'],
  );
  t.like(feed.joining(), { resourceVersion: '5001' });
});

test('what was told and goes in a break, before all objects have been told, is told as deleted', async (t) => {
  const feed = new RoomFeed(objects);
  feed.joining();
  for (const received of [added('goes', 2), added('stays', 3)]) feed.receive(received);
  t.deepEqual(feed.joining(), objects);
  for (const received of [added('comes', 5), added('stays', 3), listed(6)]) feed.receive(received);
  const messages = await taken(feed);
  t.deepEqual(
    messages.map(({ type }) => type),
    ['ADDED', 'ADDED', 'ADDED', 'DELETED', 'SYNCED'],
  );
  t.deepEqual(messages[3], { type: 'DELETED', reference: metadata('goes', 2), resourceVersion: '6' });
});

test('a room that was closed because it was read too slowly is joined again, from what was taken last', async (t) => {
  const feed = new RoomFeed({ ...objects, resourceVersion: '1' });
  feed.receive(added('a', 2));
  t.is(feed.closed({ error: { code: 408 } }), 0);
  t.deepEqual(feed.joining(), { ...objects, resourceVersion: '2' });
  t.is((await taken(feed)).length, 1, 'and it has not failed');
});

test('a log is joined again when its container has ended, until the pod is gone, as a log that is followed alone', async (t) => {
  const feed = new RoomFeed({ ...logs, tailLines: 3 });
  feed.joining();
  feed.receive(received(`${at('01.000')} a`));
  t.is(feed.closed({}), 0, 'the container has ended');
  t.like(feed.joining(), { sinceTime: at('01.000') });
  t.is(feed.refused({ code: 400 }), 0, 'it waits to be started again');
  feed.joining();
  feed.receive(received(`${at('05.000')} begins`));
  t.is(feed.refused({ code: 404 }), undefined, 'the pod is gone');
  const messages: RoomMessage[] = [];
  for await (const message of feed.messages(() => {})) messages.push(message);
  t.deepEqual(linesOf(messages), [`${at('01.000')} a`, `${at('05.000')} begins`]);
});

test('a log that there has never been is an error', async (t) => {
  for (const code of [400, 404]) {
    const feed = new RoomFeed(logs);
    feed.joining();
    t.is(feed.refused({ code }), undefined);
    await t.throwsAsync(async () => {
      for await (const _ of feed.messages(() => {}));
    });
  }
});
