import test from 'ava';
import { installationLabel, ownerLabel } from '../../dist/reconcile/inventory.js';
import { refOf } from '../../dist/reconcile/object-ref.js';
import { ownership, configMap, deployment, setUp } from './apply-set-fixture.ts';

test('fields and list items that others own are not touched, and cause no write', async (t) => {
  const { cluster, run } = setUp();
  await run([deployment('web')]);
  cluster.edit(refOf(deployment('web')), (object) => {
    object.metadata.annotations = { note: 'by hand' };
    object['status'] = { readyReplicas: 2 };
    const { template } = object['spec'] as { template: { spec: { containers: object[] } } };
    template.spec.containers.push({ name: 'injected', image: 'mesh' });
  });
  cluster.writes.length = 0;
  const result = await run([deployment('web')]);
  t.is(result.skipped, 1);
  t.deepEqual(cluster.writes, []);
});

test('only what the inventory names is pruned, whatever labels other objects carry', async (t) => {
  const { cluster, run } = setUp();
  const labels = { [installationLabel]: 'inst-1', [ownerLabel]: 'app-1' };
  cluster.put({ ...configMap('stray'), metadata: { name: 'stray', namespace: 'shop', labels } });
  await run([]);
  t.deepEqual(cluster.names, ['ConfigMap shop/stray']);
});

test('a successor of the same name is not pruned', async (t) => {
  const { cluster, state, run } = setUp();
  await run([configMap('a')]);
  await cluster.delete(refOf(configMap('a')), { uid: cluster.at(refOf(configMap('a')))?.metadata.uid ?? '' });
  cluster.put(configMap('a'));
  cluster.writes.length = 0;
  const result = await run([]);
  t.deepEqual(cluster.writes, []);
  t.deepEqual(cluster.names, ['ConfigMap shop/a']);
  t.true(result.isComplete);
  t.deepEqual(state.inventory, []);
});

test('a successor that comes between reading and deleting is not deleted either', async (t) => {
  const { cluster, state, run } = setUp();
  await run([configMap('a')]);
  cluster.beforeWrite = () => {
    cluster.beforeWrite = () => {};
    cluster.put({ ...configMap('a'), metadata: { ...configMap('a').metadata, uid: 'successor' } });
  };
  const result = await run([]);
  t.is(cluster.at(refOf(configMap('a')))?.metadata.uid, 'successor');
  t.true(result.isComplete);
  t.deepEqual(state.inventory, []);
});

test('an object that somebody else made is refused and left alone, and nothing is pruned', async (t) => {
  const { cluster, state, run } = setUp();
  await run([configMap('old')]);
  cluster.put(configMap('taken', { others: 'yes' }));
  cluster.writes.length = 0;
  const result = await run([configMap('taken'), configMap('free')]);
  t.false(result.isComplete);
  t.deepEqual(
    result.refused.map(({ reason, message }) => [reason, message]),
    [
      [
        'ForeignObject',
        'ConfigMap shop/taken is there already and was not made by this platform: rename it, delete it, or choose another name',
      ],
    ],
  );
  t.deepEqual(cluster.writes, ['apply ConfigMap shop/free']);
  t.deepEqual(cluster.at(refOf(configMap('taken')))?.['data'], { others: 'yes' });
  t.deepEqual(state.inventory.map(({ name }) => name).toSorted(), ['free', 'old'], 'the foreign object is in no inventory of ours');
});

test('an object of another installation is as foreign as any', async (t) => {
  const { cluster, run } = setUp();
  cluster.put({
    ...configMap('a'),
    metadata: { name: 'a', namespace: 'shop', labels: { [installationLabel]: 'inst-2', [ownerLabel]: 'app-1' } },
  });
  t.is((await run([configMap('a')])).refused[0]?.reason, 'ForeignObject');
});

test('an object of another owner of this installation is refused, naming the owner', async (t) => {
  const { run, state } = setUp();
  await run([configMap('a')], { ownership: { ...ownership, owner: 'app-2' } });
  state.inventory = [];
  const [refused] = (await run([configMap('a')])).refused;
  t.is(refused?.reason, 'OwnedByAnother');
  t.regex(refused?.message ?? '', /uid app-2/);
});

test('an object that somebody makes between reading and applying is not taken over', async (t) => {
  const { cluster, state, run } = setUp();
  cluster.beforeWrite = () => {
    cluster.beforeWrite = () => {};
    cluster.put(configMap('a', { others: 'yes' }));
  };
  const result = await run([configMap('a')]);
  t.is(result.refused[0]?.reason, 'ForeignObject');
  t.deepEqual(cluster.at(refOf(configMap('a')))?.['data'], { others: 'yes' });
  t.deepEqual(state.inventory, []);
});

test('a write that comes between reading and applying is not overwritten unseen: it is read and applied over', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('a')]);
  let edits = 7;
  cluster.beforeWrite = () => {
    if ((edits -= 1) >= 0) cluster.edit(refOf(configMap('a')), (object) => (object.metadata.annotations = { edit: String(edits) }));
  };
  const result = await run([configMap('a', { a: '2' })]);
  t.true(result.isComplete);
  t.deepEqual(cluster.at(refOf(configMap('a')))?.metadata.annotations, { edit: '0' });
  t.deepEqual(cluster.at(refOf(configMap('a')))?.['data'], { a: '2' });
});

test('an object that others keep changing is given up for this run and fails', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('a')]);
  let n = 0;
  cluster.beforeWrite = () => cluster.edit(refOf(configMap('a')), (object) => (object.metadata.annotations = { edit: String((n += 1)) }));
  const result = await run([configMap('a', { a: '2' })]);
  t.is((result.failed[0]?.error as { code?: string } | undefined)?.code, 'TAP_OBJECT_CONFLICT');
  t.is(n, 8);
});

test('an object whose labels somebody took away is still ours by its uid, and gets them back', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('a')]);
  cluster.edit(refOf(configMap('a')), (object) => delete object.metadata.labels);
  const result = await run([configMap('a')]);
  t.true(result.isComplete);
  t.is(cluster.at(refOf(configMap('a')))?.metadata.labels?.[installationLabel], 'inst-1');
});

test('objects that a cache has are not requested', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('a'), configMap('b')]);
  cluster.reads = 0;
  await run([configMap('a'), configMap('b')], { cached: (ref) => ({ live: cluster.at(ref) }) });
  t.is(cluster.reads, 0);
});

test('that a cache lacks an object is not believed: a foreign one is refused, and one of ours without labels is still deleted', async (t) => {
  const { cluster, state, run } = setUp();
  const cached = () => ({ live: undefined });
  await run([configMap('mine')], { cached });
  cluster.edit(refOf(configMap('mine')), (object) => delete object.metadata.labels);
  cluster.put(configMap('taken'));
  t.is((await run([configMap('mine'), configMap('taken')], { cached })).refused[0]?.reason, 'ForeignObject');
  t.true((await run([], { cached })).isComplete);
  t.deepEqual(cluster.names, ['ConfigMap shop/taken']);
  t.deepEqual(state.inventory, []);
});

test('a cache that lags behind causes no second write', async (t) => {
  const { cluster, run } = setUp();
  await run([configMap('a')]);
  const old = structuredClone(cluster.at(refOf(configMap('a'))));
  await run([configMap('a', { a: '2' })]);
  cluster.writes.length = 0;
  const result = await run([configMap('a', { a: '2' })], { cached: () => ({ live: old }) });
  t.true(result.isComplete);
  t.deepEqual(cluster.writes, []);
});
