/** What lasts does not last longer because the machine's clock is set back by an hour. */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Identity } from '@tappaas/sdk';
import test from 'ava';
import { ConnectionMemory } from '../dist/api/connection/connection-memory.js';
import { createFlow } from '../dist/flow/flow.js';
import type { FlowSettings } from '../dist/flow/flow-settings.js';
import { CredentialCache } from '../dist/identity/credential-cache.js';
import { Breaker } from '../dist/kernel/guard/breaker.js';
import { TimerWheel, type WheelEntry } from '../dist/kernel/guard/timer-wheel.js';
import { steadyClock } from '../dist/kernel/steady-clock.js';
import { createWorkQueue } from '../dist/queue/work-queue.js';
import { settled, VirtualClock } from './virtual-clock.ts';

const hourMs = 3_600_000;
const never = new AbortController().signal;
const joe: Identity = { caller: { name: 'joe', groups: [] }, credentialId: 'token:joe' };

/** Sets the clock back; shortly before, some other part of the process has read it, as in a platform at work. */
function setBack(clock: VirtualClock): void {
  steadyClock(clock).nowMs();
  clock.setBack(hourMs);
}

test('a steady clock runs with its clock, goes on from where it was when that is set back, and is one for all', async (t) => {
  const clock = new VirtualClock();
  const steady = steadyClock(clock);
  t.is(steadyClock(clock), steady);
  const startMs = clock.nowMs();
  await clock.advance(500);
  t.is(steady.nowMs() - startMs, 500);
  clock.setBack(hourMs);
  t.is(steady.nowMs() - startMs, 500);
  await clock.advance(500);
  t.is(steady.nowMs() - startMs, 1000);
  clock.setBack(hourMs);
  clock.setBack(hourMs);
  await clock.advance(2 * hourMs);
  t.is(steady.nowMs() - startMs, 1000, 'what passes before somebody looks cannot be known');
});

test('who has slept for as long as it wanted finds that the time is over, also if the clock was set back meanwhile', async (t) => {
  const clock = new VirtualClock();
  const steady = steadyClock(clock);
  const startMs = steady.nowMs();
  const over = steady.sleep(10_000, never).then(() => steady.nowMs() - startMs);
  await settled();
  await clock.advance(4000);
  clock.setBack(hourMs);
  await clock.advance(6000);
  t.is(await over, 10_000);
  const ended = new AbortController();
  const sleeping = steady.sleep(10_000, ended.signal);
  ended.abort('enough');
  t.is(await sleeping.catch((reason: unknown) => reason), 'enough');
});

test('a call has its limit, whether it began before the clock was set back or after', async (t) => {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const expired: string[] = [];
  const enter = (name: string, delayMs: number): void => {
    const entry: WheelEntry = { dueTick: -1, previous: undefined, next: undefined, expire: () => expired.push(name) };
    wheel.insert(entry, delayMs);
  };
  enter('before', 1000);
  await clock.advance(500);
  setBack(clock);
  enter('after', 300);
  await clock.advance(290);
  t.deepEqual(expired, []);
  await clock.advance(20);
  t.deepEqual(expired, ['after']);
  await clock.advance(520);
  t.deepEqual(expired, ['after', 'before']);
  enter('again', 100);
  await clock.advance(110);
  t.is(expired.at(-1), 'again');
});

test('the allowance of a principal refills at its rate', async (t) => {
  const clock = new VirtualClock();
  const settings: FlowSettings = {
    tenant: { perSecond: 10, burst: 20 },
    user: { perSecond: 10, burst: 2 },
    system: { perSecond: 10, burst: 2 },
    requestsMax: 10,
    requestsPerPrincipalMax: 10,
    heavyRequestsMax: 1,
    queuedMax: 10,
    queuedPerPrincipalMax: 10,
    waitMsMax: 1000,
    streamsMax: 1,
    streamsPerPrincipalMax: 1,
  };
  const flow = createFlow({ settings, clock });
  const ask = () => flow({ caller: joe.caller, stream: false, signal: never });
  for (let index = 0; index < 2; index += 1) (await ask()).release();
  setBack(clock);
  const waiting = Promise.resolve(ask());
  waiting.catch(() => undefined);
  await clock.advance(200);
  (await waiting).release();
  await clock.advance(200);
  t.false(ask() instanceof Promise);
});

test('a key that waits for its next attempt comes when it would have come', async (t) => {
  const clock = new VirtualClock();
  const queue = createWorkQueue<string>({ clock, random: () => 0, backoff: { baseMs: 10, maxMs: 1000, jitter: 0.5 } });
  queue.addAfter('before', 1000);
  await clock.advance(500);
  setBack(clock);
  queue.addAfter('after', 100);
  await clock.advance(100);
  t.is(queue.take(), 'after');
  await clock.advance(400);
  t.is(queue.take(), 'before');
});

test('a plugin that was cut off is tried again after a minute', async (t) => {
  const clock = new VirtualClock();
  const breaker = new Breaker(clock, () => undefined);
  for (let index = 0; index < 5; index += 1) breaker.failed();
  t.false(breaker.admits());
  setBack(clock);
  t.false(breaker.admits());
  await clock.advance(60_000);
  t.true(breaker.admits());
});

test('a credential that was cached before the clock was set back is verified again', async (t) => {
  const clock = new VirtualClock();
  const cache = new CredentialCache(clock);
  let verified = 0;
  const ask = () => cache.ask('key', () => ((verified += 1), joe));
  t.is(ask(), joe);
  t.is(ask(), joe);
  t.is(verified, 1);
  setBack(clock);
  t.is(ask(), joe);
  t.is(verified, 2);
  const memory = new ConnectionMemory(clock);
  const request = { method: 'GET', socket: new Socket(), rawHeaders: ['authorization', 'Bearer x'] } as unknown as IncomingMessage;
  memory.keep(request, joe, clock.nowMs());
  t.is(memory.recall(request, clock.nowMs()), joe);
  setBack(clock);
  t.is(memory.recall(request, clock.nowMs()), undefined);
});
