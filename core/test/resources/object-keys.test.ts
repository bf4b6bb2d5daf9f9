import test from 'ava';
import { objectKeysMax } from '../../dist/resources/object-keys.js';
import { textOf } from '../../dist/resources/object-text.js';
import { toStore } from '../../dist/resources/stored-object.js';
import { labelsMax } from '../../dist/resources/schema/metadata-rules.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { VirtualClock } from '../virtual-clock.ts';
import { configMap, configMaps, startEngine, type Fixture } from './engine-fixture.ts';

const entries = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

test('an object has so many keys and no more, whether it is created so or grows by patches', async (t) => {
  const { create, patch } = await startEngine();
  await t.throwsAsync(create(configMaps, configMap('a', entries(objectKeysMax))), {
    code: 'TAP_REQUEST_TOO_LARGE',
    message: /configmaps "a": the object has \d+ keys, at most 20000 are taken/,
  });
  await create(configMaps, configMap('a', entries(objectKeysMax - 1000)));
  const more = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`m${index}`, 'v']));
  await t.throwsAsync(patch(configMaps, 'default/a', { data: more }), { code: 'TAP_REQUEST_TOO_LARGE' });
});

test('an object has so many labels and no more', async (t) => {
  const { create } = await startEngine();
  await create(configMaps, configMap('a', {}, { labels: entries(labelsMax) }));
  await t.throwsAsync(create(configMaps, configMap('b', {}, { labels: entries(labelsMax + 1) })), {
    code: 'TAP_OBJECT_INVALID',
    message: /metadata\.labels.*must have at most 128 entries/,
  });
});

test('what was stored with more keys and labels can still be changed, if it does not get more', async (t) => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const metadata = { uid: 'u', creationTimestamp: '2027-01-15T08:00:00Z', labels: entries(labelsMax + 1) };
  const object = configMap('old', entries(objectKeysMax + 1), metadata) as Parameters<typeof textOf>[0];
  const key = '/registry/platform/core/configmaps/default/old';
  await store.transact({ changes: [{ put: key, value: toStore(textOf(object), { claims: [], attribution: [] }) }] });
  const { patch }: Fixture = await startEngine({ store, clock });
  await t.notThrowsAsync(patch(configMaps, 'default/old', { data: { k0: 'other' } }));
  await t.throwsAsync(patch(configMaps, 'default/old', { data: { new: '' } }), { code: 'TAP_REQUEST_TOO_LARGE' });
  await t.throwsAsync(patch(configMaps, 'default/old', { data: { k1: null, k2: null }, metadata: { labels: { new: '' } } }), {
    code: 'TAP_OBJECT_INVALID',
  });
});

test('who asks for a write is told how many keys the object has, before the taps are asked and once a try', async (t) => {
  const { create, patch } = await startEngine();
  const weighed: number[] = [];
  const weigh = async (keys: number): Promise<void> => void weighed.push(keys);
  await create(configMaps, configMap('a', entries(100)), { weigh });
  await patch(configMaps, 'default/a', { data: { k0: 'other' } }, { weigh });
  t.true((weighed[0] ?? 0) > 100 && (weighed[0] ?? 0) < 112, String(weighed));
  t.is(weighed[1], weighed[0], 'a small patch of a large object costs what the object does, and managed fields nothing');
  const refusal = new Error('no');
  await t.throwsAsync(create(configMaps, configMap('b'), { weigh: () => Promise.reject(refusal) }), { is: refusal });
});
