import test from 'ava';
import { WatchFeed, type FeedHistory } from '../../dist/index.js';

interface Event {
  readonly revision: number;
}

const clock = { nowMs: () => 0, sleep: () => new Promise<void>(() => undefined) };
const live = (revision: number): FeedHistory<Event> => ({ revision, events: [], live: true });
const event = (revision: number): Event => ({ revision });

function feedOf(options: {
  readonly afterRevision?: number;
  readonly history?: (after: number) => FeedHistory<Event> | Promise<FeedHistory<Event>>;
  readonly max?: number;
}) {
  const state = { ended: 0 };
  const feed = new WatchFeed<Event>({
    afterRevision: options.afterRevision ?? 0,
    bufferedEventsMax: options.max ?? 10,
    catchUp: options.history ?? ((after) => live(after)),
    onEnd: () => state.ended++,
    clock,
  });
  return { feed, state, batches: feed[Symbol.asyncIterator]() };
}

test('what is offered while the last piece of history is on its way waits behind it', async (t) => {
  const { promise, resolve } = Promise.withResolvers<FeedHistory<Event>>();
  const { feed, batches } = feedOf({ history: () => promise });
  const first = batches.next();
  resolve({ revision: 2, events: [event(1), event(2)], live: true });
  feed.offer(3, [event(3)]);
  t.deepEqual((await first).value, { revision: 2, events: [event(1), event(2)] });
  t.deepEqual((await batches.next()).value, { revision: 3, events: [event(3)] });
});

test('history is asked for piece by piece, as the reader consumes', async (t) => {
  const calls: number[] = [];
  const { batches } = feedOf({
    history: (after) => {
      calls.push(after);
      return { revision: after + 1, events: [event(after + 1)], live: false };
    },
  });
  await batches.next();
  await batches.next();
  t.deepEqual(calls, [0, 1]);
});

test('pieces of history without a matching event are passed over in silence', async (t) => {
  const { feed, batches } = feedOf({ history: (after) => ({ revision: after + 10, events: [], live: after >= 20 }) });
  const first = batches.next();
  await Promise.resolve();
  setImmediate(() => feed.offer(31, [event(31)]));
  t.deepEqual((await first).value, { revision: 31, events: [event(31)] });
});

test('a reader may be slow by as many events as the buffer holds, and is cut by one more', async (t) => {
  const { feed, state, batches } = feedOf({ max: 3 });
  const first = batches.next();
  await Promise.resolve();
  feed.requestProgress();
  t.deepEqual((await first).value, { revision: 0, events: [] });
  feed.offer(3, [event(1), event(2), event(3)]);
  t.is(((await batches.next()).value as { events: unknown[] }).events.length, 3);
  feed.offer(6, [event(4), event(5), event(6)]);
  feed.offer(7, [event(7)]);
  const error = await t.throwsAsync(batches.next(), { code: 'TAP_STORE_SLOW_CONSUMER' });
  t.like(error, { data: { revision: 3 } });
  t.is(state.ended, 1);
  t.true((await batches.next()).done);
});

test('leaving the loop ends the feed, and what comes later is ignored', async (t) => {
  const { feed, state, batches } = feedOf({ history: () => ({ revision: 1, events: [event(1)], live: true }) });
  await batches.next();
  await batches.return?.();
  t.is(state.ended, 1);
  feed.offer(2, [event(2)]);
  feed.close();
  t.is(state.ended, 1);
  t.throws(() => feed[Symbol.asyncIterator](), { instanceOf: TypeError });
});

test('progress asked for at any moment is told', async (t) => {
  for (let turns = 0; turns < 8; turns++) {
    const { feed, batches } = feedOf({});
    const first = batches.next();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    feed.requestProgress();
    t.deepEqual((await first).value, { revision: 0, events: [] }, `after ${turns} turns`);
  }
});

test('history that fails ends the iteration with its error', async (t) => {
  const { batches, state } = feedOf({ history: () => Promise.reject(new Error('gone')) });
  await t.throwsAsync(batches.next(), { message: 'gone' });
  t.is(state.ended, 1);
});

test('the revision of a feed never claims what its reader has not been given', async (t) => {
  const { feed, batches } = feedOf({});
  const first = batches.next();
  await Promise.resolve();
  feed.offer(4, []);
  await Promise.resolve();
  await Promise.resolve();
  t.is(feed.revision, 4);
  feed.offer(5, [event(5)]);
  feed.offer(6, [event(6)]);
  t.true(feed.revision <= 5);
  await first;
  t.true(feed.revision <= 6);
});
