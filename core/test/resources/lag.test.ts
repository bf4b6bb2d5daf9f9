import test from 'ava';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { settled, VirtualClock } from '../virtual-clock.ts';
import { configMap, configMaps, never, objectOf, startEngine, widget, widgets } from './engine-fixture.ts';
import { laggingStore } from './lagging-store.ts';

async function lagging() {
  const clock = new VirtualClock();
  const lag = laggingStore(createMemoryStore({ clock }));
  return { ...lag, ...(await startEngine({ store: lag.store, clock })) };
}

/** Runs something that may have to wait for the caches, lets it try, and then lets the caches go on. */
async function meanwhile<T>(release: () => void, doing: Promise<T>): Promise<T> {
  doing.catch(() => {});
  await settled();
  release();
  return doing;
}

test('a change back to what a lagging cache still shows is a change', async (t) => {
  const { create, patch, get, hold, release } = await lagging();
  await create(widgets, widget('a', { color: 'red' }));
  await get(widgets, 'default/a');
  hold();
  await patch(widgets, 'default/a', { spec: { color: 'blue' } });
  const back = await meanwhile(release, patch(widgets, 'default/a', { spec: { color: 'red' } }));
  t.is(back.outcome, 'updated');
  t.is((await get(widgets, 'default/a')).spec.color, 'red');
});

test('a writer that names the newest state is not told that it is another one', async (t) => {
  const { create, patch, update, get, hold, release, remove } = await lagging();
  await create(widgets, widget('a'));
  await get(widgets, 'default/a');
  hold();
  const patched = await patch(widgets, 'default/a', { spec: { size: 2 } });
  const object = objectOf(patched);
  const updated = await meanwhile(release, update(widgets, { ...object, spec: { size: 3 } }));
  t.is(updated.outcome, 'updated');
  hold();
  const { resourceVersion } = objectOf(await patch(widgets, 'default/a', { spec: { size: 4 } })).metadata;
  t.is((await meanwhile(release, remove(widgets, 'default/a', { preconditions: { resourceVersion } }))).outcome, 'deleted');
});

test('an object that was just created is found, and one that was just deleted is not', async (t) => {
  const { create, patch, remove, hold, release, get } = await lagging();
  hold();
  await create(configMaps, configMap('a'));
  t.is((await meanwhile(release, patch(configMaps, 'default/a', { data: { x: '1' } }))).outcome, 'updated');
  await get(configMaps, 'default/a');
  hold();
  await meanwhile(release, remove(configMaps, 'default/a'));
  await get(configMaps, 'default/a').catch(() => {});
  await create(configMaps, configMap('a'));
  await get(configMaps, 'default/a');
  hold();
  const removed = remove(configMaps, 'default/a');
  await meanwhile(release, removed);
  hold();
  const again = await create(configMaps, configMap('a'));
  release();
  t.is(again.outcome, 'created', 'a create does not ask a lagging cache');
});

test('a namespace that was just made takes objects, and one that just began to end does not', async (t) => {
  const { create, remove, hold, release, names } = await lagging();
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
  hold();
  await create(namespaces, { metadata: { name: 'n' } });
  t.is((await meanwhile(release, create(configMaps, configMap('a', {}, { namespace: 'n' })))).outcome, 'created');
  await names(namespaces);
  hold();
  await meanwhile(release, remove(namespaces, 'n'));
  const late = create(configMaps, configMap('b', {}, { namespace: 'n' }));
  await t.throwsAsync(meanwhile(release, late), { code: 'TAP_OBJECT_FORBIDDEN' });
});

test('nothing is born in a namespace that another replica has emptied and removed meanwhile', async (t) => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
  const one = await startEngine({ store, clock });
  const lag = laggingStore(store);
  const other = await startEngine({ store: lag.store, clock });
  await one.create(namespaces, { metadata: { name: 'n' } });
  t.true((await other.names(namespaces)).includes('n'));
  lag.hold();
  const stop = new AbortController();
  const collecting = one.engine.collectGarbage({
    createQueue: ({ onRoom }) => createWorkQueue<string>({ clock, random: () => 0, backoff: { baseMs: 10, maxMs: 10, jitter: 0 }, onRoom }),
    signal: stop.signal,
  });
  await one.remove(namespaces, 'n');
  for (let turn = 0; turn < 5; turn += 1) await clock.advance(100);
  t.false((await one.names(namespaces)).includes('n'));
  const late = other.create(configMaps, configMap('a', {}, { namespace: 'n' }));
  await t.throwsAsync(meanwhile(lag.release, late), { code: 'TAP_OBJECT_NOT_FOUND' });
  t.deepEqual(await one.names(configMaps), []);
  stop.abort();
  await collecting;
});

test('a read waits for what was acknowledged before it, and one of version 0 does not', async (t) => {
  const { create, engine, hold, release } = await lagging();
  hold();
  await create(widgets, widget('a'));
  const list = async (resourceVersion?: string) =>
    engine.list({ target: { kind: widgets }, signal: never, ...(resourceVersion !== undefined && { resourceVersion }) });
  t.is((await list('0')).items.length, 0);
  t.is((await meanwhile(release, list())).items.length, 1);
});

test('a reader that has no more time is let go with its reason', async (t) => {
  const { create, engine, hold } = await lagging();
  hold();
  await create(widgets, widget('a'));
  const late = new AbortController();
  const list = Promise.resolve(engine.list({ target: { kind: widgets }, signal: late.signal }));
  late.abort(new Error('no more time'));
  await t.throwsAsync(list, { message: 'no more time' });
});
