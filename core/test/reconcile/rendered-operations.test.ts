import test from 'ava';
import { refOf } from '../../dist/reconcile/object-ref.js';
import { configMap, setUp } from './rendered-fixture.ts';

test('each step is told when it begins and when it has ended, and a release that serves ends the operation', async (t) => {
  const { state, go } = setUp();
  await go();
  t.deepEqual(
    state.steps.filter((step, index) => step !== state.steps[index - 1]),
    ['prepare 0', 'prepare 100', 'render 0', 'render 100', 'apply 0', 'apply 100', 'rollout 100'],
  );
  t.is(state.end?.phase, 'Succeeded');
});

test('a rollout under way ends nothing, and names what still serves', async (t) => {
  const { state, go, change } = setUp();
  await go();
  state.summary = 'waits';
  change({ image: 'web:2' });
  await go();
  t.is(state.end, undefined);
  t.is(state.status['release'], 'web-1');
  t.true(state.steps.includes('rollout 0'));
});

test('a cancelled change brings back what served before, without rendering or preparing anything', async (t) => {
  const { cluster, state, go, change, condition } = setUp();
  await go();
  state.summary = 'waits';
  change({ image: 'web:2', maps: ['a', 'c'] });
  await go();
  state.cancelled = true;
  const { renders } = state;
  await go();
  t.is(state.renders, renders);
  t.is(state.abandoned, 1, 'what was begun for it is ended');
  t.deepEqual(cluster.names, ['ConfigMap shop/a', 'ConfigMap shop/b']);
  t.is(condition('Ready'), 'False Cancelled');
  t.is(state.end?.phase, 'Cancelled');
  t.is(state.status['release'], 'web-1');
});

test('a first deployment that is cancelled leaves nothing on the cluster', async (t) => {
  const { cluster, state, go } = setUp();
  state.summary = 'waits';
  await go();
  state.cancelled = true;
  await go();
  t.deepEqual(cluster.names, []);
  t.is(state.end?.phase, 'Cancelled');
});

test('a release that failed is rolled back and not tried again', async (t) => {
  const { cluster, state, go, change, condition } = setUp();
  await go();
  change({ image: 'web:2' });
  state.summary = 'rollback';
  t.deepEqual(await go(), { againAfterMs: 0 });
  t.is(state.end?.phase, 'Failed');
  await go();
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:1' });
  t.is(condition('Ready'), 'False ReleaseFailed');
});

test('a release that fails while it is pinned stays, and is not tried again and again', async (t) => {
  const { cluster, state, go, change } = setUp();
  await go();
  change({ image: 'web:2' });
  state.summary = 'rollback';
  await go();
  state.pinned = { name: 'web-2', release: state.newest?.release };
  for (let look = 0; look < 2; look += 1) t.is(await go(), undefined, 'it waits for what happens');
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:2' });
  t.is(state.end?.phase, 'Failed');
  t.regex(state.end?.message ?? '', /it is pinned, so no other release takes its place/);
});

test('a release that failed stays when it shall, or when there is nothing to go back to', async (t) => {
  const { cluster, state, go, change } = setUp();
  state.summary = 'rollback';
  t.is(await go(), undefined);
  t.is(state.end?.phase, 'Failed');
  t.is(cluster.names.length, 2);
  state.summary = 'serves';
  await go();
  change({ image: 'web:2' });
  state.summary = 'stop';
  await go();
  t.is(state.end?.phase, 'Failed');
  t.deepEqual(cluster.at(refOf(configMap('a', '')))?.['data'], { image: 'web:2' });
});

test('that the rollout of a release has failed is told whatever follows, and not of one that has served', async (t) => {
  for (const summary of ['rollback', 'stop'] as const) {
    const first = setUp();
    first.state.summary = summary;
    await first.go();
    t.deepEqual(first.state.refused, ['web-1'], `${summary}, and nothing served before`);
    first.state.summary = 'serves';
    await first.go();
    first.state.summary = summary;
    await first.go();
    t.deepEqual(first.state.refused, ['web-1'], 'it has served');
    first.change({ image: 'web:2' });
    await first.go();
    t.deepEqual(first.state.refused, ['web-1', 'web-2'], summary);
  }
});

test('a release that cannot be prepared ends the operation', async (t) => {
  const failed = { type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'no start command' } as const;
  const { state, go } = setUp({ prepare: async () => ({ ready: false, conditions: [failed], failed: true }) });
  await go();
  t.deepEqual(state.end, { phase: 'Failed', message: 'no start command' });
});
