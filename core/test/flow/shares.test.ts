import test from 'ava';
import * as fc from 'fast-check';
import type { FlowSettings } from '../../dist/flow/flow-settings.js';
import type { Seat } from '../../dist/flow/priority-level.js';
import { startOf } from '../../dist/flow/shares/protocol.js';
import { reportEveryMs, sharesMax } from '../../dist/flow/shares/share-book.js';
import { accountsMax, ShareLedger } from '../../dist/flow/shares/share-ledger.js';
import { VirtualClock } from '../virtual-clock.ts';
import { sharedFlow, type FlowProcess } from './shared-flow.ts';

const settings: FlowSettings = {
  tenant: { perSecond: 500, burst: 1000 },
  user: { perSecond: 500, burst: 1000 },
  system: { perSecond: 5000, burst: 5000 },
  requestsMax: 400,
  requestsPerPrincipalMax: 64,
  heavyRequestsMax: 1,
  queuedMax: 4000,
  queuedPerPrincipalMax: 400,
  waitMsMax: 5000,
  streamsMax: 100,
  streamsPerPrincipalMax: 40,
};
const never = new AbortController().signal;
const joe = { name: 'joe', groups: [] };

/** Asks again and again, some at once, until the time is over; when each was admitted. */
function flood({ ask }: FlowProcess, caller: typeof joe, atOnce: number, admitted: number[], nowMs: () => number, untilMs: number): void {
  const again = async (): Promise<void> => {
    while (nowMs() < untilMs) {
      try {
        const requested = ask(caller);
        const seat = requested instanceof Promise ? await requested : requested;
        admitted.push(nowMs());
        seat.release();
        if (!(requested instanceof Promise)) continue;
      } catch {
        return;
      }
    }
  };
  for (let index = 0; index < atOnce; index += 1) void again();
}

test('two processes together give a principal its rate and burst, and no more than an eighth beyond', async (t) => {
  const { clock, processes } = sharedFlow(settings, 2);
  const admitted: number[] = [];
  const sinceMs = clock.nowMs();
  for (const process of processes) flood(process, joe, 20, admitted, () => clock.nowMs(), sinceMs + 10_000);
  await clock.advance(10_000);
  const { burst, perSecond } = settings.user;
  const most = burst + 2 * startOf(burst, 2);
  for (const [index, atMs] of admitted.entries())
    t.true(index + 1 <= most + (perSecond * (atMs - sinceMs)) / 1000, `${index + 1} at ${atMs - sinceMs}`);
  t.true(admitted.length >= 0.98 * (burst + perSecond * 10), `${admitted.length} admitted`);
});

test('who reaches one process only gets the whole burst and the full rate of it', async (t) => {
  const { clock, processes } = sharedFlow(settings, 4);
  const [one] = processes;
  if (one === undefined) throw new Error('there is no process');
  const admitted: number[] = [];
  const sinceMs = clock.nowMs();
  flood(one, joe, 20, admitted, () => clock.nowMs(), sinceMs + 5_000);
  await clock.advance(5_000);
  const within = (ms: number): number => admitted.filter((atMs) => atMs - sinceMs <= ms).length;
  t.true(within(100) >= settings.user.burst, `${within(100)} in the first 100 ms`);
  t.true(admitted.length >= 0.99 * (settings.user.burst + settings.user.perSecond * 5), `${admitted.length} admitted`);
});

test('returned units are divided equally among the processes that want them', async (t) => {
  const { clock, processes } = sharedFlow({ ...settings, user: { perSecond: 30, burst: 20 } }, 3);
  const admitted = processes.map((): number[] => []);
  const untilMs = clock.nowMs() + 20_000;
  for (const [index, process] of processes.entries())
    flood(process, joe, index === 0 ? 40 : 5, admitted[index] ?? [], () => clock.nowMs(), untilMs);
  await clock.advance(20_000);
  const counts = admitted.map(({ length }) => length);
  t.true(Math.min(...counts) > 0.7 * Math.max(...counts), counts.join(', '));
});

/** As many as come back until an idle process would have to hear of it: what two processes tell is as far apart as it may be. */
const nearlyTold = [
  { process: 1, requests: 14, pauseMs: 0 },
  { process: 1, requests: 16, pauseMs: 2 },
  { process: 1, requests: 60, pauseMs: 4 },
  { process: 1, requests: 78, pauseMs: 0 },
];

test('whoever asks where and when: never more than burst, start and rate, and all processes tell the same of what is left', async (t) => {
  const step = fc.record({ process: fc.nat(2), requests: fc.integer({ min: 1, max: 300 }), pauseMs: fc.integer({ min: 0, max: 400 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, processes } = sharedFlow({ ...settings, waitMsMax: 1, requestsPerPrincipalMax: 400 }, 3);
      const { burst, perSecond } = settings.user;
      const most = burst + 3 * startOf(burst, 3);
      const sinceMs = clock.nowMs();
      let admitted = 0;
      const left = (seat: Seat): number => Number(/r=(\d+)/.exec(seat.headers?.['RateLimit'] ?? '')?.[1]);
      for (const { process, requests, pauseMs } of steps) {
        for (let index = 0; index < requests; index += 1) {
          void (async () => {
            const seat = await processes[process]?.ask(joe);
            admitted += 1;
            seat?.release();
          })().catch(() => undefined);
        }
        await clock.advance(pauseMs);
        const elapsedMs = clock.nowMs() - sinceMs;
        if (admitted > most + (perSecond * elapsedMs) / 1000) throw new Error(`${admitted} were admitted in ${elapsedMs} ms`);
      }
      await clock.advance(4 * reportEveryMs);
      const reported: number[] = [];
      for (const { ask } of processes) {
        const seat = ask(joe);
        if (seat instanceof Promise) return;
        reported.push(left(seat));
        seat.release();
      }
      const apart = Math.max(...reported) - Math.min(...reported);
      // Each that was asked just now has taken one, and what is left is told in whole units.
      if (apart > burst / 16 + processes.length + 1) throw new Error(`they told ${reported.join(', ')}`);
    }),
    { numRuns: 60, examples: [[nearlyTold]] },
  );
  t.pass();
});

test('requests cost no message each: an interval’s go together', async (t) => {
  const { clock, processes } = sharedFlow({ ...settings, user: { perSecond: 100_000, burst: 100_000 }, requestsPerPrincipalMax: 400 }, 2);
  const [one] = processes;
  let admitted = 0;
  for (let turn = 0; turn < 200; turn += 1) {
    for (let index = 0; index < 100; index += 1) {
      const seat = await one?.ask(joe);
      admitted += 1;
      seat?.release();
    }
    await clock.advance(5);
  }
  t.is(admitted, 20_000);
  t.true((one?.sent() ?? 0) <= 2 * (1000 / reportEveryMs), `${one?.sent()} messages`);
});

test('when nothing is asked for, nothing is sent and nobody looks at the time', async (t) => {
  const { clock, processes } = sharedFlow(settings, 2);
  for (const { ask } of processes) (await ask(joe)).release();
  await clock.advance(10 * reportEveryMs);
  const before = processes.map(({ sent }) => sent());
  await clock.advance(60_000);
  t.deepEqual(
    processes.map(({ sent }) => sent()),
    before,
  );
  t.is(clock.sleeping, 0);
});

test('requests of a principal that run at once are as many as may, in all processes together', async (t) => {
  const { clock, processes } = sharedFlow(settings, 2);
  const seats: Seat[][] = [[], []];
  for (const [index, { ask }] of processes.entries()) {
    for (let n = 0; n < 100; n += 1) void Promise.resolve(ask(joe)).then((seat) => seats[index]?.push(seat));
  }
  await clock.advance(1_000);
  const running = (): number => (seats[0]?.length ?? 0) + (seats[1]?.length ?? 0);
  t.true(running() <= settings.requestsPerPrincipalMax);
  t.true(running() >= settings.requestsPerPrincipalMax - 2, `${running()} run`);
  // Those of one end, and the other gets its share.
  while (seats[0]?.length) seats[0].pop()?.release();
  await clock.advance(500);
  t.true(running() <= settings.requestsPerPrincipalMax);
});

test('a process that holds all places comes down to its part when another wants some', async (t) => {
  const { clock, processes } = sharedFlow(settings, 2);
  const [one, other] = processes;
  const untilMs = clock.nowMs() + 5_000;
  let running = [0, 0];
  let most = 0;
  const keep = (process: FlowProcess | undefined, index: number, atOnce: number): void => {
    const again = async (): Promise<void> => {
      while (clock.nowMs() < untilMs) {
        const seat = await process?.ask(joe);
        running = running.map((count, at) => count + (at === index ? 1 : 0));
        most = Math.max(most, (running[0] ?? 0) + (running[1] ?? 0));
        await clock.sleep(100, new AbortController().signal);
        running = running.map((count, at) => count - (at === index ? 1 : 0));
        seat?.release();
      }
    };
    for (let n = 0; n < atOnce; n += 1) void again().catch(() => undefined);
  };
  keep(one, 0, 100);
  await clock.advance(1_000);
  t.true(
    (running[0] ?? 0) >= settings.requestsPerPrincipalMax - startOf(settings.requestsPerPrincipalMax, 2),
    `one alone runs ${running[0]}`,
  );
  keep(other, 1, 100);
  await clock.advance(1_000);
  t.true((running[1] ?? 0) >= 0.4 * settings.requestsPerPrincipalMax, `the other runs ${running[1]}`);
  t.true(most <= settings.requestsPerPrincipalMax, `${most} ran at once`);
});

test('whatever is opened, ended and killed wherever, there are never more places than there are, and none is lost', async (t) => {
  const step = fc.record({
    process: fc.nat(2),
    what: fc.constantFrom('ask', 'ask', 'stream', 'end', 'end', 'kill'),
    count: fc.integer({ min: 1, max: 40 }),
    pauseMs: fc.integer({ min: 0, max: 120 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
      const { clock, processes, start } = sharedFlow({ ...settings, user: settings.system }, 3);
      const now = [...processes];
      let held = now.map((): { readonly what: string; readonly seat: Seat }[] => []);
      const running = (what: string): number => held.flat().filter((each) => each.what === what).length;
      for (const { process, what, count, pauseMs } of steps) {
        const mine = held[process] ?? [];
        if (what === 'kill') {
          now[process]?.end();
          held = held.map((seats, index) => (index === process ? [] : seats));
          now[process] = start(`w${process + 1}`);
        } else if (what === 'end') for (const { seat } of mine.splice(0, count)) seat.release();
        else {
          const asking = now[process];
          for (let index = 0; index < count; index += 1) {
            const requested = (async () => asking?.ask(joe, { stream: what === 'stream' }))();
            const kept = (seat: Seat | undefined): void =>
              void (seat !== undefined && now[process] === asking && mine.push({ what, seat }));
            void requested.then(kept).catch(() => undefined);
          }
        }
        await clock.advance(pauseMs);
        if (running('ask') > settings.requestsPerPrincipalMax) throw new Error(`${running('ask')} requests run`);
        if (running('stream') > settings.streamsPerPrincipalMax) throw new Error(`${running('stream')} streams run`);
      }
      await clock.advance(settings.waitMsMax + 100);
      for (const { seat } of held.flat()) seat.release();
      await clock.advance(1_000);
      let opened = 0;
      for (let index = 0; index < settings.streamsPerPrincipalMax; index += 1)
        void (async () => now[index % 3]?.ask(joe, { stream: true }))()
          .then(() => (opened += 1))
          .catch(() => undefined);
      await clock.advance(1_000);
      if (opened < settings.streamsPerPrincipalMax) throw new Error(`only ${opened} streams can be opened in the end`);
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test('streams are exactly as many as may be, wherever they are asked for, and one more is refused', async (t) => {
  const { clock, processes } = sharedFlow(settings, 3);
  const open = async (process: FlowProcess | undefined): Promise<Seat> => {
    const requested = Promise.resolve(process?.ask(joe, { stream: true }) as Seat);
    requested.catch(() => undefined);
    await clock.advance(40);
    return requested;
  };
  const seats: Seat[] = [];
  for (let n = 0; n < settings.streamsPerPrincipalMax; n += 1) seats.push(await open(processes[n < 30 ? 0 : 1 + (n % 2)]));
  for (const process of processes)
    await t.throwsAsync(open(process), { code: 'TAP_FLOW_FULL', message: /joe has 40 streams running, at most 40/ });
  seats.pop()?.release();
  await clock.advance(2 * reportEveryMs);
  seats.push(await open(processes[2]));
  await t.throwsAsync(open(processes[0]), { code: 'TAP_FLOW_FULL' });
});

test('streams that are asked for while the answer to others is under way are let in like those', async (t) => {
  const { clock, processes } = sharedFlow(settings, 2);
  const [one] = processes;
  if (one === undefined) throw new Error('there is no process');
  const requested: Promise<string>[] = [];
  for (let index = 0; index < 10; index += 1) {
    requested.push(
      Promise.resolve(one.ask(joe, { stream: true })).then(
        () => 'let in',
        (error: Error) => error.message,
      ),
    );
    await clock.advance(1);
  }
  await clock.advance(1_000);
  t.deepEqual(new Set(await Promise.all(requested)), new Set(['let in']));
});

test('the share of a process that died is available to the others', async (t) => {
  const { clock, processes, start } = sharedFlow(settings, 2);
  const [one, other] = processes;
  const open = (process: FlowProcess | undefined): Promise<Seat> => Promise.resolve(process?.ask(joe, { stream: true }) as Seat);
  for (let n = 0; n < settings.streamsPerPrincipalMax; n += 1) {
    const opened = open(one);
    await clock.advance(20);
    await opened;
  }
  one?.end();
  const again = start('w1');
  for (let n = 0; n < settings.streamsPerPrincipalMax; n += 1) {
    const opened = open(n % 2 === 0 ? other : again);
    await clock.advance(200);
    await t.notThrowsAsync(opened, String(n));
  }
});

test('while whoever has the whole does not answer, each process goes on with its part, and nothing comes twice', async (t) => {
  const { clock, processes, cut, mend } = sharedFlow(settings, 2);
  const admitted: number[] = [];
  const sinceMs = clock.nowMs();
  for (const process of processes) flood(process, joe, 20, admitted, () => clock.nowMs(), sinceMs + 30_000);
  await clock.advance(5_000);
  cut();
  await clock.advance(2_000);
  const before = admitted.length;
  await clock.advance(5_000);
  const { burst, perSecond } = settings.user;
  const meanwhile = admitted.length - before;
  t.true(meanwhile >= 0.9 * perSecond * 5 && meanwhile <= 1.01 * perSecond * 5, `${meanwhile} in 5 s`);
  await mend();
  await clock.advance(18_000);
  const most = burst + 2 * startOf(burst, 2);
  for (const [index, atMs] of admitted.entries())
    t.true(index + 1 <= most + (perSecond * (atMs - sinceMs)) / 1000, `${index + 1} at ${atMs - sinceMs}`);
  t.true(admitted.length >= 0.93 * (burst + perSecond * 30), `${admitted.length} in 30 s`);
});

test('who asks for the first stream while whoever has the whole does not answer waits until that is known, and is let in', async (t) => {
  const { clock, processes, cut } = sharedFlow(settings, 2);
  cut();
  const requested = Promise.resolve(processes[0]?.ask(joe, { stream: true })).then(
    () => 'let in',
    (error: Error) => error.message,
  );
  await clock.advance(5_000);
  t.is(await requested, 'let in');
});

test('a user who floods all processes shuts out nobody of the same tenant in any of them', async (t) => {
  const few = { ...settings, tenant: { perSecond: 200, burst: 200 }, user: { perSecond: 150, burst: 150 }, queuedPerPrincipalMax: 40 };
  const { clock, processes } = sharedFlow(few, 2);
  const over = new AbortController();
  const work = async ({ ask }: FlowProcess, name: string): Promise<void> => {
    const seat = await ask({ name, groups: [], tenant: 'acme' });
    await clock.sleep(2, never);
    seat.release();
  };
  let flooded = 0;
  const flood = async (process: FlowProcess): Promise<void> => {
    while (!over.signal.aborted) {
      await work(process, 'ann').then(
        () => (flooded += 1),
        () => clock.sleep(20, never),
      );
    }
  };
  for (const process of processes) for (let index = 0; index < 60; index += 1) void flood(process);
  await clock.advance(3000);
  const reported = { served: 0, refused: 0 };
  const ask = async (process: FlowProcess): Promise<void> => {
    for (let index = 0; index < 30; index += 1) {
      await work(process, 'bob').then(
        () => (reported.served += 1),
        () => (reported.refused += 1),
      );
      await clock.sleep(100, never);
    }
  };
  for (const process of processes) void ask(process);
  for (let step = 0; step < 100 && reported.served + reported.refused < 60; step += 1) await clock.advance(200);
  over.abort();
  await clock.advance(2000);
  t.deepEqual(reported, { served: 60, refused: 0 });
  t.true(flooded > 300, `${flooded} of the other`);
});

test('a tenant’s changed rate holds for all processes, and its users take from one tenant', async (t) => {
  const { clock, processes } = sharedFlow({ ...settings, tenant: { perSecond: 50, burst: 64 } }, 2);
  const admitted: number[] = [];
  const sinceMs = clock.nowMs();
  for (const [index, process] of processes.entries()) {
    const user = { name: `u${index}`, groups: [], tenant: 'acme' };
    flood(process, user, 10, admitted, () => clock.nowMs(), sinceMs + 10_000);
  }
  await clock.advance(10_000);
  t.true(admitted.length <= 64 + 2 * startOf(64, 2) + 500, `${admitted.length}`);
  t.true(admitted.length >= 0.95 * (64 + 500), `${admitted.length}`);
});

test('shares and accounts are bounded: those that nobody uses go first', (t) => {
  const { processes, clock } = sharedFlow(settings, 1);
  const ledger = new ShareLedger({ clock: new VirtualClock(), sendGrants: () => undefined });
  ledger.join('w1');
  const [one] = processes;
  const rate = { perSecond: 10, burst: 80 };
  const used = one?.book.rate('used', rate, clock.nowMs());
  used?.take();
  for (let n = 0; n < sharesMax + 10; n += 1) one?.book.rate(`k${n}`, rate, clock.nowMs());
  t.true((one?.book.size ?? 0) <= sharesMax);
  t.false(used?.isForgotten);
  const limit = { max: 80, perSecond: 10, start: 10, atMs: 0 };
  const report = (key: string, taken: number) => ledger.report('w1', [{ key, limit, isNew: true, taken, given: 0, wanted: 0 }]);
  for (let n = 0; n < accountsMax + 10; n += 1) report(`a${n}`, 1);
  t.true(ledger.size <= accountsMax);
});
