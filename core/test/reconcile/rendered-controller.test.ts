import test from 'ava';
import type { Prepared } from '@tappaas/sdk';
import { refOf } from '../../dist/reconcile/object-ref.js';
import { configMap, setUp, failureOf } from './rendered-fixture.ts';

test('an object is rendered, released, applied and summarised', async (t) => {
  const { cluster, state, go, condition } = setUp();
  t.is(await go(), undefined);
  t.deepEqual(cluster.names, ['ConfigMap shop/a', 'ConfigMap shop/b']);
  t.deepEqual(state.status, { objects: 2, release: 'web-1' });
  t.deepEqual(['Ready', 'Rendered', 'Applied', 'Healthy'].map(condition), [
    'True Serving',
    'True Rendered',
    'True Applied',
    'True Healthy',
  ]);
});

test('a second run renders nothing and writes nothing', async (t) => {
  const { cluster, state, go } = setUp();
  await go();
  cluster.writes.length = 0;
  await go();
  t.is(state.renders, 1);
  t.deepEqual(cluster.writes, []);
});

test('drift is repaired from the release, without rendering', async (t) => {
  const { cluster, state, go } = setUp();
  await go();
  cluster.edit(refOf(configMap('a', '')), (object) => (object['data'] = { image: 'evil' }));
  await go();
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:1' });
  t.is(state.renders, 1);
});

test('a changed spec makes a new release and prunes what it lacks', async (t) => {
  const { cluster, state, go, change } = setUp();
  await go();
  change({ maps: ['a', 'c'] });
  await go();
  t.deepEqual(cluster.names, ['ConfigMap shop/a', 'ConfigMap shop/c']);
  t.is(state.status['release'], 'web-2');
});

test('a plugin that would render something else today changes nothing until the spec changes', async (t) => {
  const { cluster, state, go, change } = setUp();
  await go();
  state.hook = (set) => set.add(configMap('by-upgraded-plugin', 'x'));
  await go();
  t.deepEqual(cluster.names, ['ConfigMap shop/a', 'ConfigMap shop/b']);
  change({ image: 'web:2' });
  await go();
  t.is(cluster.names.length, 3);
});

test('a plugin that was removed or is broken changes nothing either', async (t) => {
  const { cluster, state, go } = setUp();
  state.hook = (set) => set.add(configMap('policy', 'x'));
  await go();
  state.hook = () => {
    throw new Error('not loaded');
  };
  await go();
  t.is(cluster.names.length, 3);
  t.deepEqual(
    cluster.writes.filter((write) => write.startsWith('delete')),
    [],
  );
});

test('an explicit campaign renders anew', async (t) => {
  let campaign = '';
  const { cluster, state, go } = setUp({ campaignOf: () => campaign });
  await go();
  state.hook = (set) => set.add(configMap('policy', 'x'));
  campaign = '2026-11';
  await go();
  t.is(cluster.names.length, 3);
  t.is(state.renders, 2);
});

test('equal content is one release, however it came about', async (t) => {
  const { state, go, change } = setUp();
  await go();
  change({ image: 'web:2' });
  await go();
  change({ image: 'web:1' });
  await go();
  t.is(state.releases.size, 2);
  t.is(state.status['release'], 'web-1');
  change({ maps: ['b', 'a'] });
  await go();
  t.is(state.releases.size, 2, 'another order of the same objects is the same content');
});

test('a release says which plugins had a part in it', async (t) => {
  const { state, go } = setUp();
  await go();
  t.deepEqual([...state.releases.values()][0]?.content.plugins, ['controller-application']);
});

test('a plugin that its failure names already is not named twice', async (t) => {
  const { state, go, change } = setUp();
  await go();
  change({ maps: [] });
  state.hook = () => {
    throw failureOf('mesh', 'plugin mesh failed in secrets.accessed: no ledger');
  };
  await t.throwsAsync(go());
  t.is(state.conditions[0]?.message, 'plugin mesh failed in secrets.accessed: no ledger');
});

test('a render that fails leaves the cluster as it is, names the plugin, and backs off', async (t) => {
  const { cluster, state, go, change, condition } = setUp();
  await go();
  cluster.writes.length = 0;
  change({ maps: [] });
  state.hook = () => {
    throw failureOf('mesh', 'no mesh');
  };
  await t.throwsAsync(go(), { code: 'MESH_DOWN' });
  t.deepEqual(cluster.writes, []);
  t.deepEqual(['Ready', 'Rendered'].map(condition), ['False RenderFailed', 'False RenderFailed']);
  t.regex(state.conditions[0]?.message ?? '', /plugin mesh failed to render: no mesh/);
});

test('a pinned release serves whatever is rendered', async (t) => {
  const { cluster, state, go, change } = setUp();
  await go();
  state.pinned = { name: 'one', release: state.newest?.release };
  change({ image: 'web:2' });
  await go();
  t.is(state.releases.size, 2, 'the new release exists');
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:1' });
  state.pinned = undefined;
  await go();
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:2' });
});

test('a pin to a release that does not exist changes nothing on the cluster, and the object says so', async (t) => {
  const { cluster, state, go, change, condition } = setUp();
  await go();
  state.pinned = { name: 'web-99', release: undefined };
  change({ image: 'web:2' });
  const { writes } = cluster;
  const before = writes.length;
  t.true(((await go()) as { againAfterMs: number }).againAfterMs > 0);
  t.is(cluster.writes.length, before);
  t.is(condition('Ready'), 'False ReleaseUnknown');
  t.regex(state.conditions[0]?.message ?? '', /release web-99, which does not exist/);
});

test('while inputs are awaited nothing is rendered, and what served goes on serving', async (t) => {
  let prepared: Prepared = { ready: true, inputs: { image: 'sha256:1' } };
  const { cluster, state, go, change, condition } = setUp({ prepare: async () => prepared });
  await go();
  prepared = { ready: false, conditions: [{ type: 'Ready', status: 'False', reason: 'Building', message: 'half-way' }] };
  change({ image: 'web:2' });
  cluster.edit(refOf(configMap('a', '')), (object) => (object['data'] = { image: 'evil' }));
  state.steps.length = 0;
  t.is(await go(), undefined);
  t.is(state.renders, 1);
  t.deepEqual(state.steps, ['prepare 0', 'prepare 0'], 'mending what served is no step of the change that waits');
  t.is(condition('Ready'), 'False Building');
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:1' });
  prepared = { ready: true, inputs: { image: 'sha256:2' } };
  await go();
  t.is(state.renders, 2);
});

test('a changed input renders anew', async (t) => {
  const inputs = { image: 'sha256:1' };
  const { state, go } = setUp({ prepare: async () => ({ ready: true, inputs: { ...inputs } }) });
  await go();
  inputs.image = 'sha256:2';
  await go();
  t.is(state.renders, 2);
});

test('where hosts end otherwise it is rendered anew, and what looks the same is the same release', async (t) => {
  const { state, go } = setUp();
  await go();
  const { newest } = state;
  state.hostSuffix = 'apps.test';
  await go();
  t.is(state.renders, 2);
  t.is(state.newest?.release.number, newest?.release.number);
});
