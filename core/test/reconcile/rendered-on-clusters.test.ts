import test from 'ava';
import { refOf } from '../../dist/reconcile/object-ref.js';
import { configMap, setUp } from './rendered-fixture.ts';

test('without confirmation nothing is applied or pruned, and what is there is only looked at', async (t) => {
  const { cluster, state, go, change, condition } = setUp();
  await go();
  cluster.writes.length = 0;
  state.confirmed = false;
  change({ maps: ['c'] });
  cluster.edit(refOf(configMap('a', '')), (object) => (object['data'] = { image: 'evil' }));
  t.deepEqual(await go(), { againAfterMs: 60_000 });
  t.deepEqual(cluster.writes, []);
  t.is(condition('Applied'), 'Unknown NotConfirmed');
  t.is(condition('Ready'), 'True Serving', 'what runs is still told');
  t.is(state.status['objects'], 2);
  state.confirmed = true;
  await go();
  t.deepEqual(cluster.names, ['ConfigMap shop/c']);
});

test('an empty store whose cluster has objects of ours neither applies nor prunes until confirmed', async (t) => {
  const { cluster, state, go } = setUp();
  await go();
  cluster.writes.length = 0;
  state.inventory = [];
  state.newest = undefined;
  state.releases.clear();
  state.confirmed = false;
  await go();
  t.deepEqual(cluster.writes, []);
  t.is(cluster.names.length, 2);
});

test('the finalizer stands before anything is on the cluster', async (t) => {
  const { cluster, state, go } = setUp({
    addFinalizer: async () => {
      state.log.push(`finalizer before ${cluster.writes.length} writes`);
    },
  });
  if (state.app) state.app = { ...state.app, metadata: { name: 'web', uid: 'app-1' } };
  await go();
  t.deepEqual(state.log, ['finalizer before 0 writes']);
  t.is(cluster.writes.length, 2);
});

test('a foreign object of the same name is told in conditions, looked at again, and never overwritten', async (t) => {
  const { cluster, go, condition } = setUp();
  cluster.put({ ...configMap('a', 'theirs') });
  t.deepEqual(await go(), { againAfterMs: 60_000 });
  t.deepEqual(['Ready', 'Applied'].map(condition), ['False ForeignObject', 'False ForeignObject']);
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'theirs' });
});

test('a failed apply is told in conditions and backs off', async (t) => {
  const { cluster, state, go, condition } = setUp();
  cluster.beforeWrite = (what) => {
    if (what.includes('shop/a')) throw new Error('quota exceeded');
  };
  await t.throwsAsync(go(), { code: 'TAP_APPLY_FAILED', message: 'ConfigMap shop/a: quota exceeded' });
  t.deepEqual(['Ready', 'Applied'].map(condition), ['False ApplyFailed', 'False ApplyFailed']);
  t.is(state.status['release'], 'web-1');
});

test('a deleted object goes when its cluster is clean, after the finalize taps', async (t) => {
  const { cluster, state, go } = setUp();
  await go();
  cluster.holdsDeletions = true;
  if (state.app) state.app = { ...state.app, metadata: { ...state.app.metadata, deletionTimestamp: '2026-11-22T00:00:00Z' } };
  t.deepEqual(await go(), { againAfterMs: 1_000 });
  t.deepEqual(state.log, []);
  cluster.finish();
  t.is(await go(), undefined);
  t.deepEqual(state.log, ['finalize', 'remove finalizer']);
  t.deepEqual(cluster.names, []);
  t.is(state.renders, 1);
});

test('a dead cluster holds the deletion with a condition', async (t) => {
  const { cluster, state, go, condition } = setUp();
  await go();
  if (state.app) state.app = { ...state.app, metadata: { ...state.app.metadata, deletionTimestamp: '2026-11-22T00:00:00Z' } };
  cluster.beforeWrite = () => {
    throw new Error('unreachable');
  };
  await t.throwsAsync(go(), { code: 'TAP_APPLY_FAILED' });
  t.is(condition('Ready'), 'False DeletionBlocked');
  t.deepEqual(state.log, []);
});

test('a deletion waits for confirmation too', async (t) => {
  const { cluster, state, go } = setUp();
  await go();
  state.confirmed = false;
  if (state.app) state.app = { ...state.app, metadata: { ...state.app.metadata, deletionTimestamp: '2026-11-22T00:00:00Z' } };
  t.deepEqual(await go(), { againAfterMs: 60_000 });
  t.is(cluster.names.length, 2);
});

test('finalize taps that fail keep the finalizer', async (t) => {
  const { state, go, condition } = setUp({ finalizeHooks: () => Promise.reject(new Error('dns is down')) });
  await go();
  if (state.app) state.app = { ...state.app, metadata: { ...state.app.metadata, deletionTimestamp: '2026-11-22T00:00:00Z' } };
  await t.throwsAsync(go(), { message: 'dns is down' });
  t.is(condition('Ready'), 'False DeletionBlocked');
  t.deepEqual(state.log, []);
});

test('an object that is gone needs nothing', async (t) => {
  const { cluster, state, go } = setUp();
  state.app = undefined;
  t.is(await go(), undefined);
  t.is(cluster.reads, 0);
});

test('an object that no cluster can take says so', async (t) => {
  const { cluster, state, go, condition } = setUp({ factsOf: () => Promise.reject(new Error('none of the clusters (any) is loaded')) });
  await t.throwsAsync(go(), { message: /none of the clusters/ });
  t.is(condition('Ready'), 'False NotPlaced');
  t.regex(state.conditions[0]?.message ?? '', /none of the clusters/);
  t.deepEqual(cluster.writes, []);
});
