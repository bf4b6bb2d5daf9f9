import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { TapError, type Outcome } from '@tappaas/sdk';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { createController, type ControllerOptions, type Run, type RunReport } from '../../dist/reconcile/controller.js';
import { VirtualClock, settled } from '../virtual-clock.ts';

type Reconcile = (key: string, run: Run) => Promise<Outcome>;

function setUp(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = new VirtualClock();
  const queue = createWorkQueue<string>({ clock, random: () => 0, backoff: { baseMs: 100, maxMs: 10_000, jitter: 0 } });
  const reports: RunReport[] = [];
  const runs: string[] = [];
  const controller = createController({
    name: 'shop',
    queue,
    clock,
    reconcile: (key, run) => {
      runs.push(key);
      return reconcile(key, run);
    },
    onReport: (report) => void reports.push(report),
    ...options,
  });
  const stop = new AbortController();
  const ended = controller.run(stop.signal);
  return { clock, queue, controller, reports, runs, stop, ended };
}

const failure = (retry: 'never' | 'back-off', retryAfterMs?: number): TapError =>
  new TapError('SHOP_FAILED', { httpStatus: 500, blame: 'upstream', retry, remedy: 'Wait.' }, { message: 'failed', retryAfterMs });

test('nothing as an outcome lets the key rest until it is added again', async (t) => {
  const { clock, queue, runs, reports } = setUp(async () => {});
  queue.add('a');
  await clock.advance(3_600_000);
  t.deepEqual(runs, ['a']);
  t.is(reports[0]?.result, 'done');
  queue.add('a');
  await clock.advance(0);
  t.deepEqual(runs, ['a', 'a']);
});

test('againAfterMs runs the key again after exactly that time', async (t) => {
  const { clock, queue, runs } = setUp(async () => ({ againAfterMs: 5_000 }));
  queue.add('a');
  await clock.advance(4_999);
  t.is(runs.length, 1);
  await clock.advance(1);
  t.is(runs.length, 2);
});

test('againAfterMs: 0 runs the key again at once, and ever later while it is answered in a row', async (t) => {
  const outcomes: Outcome[] = [...Array.from({ length: 14 }, () => ({ againAfterMs: 0 })), undefined];
  const startedAtMs: number[] = [];
  const { clock, queue } = setUp(async () => {
    startedAtMs.push(clock.nowMs());
    return outcomes.shift();
  });
  queue.add('a');
  await clock.advance(10_000);
  const gapsMs = startedAtMs.slice(1).map((ms, index) => ms - (startedAtMs[index] ?? 0));
  t.deepEqual(gapsMs, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000, 1_000, 1_000]);
  outcomes.push({ againAfterMs: 0 }, { againAfterMs: 0 }, { againAfterMs: 10 }, { againAfterMs: 0 }, undefined);
  startedAtMs.length = 0;
  const nowMs = clock.nowMs();
  queue.add('a');
  await clock.advance(1_000);
  t.deepEqual(
    startedAtMs.map((ms) => ms - nowMs),
    [0, 0, 1, 11, 11],
    'another outcome ends the row',
  );
});

test('a reconcile that answers againAfterMs: 0 without end holds up nothing else of the process', async (t) => {
  const worker = new Worker(new URL('at-once-worker.ts', import.meta.url));
  const fired = once(worker, 'message') as Promise<[number]>;
  const [runs] = await Promise.race([fired, delay(10_000, [undefined], { ref: false })]);
  await worker.terminate();
  if (runs === undefined) return t.fail('no timer has fired');
  t.true(runs < 20, `${runs} runs`);
});

test('a change before againAfterMs runs the key at once, and the old time is forgotten', async (t) => {
  const outcomes: Outcome[] = [{ againAfterMs: 5_000 }, undefined];
  const { clock, queue, runs } = setUp(async () => outcomes.shift());
  queue.add('a');
  await clock.advance(1_000);
  queue.add('a');
  await clock.advance(60_000);
  t.is(runs.length, 2);
});

test('an error backs off exponentially until a run succeeds, then starts anew', async (t) => {
  let fail = true;
  const { clock, queue, runs, controller } = setUp(async () => {
    if (fail) throw new Error('no');
  });
  queue.add('a');
  await clock.advance(0);
  for (const delayMs of [100, 200, 400]) {
    const before = runs.length;
    await clock.advance(delayMs - 1);
    t.is(runs.length, before);
    await clock.advance(1);
    t.is(runs.length, before + 1);
  }
  fail = false;
  await clock.advance(800);
  t.is(queue.failures('a'), 0);
  t.deepEqual({ ...controller.counts }, { done: 1, again: 0, error: 4, timeout: 0, terminal: 0, stopped: 0 });
});

test('a terminal error is counted and not retried until the object changes', async (t) => {
  const { clock, queue, runs, controller } = setUp(async () => {
    throw failure('never');
  });
  queue.add('a');
  await clock.advance(3_600_000);
  t.is(runs.length, 1);
  t.is(controller.counts.terminal, 1);
  t.is(queue.keys, 0);
  queue.add('a');
  await clock.advance(0);
  t.is(runs.length, 2);
});

test('an error that says when trying again makes sense is obeyed, within limits', async (t) => {
  const waits = [3_000, 86_400_000];
  const { clock, queue, runs } = setUp(async () => {
    throw failure('back-off', waits.shift());
  });
  queue.add('a');
  await clock.advance(2_999);
  t.is(runs.length, 1);
  await clock.advance(1);
  t.is(runs.length, 2);
  await clock.advance(600_000);
  t.is(runs.length, 3, 'no upstream may send a key away for a day');
});

test('an error that says to try again at once backs off like any other', async (t) => {
  const startedAtMs: number[] = [];
  const { clock, queue } = setUp(async () => {
    startedAtMs.push(clock.nowMs());
    throw failure('back-off', startedAtMs.length < 4 ? 0 : 1_000);
  });
  queue.add('a');
  await clock.advance(3_500);
  const gapsMs = startedAtMs.slice(1).map((ms, index) => ms - (startedAtMs[index] ?? 0));
  t.deepEqual(gapsMs, [100, 200, 400, 1_000, 1_600]);
});

test('what is thrown synchronously, or is no error at all, is caught and counted', async (t) => {
  const thrown: unknown[] = ['text', undefined, null];
  const { clock, queue, reports } = setUp(() => {
    throw thrown.shift();
  });
  queue.add('a');
  await clock.advance(350);
  t.deepEqual(
    reports.map((report) => report.result),
    ['error', 'error', 'error'],
  );
});

for (const garbage of [{ againAfterMs: NaN }, { againAfterMs: -1 }, { againAfterMs: '5' }, {}, 'soon', 7, Infinity]) {
  test(`the outcome ${JSON.stringify(garbage)} (${typeof garbage}) is an error that names the plugin's mistake`, async (t) => {
    const { clock, queue, reports } = setUp(async () => garbage as unknown as Outcome);
    queue.add('a');
    await clock.advance(0);
    const [report] = reports;
    t.is(report?.result, 'error');
    t.is((report as { error?: TapError } | undefined)?.error?.code, 'TAP_RECONCILE_BAD_OUTCOME');
  });
}

test('at the deadline the signal aborts with the reason, and the key backs off', async (t) => {
  const { clock, queue, reports } = setUp((_, { signal }) => clockless(signal), { deadlineMs: 1_000 });
  queue.add('a');
  await clock.advance(999);
  t.is(reports.length, 0);
  await clock.advance(1);
  const [report] = reports;
  t.is(report?.result, 'timeout');
  t.is((report as { error?: TapError } | undefined)?.error?.code, 'TAP_RECONCILE_TIMEOUT');
  t.is(queue.delayed, 1);
});

/** Never settles unless the signal aborts. */
function clockless(signal: AbortSignal): Promise<Outcome> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

test('a run that ignores its deadline keeps its key but not its worker', async (t) => {
  const gate = Promise.withResolvers<Outcome>();
  const { clock, queue, runs, controller, reports } = setUp((key) => (key === 'deaf' ? gate.promise : Promise.resolve(undefined)), {
    workersMax: 1,
    deadlineMs: 1_000,
  });
  queue.add('deaf');
  queue.add('other');
  await clock.advance(2_000);
  t.deepEqual(runs, ['deaf', 'other'], 'the only worker went on');
  t.is(controller.overdue, 1);
  queue.add('deaf');
  await clock.advance(10_000);
  t.is(runs.filter((key) => key === 'deaf').length, 1, 'no second run beside the first');
  gate.resolve(undefined);
  await settled();
  t.is(controller.overdue, 0);
  t.deepEqual(
    reports.map(({ key, result }) => [key, result]),
    [
      ['other', 'done'],
      ['deaf', 'timeout'],
      ['deaf', 'done'],
    ],
  );
});

test('runs left behind are bounded by the number of workers', async (t) => {
  const { clock, queue, runs, controller } = setUp(() => new Promise<Outcome>(() => {}), { workersMax: 2, deadlineMs: 1_000 });
  for (let n = 0; n < 10; n += 1) queue.add(`key-${n}`);
  await clock.advance(60_000);
  t.is(controller.overdue, 2);
  t.is(runs.length, 4, 'two left behind and two whose workers wait');
});

test('two runs of one key never overlap, whatever is added meanwhile', async (t) => {
  let running = 0;
  let most = 0;
  const { clock, queue, runs } = setUp(
    async () => {
      running += 1;
      most = Math.max(most, running);
      if (runs.length < 20) queue.add('a');
      await settled();
      running -= 1;
      return undefined;
    },
    { workersMax: 8 },
  );
  queue.add('a');
  for (let n = 0; n < 30; n += 1) {
    queue.add('a');
    await clock.advance(1);
  }
  t.is(most, 1);
  t.true(runs.length >= 20);
});

test('different keys run at the same time, at most workersMax of them', async (t) => {
  const gates: (() => void)[] = [];
  const { clock, queue, controller } = setUp(() => new Promise((resolve) => void gates.push(() => resolve(undefined))), { workersMax: 3 });
  for (let n = 0; n < 5; n += 1) queue.add(`key-${n}`);
  await clock.advance(0);
  t.is(controller.running, 3);
  gates.shift()?.();
  await clock.advance(0);
  t.is(controller.running, 3);
  t.is(gates.length, 3);
});

test('the next run of a key waits until the cache shows what the last one wrote', async (t) => {
  const cache = Promise.withResolvers<void>();
  const requested: string[] = [];
  const { clock, queue, runs } = setUp(
    async (key, { wrote }) => {
      if (key !== 'a' || requested.length > 0) return;
      wrote('9');
      wrote('12');
      wrote('11');
    },
    {
      workersMax: 1,
      waitFor: (revision) => {
        requested.push(revision);
        return cache.promise;
      },
    },
  );
  queue.add('a');
  await clock.advance(0);
  queue.add('a');
  queue.add('b');
  await clock.advance(60_000);
  t.deepEqual(runs, ['a', 'b'], 'another key need not wait, and no worker is held');
  t.deepEqual(requested, ['12'], 'the newest of what was written');
  cache.resolve();
  await clock.advance(0);
  t.deepEqual(runs, ['a', 'b', 'a']);
});

test('own writes are waited for also after a failed run, and while the cache itself fails', async (t) => {
  let attempts = 0;
  const { clock, queue, runs } = setUp(
    async (_, { wrote }) => {
      if (runs.length > 1) return;
      wrote('5');
      throw new Error('after the write');
    },
    {
      waitFor: () => {
        attempts += 1;
        return attempts < 4 ? Promise.reject(new Error('cache is down')) : Promise.resolve();
      },
    },
  );
  queue.add('a');
  await clock.advance(2_999);
  t.is(runs.length, 1, 'the back-off of 100 ms has long passed');
  await clock.advance(1);
  t.is(runs.length, 2);
});

test('stopping aborts what runs, resolves when nothing runs any more, and keeps the keys for the next term', async (t) => {
  const { clock, queue, stop, ended, reports } = setUp((_, { signal }) => clockless(signal));
  queue.add('a');
  await clock.advance(0);
  stop.abort();
  await ended;
  t.is(reports[0]?.result, 'stopped');
  t.is(queue.failures('a'), 0, 'nobody is to blame');
  t.is(queue.take(), 'a');
  t.is(clock.sleeping, 0);
});

test('a controller can run again after it was stopped', async (t) => {
  const { clock, queue, stop, ended, controller, runs } = setUp(async () => {});
  stop.abort();
  await ended;
  queue.add('a');
  const again = new AbortController();
  const second = controller.run(again.signal);
  await clock.advance(0);
  t.deepEqual(runs, ['a']);
  again.abort();
  await second;
});

test('a controller ends when its queue is closed, after draining it', async (t) => {
  const { queue, ended, runs } = setUp(async () => {});
  queue.add('a');
  queue.add('b');
  await queue.close({ drain: true });
  await ended;
  t.deepEqual(runs, ['a', 'b']);
});

test('a listener that throws does not stop the work', async (t) => {
  const { clock, queue, runs } = setUp(async () => {}, {
    onReport: () => {
      throw new Error('listener');
    },
  });
  queue.add('a');
  queue.add('b');
  await clock.advance(0);
  t.deepEqual(runs, ['a', 'b']);
});
