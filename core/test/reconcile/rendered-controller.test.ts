import test from 'ava';
import {
  TapError,
  type Condition,
  type KubernetesObject,
  type Outcome,
  type Prepared,
  type RenderFacts,
  type RenderSet,
} from '@tappaas/sdk';
import type { Run } from '../../dist/reconcile/controller.js';
import type { InventoryEntry } from '../../dist/reconcile/inventory.js';
import { refOf } from '../../dist/reconcile/object-ref.js';
import type { Pin, ReleaseContent, Serving, StoredRelease } from '../../dist/reconcile/release.js';
import type { AttributedRenderSet } from '../../dist/reconcile/render-set.js';
import { createRenderedReconcile } from '../../dist/reconcile/rendered-controller.js';
import type { RenderedObject, RenderedOptions, Statement } from '../../dist/reconcile/rendered-options.js';
import { FakeCluster } from './fake-cluster.ts';

interface App extends RenderedObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec: { readonly image: string; readonly maps: readonly string[] };
}

const configMap = (name: string, image: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data: { image },
});

function setUp(options: Partial<RenderedOptions<App>> = {}) {
  const cluster = new FakeCluster();
  const state = {
    app: { metadata: { name: 'web', uid: 'app-1', finalizers: ['tappaas.dev/clean'] }, spec: { image: 'web:1', maps: ['a', 'b'] } } as
      | App
      | undefined,
    inventory: [] as readonly InventoryEntry[],
    releases: new Map<string, StoredRelease & { content: ReleaseContent }>(),
    newest: undefined as { release: StoredRelease; renderKey: string } | undefined,
    pinned: undefined as Pin | undefined,
    status: {} as Readonly<Record<string, unknown>>,
    conditions: [] as readonly Condition[],
    renders: 0,
    confirmed: true,
    hook: (set: RenderSet): RenderSet => set,
    log: [] as string[],
    serving: undefined as Serving | undefined,
    failure: undefined as { name: string; message: string } | undefined,
    refused: [] as string[],
    cancelled: false,
    hostSuffix: 'localhost',
    abandoned: 0,
    summary: 'serves' as 'serves' | 'waits' | 'rollback' | 'stop',
    end: undefined as Statement['end'],
    steps: [] as string[],
  };
  const reconcile = createRenderedReconcile<App>({
    read: () => state.app,
    confirmation: () =>
      state.confirmed ? { isConfirmed: true } : { isConfirmed: false, message: 'the store was restored: confirm the diff' },
    factsOf: async (_, inputs): Promise<RenderFacts> => ({
      cluster: { name: 'local', namespace: 'shop', capabilities: [], profiles: ['batch'] },
      ingress: { scheme: 'http', hostSuffix: state.hostSuffix, port: 8080 },
      inputs,
    }),
    render: ({ spec }) => {
      state.renders += 1;
      return spec.maps.map((name) => configMap(name, spec.image));
    },
    renderHooks: async (_, set) => state.hook(set) as AttributedRenderSet,
    actor: () => 'controller-application',
    releases: {
      newest: async () => state.newest,
      store: async (_, content, renderKey) => {
        const known = state.releases.get(content.digest);
        const number = state.releases.size + 1;
        const release = known ?? { name: `web-${number}`, number, objects: content.objects, content };
        state.releases.set(content.digest, release);
        state.newest = { release, renderKey };
        return release;
      },
      pinned: async () => state.pinned,
      serving: async () => state.serving,
      noteServing: async (_, serving) => void (state.serving = serving),
      failureOf: async (_, { name }) => (state.failure?.name === name ? state.failure.message : undefined),
      noteFailure: async (_, { name }, message) => void (state.failure = { name, message }),
      noteRefused: async (_, { name }) => void state.refused.push(name),
    },
    loadInventory: async () => state.inventory,
    saveInventory: async (_, entries) => {
      state.inventory = entries;
    },
    placeOf: async () => ({ target: cluster, below: (objects) => objects.slice(0, 0) }),
    installation: 'inst-1',
    manager: 'tappaas-application',
    observeHooks: async () => [{ type: 'Healthy', status: 'True', reason: 'Healthy', message: '' }],
    summarize: (_, { observed }) => ({
      status: { objects: observed.length },
      conditions: [
        { type: 'Ready', status: state.summary === 'serves' ? 'True' : 'False', reason: 'Serving', message: `it ${state.summary}` },
      ],
      ...(state.summary === 'rollback' || state.summary === 'stop' ? { failed: state.summary } : {}),
    }),
    isCancelled: async () => state.cancelled,
    abandon: async () => void (state.abandoned += 1),
    step: (_, step, percent) => void state.steps.push(`${step} ${percent}`),
    setStatus: async (_, { status, conditions, end }) => {
      state.end = end;
      state.status = status;
      state.conditions = conditions;
    },
    finalizer: 'tappaas.dev/clean',
    addFinalizer: async () => void state.log.push('add finalizer'),
    removeFinalizer: async () => void state.log.push('remove finalizer'),
    finalizeHooks: async () => void state.log.push('finalize'),
    ...options,
  });
  const run: Run = { signal: new AbortController().signal, wrote: () => {} };
  const go = (): Promise<Outcome> => reconcile('shop/web', run);
  const condition = (type: string): string | undefined => {
    const found = state.conditions.filter((condition) => condition.type === type);
    return found.length === 1 ? `${found[0]?.status} ${found[0]?.reason}` : undefined;
  };
  const change = (spec: Partial<App['spec']>): void => {
    if (state.app) state.app = { ...state.app, spec: { ...state.app.spec, ...spec } };
  };
  return { cluster, state, go, condition, change };
}

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

/** As the guard lets it through. */
function failureOf(plugin: string, message: string): TapError {
  const error = new TapError('MESH_DOWN', { httpStatus: 500, blame: 'plugin', retry: 'back-off', remedy: 'Mend it.' }, { message });
  error.plugin = plugin;
  return error;
}

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

test('what cannot be prepared ends the operation', async (t) => {
  const failed = { type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'no start command' } as const;
  const { state, go } = setUp({ prepare: async () => ({ ready: false, conditions: [failed], failed: true }) });
  await go();
  t.deepEqual(state.end, { phase: 'Failed', message: 'no start command' });
});
