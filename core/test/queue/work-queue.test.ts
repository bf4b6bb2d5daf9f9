import test from 'ava';
import type { WorkQueueOptions } from '../../dist/queue/work-queue-options.js';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { VirtualClock, settled } from '../virtual-clock.ts';

function setUp(options: Partial<WorkQueueOptions<string>> = {}) {
  const clock = new VirtualClock();
  const queue = createWorkQueue<string>({
    clock,
    random: () => 0,
    backoff: { baseMs: 10, maxMs: 1_000, jitter: 0.5 },
    ...options,
  });
  const takeAll = (): string[] => {
    const keys: string[] = [];
    for (let key = queue.take(); key !== undefined; key = queue.take()) keys.push(key);
    return keys;
  };
  return { clock, queue, takeAll };
}

test('a key that is added many times before it is taken is handed out once', (t) => {
  const { queue, takeAll } = setUp();
  for (let n = 0; n < 100; n += 1) t.true(queue.add('a'));
  queue.add('b');
  t.deepEqual(takeAll(), ['a', 'b']);
});

test('a key is not handed out again while it is being processed', (t) => {
  const { queue } = setUp();
  queue.add('a');
  t.is(queue.take(), 'a');
  queue.add('a');
  t.is(queue.take(), undefined);
  t.is(queue.depth, 0);
});

test('any number of changes during processing gives exactly one more run', (t) => {
  const { queue } = setUp();
  queue.add('a');
  queue.take();
  queue.add('a');
  queue.add('a');
  queue.done('a');
  t.is(queue.take(), 'a');
  queue.done('a');
  t.is(queue.take(), undefined);
  t.is(queue.keys, 0);
});

test('a key that is done without a change leaves nothing behind', (t) => {
  const { queue } = setUp();
  queue.add('a');
  queue.take();
  queue.done('a');
  t.is(queue.keys, 0);
  t.is(queue.processing, 0);
});

test('giving back a key that was not handed out is refused', (t) => {
  const { queue } = setUp();
  queue.add('a');
  t.throws(() => queue.done('a'), { message: /key a is not being processed/ });
  t.throws(() => queue.retry('b'), { message: /key b is not being processed/ });
});

test('the back-off of each key doubles up to its maximum and starts anew after forget', async (t) => {
  const { queue } = setUp();
  const delays: number[] = [];
  for (let n = 0; n < 9; n += 1) {
    queue.add('a');
    queue.take();
    delays.push(queue.retry('a'));
    queue.done('a');
  }
  t.deepEqual(delays, [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
  queue.add('b');
  queue.take();
  t.is(queue.retry('b'), 10, 'another key has its own back-off');
  queue.done('b');
  queue.forget('a');
  t.is(queue.failures('a'), 0);
  queue.add('a');
  queue.take();
  t.is(queue.retry('a'), 10);
});

test('the back-off is spread by chance, downwards from its full length', (t) => {
  const draws = [0, 0.5, 0.999];
  const { queue } = setUp({ random: () => draws.shift() ?? 0 });
  const delays = ['a', 'b', 'c'].map((key) => {
    queue.add(key);
    queue.take();
    return queue.retry(key);
  });
  t.deepEqual(delays, [10, 7.5, 10 * (1 - 0.5 * 0.999)]);
});

test('a failed key comes back when its back-off has passed and not before', async (t) => {
  const { queue, clock } = setUp();
  queue.add('a');
  queue.take();
  queue.retry('a');
  queue.done('a');
  await clock.advance(9);
  t.is(queue.take(), undefined);
  t.is(queue.delayed, 1);
  await clock.advance(1);
  t.is(queue.take(), 'a');
});

test('of several delayed adds the earliest is kept', async (t) => {
  const { queue, clock, takeAll } = setUp();
  queue.addAfter('a', 500);
  queue.addAfter('a', 100);
  queue.addAfter('a', 300);
  await clock.advance(99);
  t.deepEqual(takeAll(), []);
  await clock.advance(1);
  t.deepEqual(takeAll(), ['a']);
  queue.done('a');
  await clock.advance(1_000);
  t.deepEqual(takeAll(), []);
});

test('a change ends a delay: the key is ready at once and only once', async (t) => {
  const { queue, clock, takeAll } = setUp();
  queue.addAfter('a', 500);
  queue.add('a');
  t.deepEqual(takeAll(), ['a']);
  queue.done('a');
  await clock.advance(1_000);
  t.deepEqual(takeAll(), []);
  t.is(clock.sleeping, 0, 'no timer is left behind');
});

test('a delay that ends during processing gives one more run', async (t) => {
  const { queue, clock } = setUp();
  queue.add('a');
  queue.take();
  queue.addAfter('a', 5);
  await clock.advance(10);
  t.is(queue.take(), undefined);
  queue.done('a');
  t.is(queue.take(), 'a');
});

test('delayed keys become ready in the order of their times, also beyond what one timer can wait', async (t) => {
  const { queue, clock, takeAll } = setUp();
  const dayMs = 86_400_000;
  queue.addAfter('late', 40 * dayMs);
  queue.addAfter('soon', 3);
  queue.addAfter('tomorrow', dayMs);
  await clock.advance(2 * dayMs);
  t.deepEqual(takeAll(), ['soon', 'tomorrow']);
  await clock.advance(39 * dayMs);
  t.deepEqual(takeAll(), ['late']);
});

test('keys of an initial list are processed after fresh changes', (t) => {
  const { queue, takeAll } = setUp();
  for (let n = 0; n < 5; n += 1) queue.add(`old-${n}`, 'low');
  queue.add('new');
  queue.add('old-3');
  t.deepEqual(takeAll(), ['new', 'old-3', 'old-0', 'old-1', 'old-2', 'old-4']);
});

test('running work is finished before all waiting work has been started', (t) => {
  const { queue } = setUp();
  for (let n = 0; n < 100; n += 1) queue.add(`new-${n}`);
  const first = queue.take() ?? '';
  queue.done(first);
  queue.add(first, 'under-way');
  t.true([queue.take(), queue.take()].includes(first));
});

test('what is under way does not starve what is to be begun, and a key that waits becomes more urgent', (t) => {
  const { queue, takeAll } = setUp();
  for (let n = 0; n < 3; n += 1) queue.add(`begun-${n}`, 'under-way');
  for (let n = 0; n < 3; n += 1) queue.add(`new-${n}`);
  queue.add('new-2', 'under-way');
  const kinds = takeAll().map((key) => (key === 'new-2' ? 'begun' : key.slice(0, -2)));
  t.deepEqual(kinds, ['begun', 'new', 'begun', 'new', 'begun', 'begun']);
});

test('a steady stream of fresh changes does not starve what an initial list brought', (t) => {
  const { queue } = setUp();
  queue.add('old', 'low');
  let takes = 0;
  for (let key: string | undefined = ''; key !== 'old' && takes < 100; takes += 1) {
    queue.add(`new-${takes}`);
    key = queue.take();
  }
  t.true(takes <= 16, `taken after ${takes}`);
});

test('a tenant with one key waits for one turn of the others, not for their backlog', (t) => {
  const { queue, takeAll } = setUp({ tenantOf: (key) => key.slice(0, 1) });
  for (let n = 0; n < 1_000; n += 1) queue.add(`a${n}`);
  for (let n = 0; n < 1_000; n += 1) queue.add(`b${n}`);
  queue.add('c0');
  t.deepEqual(takeAll().slice(0, 6), ['a0', 'b0', 'c0', 'a1', 'b1', 'a2']);
});

test('tenants take turns by weight', (t) => {
  const { queue, takeAll } = setUp({ tenantOf: (key) => key.slice(0, 1), weightOf: (tenant) => (tenant === 'a' ? 3 : 1) });
  for (let n = 0; n < 6; n += 1) for (const tenant of ['a', 'b']) queue.add(`${tenant}${n}`);
  t.deepEqual(takeAll().slice(0, 8), ['a0', 'a1', 'a2', 'b0', 'a3', 'a4', 'a5', 'b1']);
});

test('a tenant that empties its line and comes back gains no turn by it', (t) => {
  const { queue } = setUp({ tenantOf: (key) => key.slice(0, 1) });
  for (let n = 0; n < 4; n += 1) queue.add(`b${n}`);
  const order: (string | undefined)[] = [];
  for (let n = 0; n < 6; n += 1) {
    queue.add(`a${n}`);
    order.push(queue.take()?.slice(0, 1));
  }
  t.deepEqual(order, ['b', 'a', 'b', 'a', 'b', 'a']);
});

test('tenants that come and go by the thousand are forgotten', (t) => {
  const { queue } = setUp({ tenantOf: (key) => key });
  for (let n = 0; n < 10_000; n += 1) {
    queue.add(`tenant-${n}`);
    t.is(queue.take(), `tenant-${n}`);
    queue.done(`tenant-${n}`);
  }
  t.is(queue.keys, 0);
});

test('a full queue refuses new keys, keeps known ones, and asks for more when there is room', (t) => {
  let requested = 0;
  let refused = 0;
  const { queue } = setUp({ keysMax: 4, onRoom: () => (requested += 1), observer: { refused: () => (refused += 1) } });
  for (const key of ['a', 'b', 'c', 'd']) t.true(queue.add(key));
  t.false(queue.add('e'));
  t.false(queue.addAfter('f', 10));
  t.true(queue.add('a'), 'a key that is known is never refused');
  t.is(refused, 2);
  for (const key of ['a', 'b']) {
    t.is(requested, 0);
    queue.take();
    queue.done(key);
  }
  t.is(requested, 1);
  queue.take();
  queue.done('c');
  t.is(requested, 1, 'asked once per refusal');
});

test('a worker that waits gets the next key; workers are served in the order they came', async (t) => {
  const { queue } = setUp();
  const first = queue.get();
  const second = queue.get();
  queue.add('a');
  queue.add('b');
  t.is(await first, 'a');
  t.is(await second, 'b');
  t.is(queue.depth, 0);
});

test('a worker whose signal aborts waits no longer and takes nothing with it', async (t) => {
  const { queue } = setUp();
  const stop = new AbortController();
  const waiting = queue.get(stop.signal);
  stop.abort();
  t.is(await waiting, undefined);
  queue.add('a');
  t.is(queue.take(), 'a');
  t.is(await queue.get(stop.signal), undefined);
});

test('closing with drain hands out what is ready, gives changed keys their run, drops delays, then ends every worker', async (t) => {
  const { queue, clock } = setUp();
  queue.add('a');
  queue.add('b');
  queue.addAfter('later', 1_000);
  const a = queue.take();
  queue.add('a');
  let closed = false;
  const closing = queue.close({ drain: true }).then(() => (closed = true));
  t.false(queue.add('c'), 'nothing new is taken');
  t.is(queue.take(), 'b');
  const waiting = queue.get();
  queue.done('b');
  await settled();
  t.false(closed);
  t.is(a, 'a');
  queue.done('a');
  t.is(await waiting, 'a', 'the change during processing was not lost');
  queue.retry('a');
  queue.done('a');
  await closing;
  t.is(queue.keys, 0);
  t.is(clock.sleeping, 0);
  t.is(await queue.get(), undefined);
});

test('closing without drain drops what is ready and waits for what is processed', async (t) => {
  const { queue } = setUp();
  queue.add('a');
  queue.add('b');
  queue.take();
  queue.add('a');
  let closed = false;
  const closing = queue.close({ drain: false }).then(() => (closed = true));
  await settled();
  t.false(closed);
  queue.done('a');
  await closing;
  t.is(await queue.get(), undefined);
  t.is(queue.keys, 0);
  await t.notThrowsAsync(queue.close({ drain: true }), 'closing twice is fine');
});

test('depth, latency and retries are told', async (t) => {
  const depths: number[] = [];
  const latencies: number[] = [];
  const retries: number[] = [];
  const observer = {
    depth: (items: number) => void depths.push(items),
    latencyMs: (ms: number) => void latencies.push(ms),
    retry: (delayMs: number) => void retries.push(delayMs),
  };
  const { queue, clock } = setUp({ observer });
  queue.add('a');
  queue.add('b');
  await clock.advance(25);
  queue.take();
  queue.retry('a');
  queue.done('a');
  await clock.advance(10);
  t.deepEqual(depths, [1, 2, 1, 2]);
  t.deepEqual(latencies, [25]);
  t.deepEqual(retries, [10]);
});
