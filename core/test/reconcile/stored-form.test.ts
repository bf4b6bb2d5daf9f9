import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { createInformer } from '../../dist/reconcile/informer.js';
import { keepElsewhere, keepPacked, keepWhole } from '../../dist/reconcile/stored-form.js';
import { withoutManagedFields } from '../../dist/reconcile/projection.js';
import { FakeSource, type Thing } from './fake-source.ts';

const clock = { nowMs: () => Date.now(), sleep: () => new Promise<void>(() => {}) };
const thing = (): Thing => ({
  metadata: { name: 'a', uid: 'u', resourceVersion: '1', managedFields: [{ manager: 'm' }] },
  spec: { size: 1 },
});
const projected = { metadata: { name: 'a', uid: 'u', resourceVersion: '1' }, spec: { size: 1 } };

for (const [name, keep] of Object.entries({
  whole: keepWhole<Thing>,
  packed: keepPacked<Thing>(),
  elsewhere: keepElsewhere((object: Thing) => ({ object, lean: withoutManagedFields(object) })),
})) {
  test(`an object that is kept ${name} is read frozen, without what is projected away`, (t) => {
    const { object } = keep(thing(), withoutManagedFields);
    t.deepEqual(object, projected);
    t.true(Object.isFrozen(object) && Object.isFrozen(object.metadata) && Object.isFrozen(object.spec));
  });

  test(`an informer that keeps its objects ${name} finds them by key and by index, before and after a change`, async (t) => {
    const source = new FakeSource();
    source.put('a', { spec: { size: 1 } });
    const stop = new AbortController();
    const indexers = { size: ({ spec }: { readonly spec?: { readonly size: number } }) => [String(spec?.size)] };
    const informer = createInformer<Thing>({ name: 'things', source, clock, random: () => 0, backoff: () => 0, keep, indexers });
    const running = informer.run(stop.signal);
    await informer.synced(stop.signal);
    t.deepEqual(
      informer.byIndex('size', '1').map(({ metadata }) => metadata.name),
      ['a'],
    );
    const { metadata } = source.put('a', { spec: { size: 2 } });
    source.put('b', { spec: { size: 2 } });
    source.delete('b');
    source.bookmark();
    await informer.waitFor(source.now, stop.signal);
    t.is(informer.get('a')?.metadata.resourceVersion, metadata.resourceVersion);
    t.deepEqual([informer.byIndex('size', '1').length, informer.byIndex('size', '2').length], [0, 1]);
    stop.abort();
    await running;
  });
}

test('what is kept packed does not keep its object in memory, and makes it anew', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept = keepPacked<Thing>()(thing(), withoutManagedFields);
  const seen = new WeakRef(kept.object);
  await new Promise((later) => setImmediate(later));
  collect();
  t.is(seen.deref(), undefined);
  t.deepEqual(kept.object, projected);
});

test('managed fields of what is kept packed are kept as they are told, and read again with the object', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const reported: string[] = [];
  const keep = keepPacked<Thing>((text) => {
    reported.push(text);
    return { toString: () => text.replace('m', 'n') };
  });
  const kept = keep(thing(), (object) => object);
  await new Promise((later) => setImmediate(later));
  collect();
  t.deepEqual(reported, ['[{"manager":"m"}]']);
  t.deepEqual(kept.object, { ...thing(), metadata: { ...thing().metadata, managedFields: [{ nanager: 'm' }] } } as unknown as Thing);
  t.true(Object.isFrozen(kept.object.metadata));
});
