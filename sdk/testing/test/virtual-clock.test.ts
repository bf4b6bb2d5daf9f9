import test from 'ava';
import { VirtualClock } from '@tappaas/testing';

const never = () => new AbortController().signal;

test('sleepers wake in the order of their times, each at its time', async (t) => {
  const clock = new VirtualClock(0);
  const woken: [string, number][] = [];
  for (const [name, ms] of [['late', 30] as const, ['soon', 10] as const, ['never', 1_000] as const]) {
    void clock.sleep(ms, never()).then(() => woken.push([name, clock.nowMs()]));
  }
  await clock.advance(100);
  t.deepEqual(woken, [
    ['soon', 10],
    ['late', 30],
  ]);
  t.is(clock.nowMs(), 100);
});

test('whoever sleeps again in the time that passes wakes again in it', async (t) => {
  const clock = new VirtualClock(0);
  let rounds = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(10, never());
      rounds += 1;
    }
  })();
  await clock.advance(100);
  t.is(rounds, 10);
});

test('an aborted sleep ends with the reason, at once or later', async (t) => {
  const clock = new VirtualClock(0);
  const abort = new AbortController();
  const sleep = clock.sleep(10, abort.signal);
  abort.abort(new Error('enough'));
  await t.throwsAsync(sleep, { message: 'enough' });
  await t.throwsAsync(clock.sleep(10, abort.signal), { message: 'enough' });
  await clock.advance(20);
  t.is(clock.nowMs(), 20);
});
