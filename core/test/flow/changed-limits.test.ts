import test from 'ava';
import * as fc from 'fast-check';
import { defaultFlowSettings } from '../../dist/flow/flow-settings.js';
import type { Seat } from '../../dist/flow/priority-level.js';
import { startOf } from '../../dist/flow/shares/protocol.js';
import { reportEveryMs } from '../../dist/flow/shares/share-book.js';
import type { Rate } from '../../dist/flow/token-bucket.js';
import type { VirtualClock } from '../virtual-clock.ts';
import { sharedFlow, type FlowProcess } from './shared-flow.ts';

const ann = { name: 'ann', groups: [], tenant: 'acme' };
const low: Rate = { perSecond: 5, burst: 10 };

/** Two processes, and one tenant whose limit is changed while they run. */
function acme(before: Rate) {
  let rate = before;
  const shared = sharedFlow(defaultFlowSettings, 2, () => rate);
  return { ...shared, limit: (after: Rate) => void (rate = after) };
}

/** So many requests one after the other, each until it is answered or refused; how many were served. */
async function inSequence(clock: VirtualClock, process: FlowProcess | undefined, requests: number): Promise<number> {
  let served = 0;
  const serve = (seat: Seat | undefined): void => {
    seat?.release();
    served += 1;
  };
  for (let n = 0; n < requests; n += 1) {
    const requested = process?.ask(ann);
    if (!(requested instanceof Promise)) {
      serve(requested);
      continue;
    }
    const answer = { isHere: false };
    void requested.then(serve, () => undefined).finally(() => (answer.isHere = true));
    while (!answer.isHere) await clock.advance(1);
  }
  return served;
}

test('a lowered limit holds at once: what was granted under the old one is not served', async (t) => {
  const { clock, processes, limit } = acme(defaultFlowSettings.tenant);
  for (const process of processes) t.is(await inSequence(clock, process, 40), 40);
  limit(low);
  await clock.advance(10_000);
  const sinceMs = clock.nowMs();
  let served = 0;
  for (const process of processes) served += await inSequence(clock, process, 40);
  const most = low.burst + 2 * startOf(low.burst, 2) + ((clock.nowMs() - sinceMs) / 1000) * low.perSecond;
  t.true(served <= most, `${served} served, at most ${most} in ${clock.nowMs() - sinceMs} ms`);
});

test('a process gets the whole of a lowered limit, whatever others had of the old one and have not used', async (t) => {
  const { clock, processes, limit } = acme(defaultFlowSettings.tenant);
  const [one, other] = processes;
  t.is(await inSequence(clock, other, 1), 1);
  await clock.advance(10 * reportEveryMs);
  limit(low);
  await clock.advance(10_000);
  t.is(await inSequence(clock, one, 60), 60);
});

test('a process that is asked no more keeps nothing that others wait for', async (t) => {
  const { clock, processes } = acme({ perSecond: 5, burst: 2 });
  const [one, other] = processes;
  t.is(await inSequence(clock, other, 5), 5);
  t.is(await inSequence(clock, one, 20), 20);
});

test('a slightly lowered limit takes nothing of what was saved up', async (t) => {
  const { clock, processes, limit } = acme({ perSecond: 1, burst: 400 });
  const [one] = processes;
  t.is(await inSequence(clock, one, 50), 50);
  limit({ perSecond: 1, burst: 390 });
  await clock.advance(1_000);
  const sinceMs = clock.nowMs();
  t.is(await inSequence(clock, one, 330), 330);
  t.true(clock.nowMs() - sinceMs < 1_000, `${clock.nowMs() - sinceMs} ms`);
});

test('a raised limit lets through what it promises', async (t) => {
  const { clock, processes, limit } = acme(low);
  const [one] = processes;
  t.is(await inSequence(clock, one, 10), 10);
  limit({ perSecond: 1000, burst: 2000 });
  await clock.advance(3_000);
  const sinceMs = clock.nowMs();
  t.is(await inSequence(clock, one, 900), 900);
  t.true(clock.nowMs() - sinceMs < 1_000, `${clock.nowMs() - sinceMs} ms`);
});

const limits: readonly Rate[] = [
  { perSecond: 1, burst: 1 },
  { perSecond: 2, burst: 3 },
  low,
  { perSecond: 50, burst: 40 },
  defaultFlowSettings.tenant,
];

test('whatever was asked where and however the limit changed, in the end one process alone gets exactly what the limit says', async (t) => {
  const step = fc.record({
    process: fc.nat(1),
    requests: fc.integer({ min: 0, max: 60 }),
    limit: fc.constantFrom(...limits),
    pauseMs: fc.constantFrom(1, 3, 30, 400, 1_500),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.constantFrom(...limits.slice(0, -1)), fc.nat(1), async (steps, last, which) => {
      const { clock, processes, limit } = acme(defaultFlowSettings.tenant);
      for (const { process, requests, limit: next, pauseMs } of steps) {
        for (let n = 0; n < requests; n += 1) void (async () => (await processes[process]?.ask(ann))?.release())().catch(() => undefined);
        limit(next);
        await clock.advance(pauseMs);
      }
      limit(last);
      await clock.advance(defaultFlowSettings.waitMsMax + 1_000);
      // Whoever waited has gone. A change is heard of with a request; after a while of it the burst is full.
      await inSequence(clock, processes[which], 1);
      await clock.advance(20_000);
      const sinceMs = clock.nowMs();
      const requested = last.burst + 4;
      const served = await inSequence(clock, processes[which], requested);
      if (served < requested) throw new Error(`${served} of ${requested} served`);
      const tookMs = clock.nowMs() - sinceMs;
      const leastMs = ((requested - last.burst - 2 * startOf(last.burst, 2)) * 1000) / last.perSecond;
      if (tookMs < leastMs - 50) throw new Error(`${requested} were served in ${tookMs} ms, at least ${leastMs} are due`);
      const mostMs = (4 * 1000) / last.perSecond + 200;
      if (tookMs > mostMs) throw new Error(`${requested} took ${tookMs} ms, at most ${mostMs} are due`);
    }),
    { numRuns: 60 },
  );
  t.pass();
});
