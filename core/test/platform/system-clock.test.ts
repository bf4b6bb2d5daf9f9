import test from 'ava';
import { systemClock } from '../../dist/platform/system-clock.js';

const never = new AbortController().signal;

test('a sleep that is ended early rejects with the reason, as the contract of clocks says', async (t) => {
  const over = new AbortController();
  const sleeping = systemClock.sleep(60_000, over.signal);
  over.abort('enough');
  t.is(await sleeping.catch((reason: unknown) => reason), 'enough');
  t.is(await systemClock.sleep(0, over.signal).catch((reason: unknown) => reason), 'enough');
});

test('a sleep lasts, however long a timer can be', async (t) => {
  const startMs = performance.now();
  await systemClock.sleep(20, never);
  t.true(performance.now() - startMs >= 19);
  const over = new AbortController();
  const long = systemClock.sleep(Number.MAX_SAFE_INTEGER, over.signal);
  t.is(await Promise.race([long, systemClock.sleep(30, never).then(() => 'it sleeps')]), 'it sleeps');
  over.abort('enough');
  await t.throwsAsync(long, { any: true });
});

test('a signal that outlives many sleeps keeps nothing of them', async (t) => {
  const warnings: Error[] = [];
  const received = (warning: Error): void => void warnings.push(warning);
  process.on('warning', received);
  for (let index = 0; index < 50; index += 1) await systemClock.sleep(0, never);
  process.off('warning', received);
  t.deepEqual(warnings, []);
});
