import test from 'ava';
import { createState } from '../../dist/kernel/lifecycle/instance-state.js';
import { memoryState } from '../../dist/kernel/lifecycle/shared-state.js';
import { stateBytesMax, stateKeysMax, stateValueBytesMax } from '../../dist/kernel/lifecycle/state-cache.js';
import { VirtualClock } from '../virtual-clock.ts';
import { rejection } from './fixture.ts';

test("state lasts its time on the platform's clock, is apart for each instance, and is bounded", async (t) => {
  const clock = new VirtualClock();
  const shared = memoryState(clock);
  const [mine, yours] = [createState('mine', clock, shared), createState('yours', clock, shared)];
  const options = { ttlMs: 1000, scope: 'replica' } as const;
  await mine.set('key', { deep: [1] }, options);
  t.deepEqual(await mine.get('key'), { deep: [1] });
  t.is(await yours.get('key'), undefined);
  await clock.advance(1000);
  t.is(await mine.get('key'), undefined);
  await mine.set('key', 1, options);
  await mine.delete('key');
  t.is(await mine.get('key'), undefined);
  await mine.set('edge', 'x'.repeat(stateValueBytesMax - 2), options);
  const tooLarge = await rejection(mine.set('over', 'x'.repeat(stateValueBytesMax - 1), options));
  t.is(tooLarge.code, 'TAP_STATE_TOO_LARGE');
  t.is((await rejection(mine.set('none', undefined, options))).message, 'the state "none" of plugin mine is not a JSON value');
  for (let n = 0; n < stateKeysMax + 5; n += 1) await yours.set(`k${n}`, n, options);
  t.is(await yours.get('k4'), undefined, 'the oldest go');
  t.is(await yours.get('k5'), 5);
  t.is(await yours.get(`k${stateKeysMax + 4}`), stateKeysMax + 4);
});

const replica = { ttlMs: 1000, scope: 'replica' } as const;
const platform = { ttlMs: 1000, scope: 'platform' } as const;

/** The same instance in two processes. */
function twoProcesses() {
  const clock = new VirtualClock();
  const shared = memoryState(clock);
  return { clock, shared, here: createState('mine', clock, shared), there: createState('mine', clock, shared) };
}

test('what is kept for the platform is seen by all processes, what is kept for a replica by it alone', async (t) => {
  const { clock, shared, here, there } = twoProcesses();
  await here.set('seen', 1, platform);
  await here.set('own', 1, replica);
  t.deepEqual([await there.get('seen'), await there.get('own')], [1, undefined]);
  t.is(await createState('yours', clock, shared).get('seen'), undefined);
  await there.delete('seen');
  t.is(await here.get('seen'), undefined);
  await here.set('seen', 2, platform);
  t.is(await createState('mine', clock, shared).get('seen'), 2, 'also by an instance that was started again');
  await clock.advance(1000);
  t.is(await there.get('seen'), undefined);
});

test('a key is of the scope that it was last set in', async (t) => {
  const { here, there } = twoProcesses();
  await here.set('key', 'for all', platform);
  await here.set('key', 'for one', replica);
  t.deepEqual([await here.get('key'), await there.get('key')], ['for one', 'for all']);
  await here.set('key', 'for all again', platform);
  t.deepEqual([await here.get('key'), await there.get('key')], ['for all again', 'for all again']);
});

test('operations of several processes on a key are done one after the other, each as a whole', async (t) => {
  const { clock, shared, here, there } = twoProcesses();
  await here.set('key', 'old', platform);
  await clock.advance(1000);
  // Whoever finds that it has expired forgets the old value, not the one that is being set.
  const [found] = await Promise.all([shared.get('mine', 'key'), there.set('key', 'new', platform)]);
  t.is(found, undefined);
  t.is(await here.get('key'), 'new');
  await Promise.all([here.set('key', 1, platform), there.delete('key'), here.set('key', 2, platform), there.get('key')]);
  t.is(await there.get('key'), 2);
});

test('all values of an instance together are bounded, and the oldest go', async (t) => {
  const { here, there } = twoProcesses();
  const value = 'x'.repeat(stateValueBytesMax - 2);
  const fit = stateBytesMax / stateValueBytesMax;
  for (let n = 0; n < fit; n += 1) await here.set(`k${n}`, value, platform);
  t.is(await there.get('k0'), value);
  await here.set('one more', value, platform);
  t.is(await there.get('k0'), undefined);
  t.is(await there.get('k1'), value);
});
