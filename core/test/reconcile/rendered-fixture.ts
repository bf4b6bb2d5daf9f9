import { TapError, type Condition, type KubernetesObject, type Outcome, type RenderFacts, type RenderSet } from '@tappaas/sdk';
import type { Run } from '../../dist/reconcile/controller.js';
import type { InventoryEntry } from '../../dist/reconcile/inventory.js';
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

export const configMap = (name: string, image: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data: { image },
});

export function setUp(options: Partial<RenderedOptions<App>> = {}) {
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

/** As the guard lets it through. */
export function failureOf(plugin: string, message: string): TapError {
  const error = new TapError('MESH_DOWN', { httpStatus: 500, blame: 'plugin', retry: 'back-off', remedy: 'Mend it.' }, { message });
  error.plugin = plugin;
  return error;
}
