import {
  hooks,
  type AnyKind,
  type Clock,
  type Condition,
  type Controller as ControllerDeclaration,
  type Immutable,
  type Prepared,
  type ReconcileContext,
  type Rendering,
  type RenderFacts,
  type Resources,
  type ResourceStore,
} from '@tappaas/sdk';
import type { Kernel, PluginGuard, Registered } from '../../kernel/kernel.js';
import type { Run } from '../../reconcile/controller.js';
import { createRenderedReconcile } from '../../reconcile/rendered-controller.js';
import type { Place, RenderedOptions, RenderedStep, Statement } from '../../reconcile/rendered-options.js';
import { nextStatus } from '../../reconcile/status.js';
import type { ClusterAccess, ClusterAccesses } from '../clusters/cluster-access.js';
import { namespaceOn, type ClusterNamespaces } from '../clusters/cluster-namespaces.js';
import { clusterPlace } from '../clusters/cluster-place.js';
import type { ClusterWatch } from '../clusters/cluster-watch.js';
import { refuseOutside } from '../clusters/outside-objects.js';
import type { EngineObject } from '../engine-object.js';
import { platformErrors } from '../errors.js';
import type { Installation } from '../installation.js';
import type { OperationTracker } from '../operations/operation-tracker.js';
import { reportSecretReads } from '../sealing/secret-access.js';
import { secretValues } from '../sealing/secret-values.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';
import { shapedByTaps } from './render-taps.js';
import { createReleaseBook } from './release-book.js';
import { stateEvent } from './rendering-events.js';
import { RenderingRecords } from './rendering-records.js';

/** Dependencies of a rendering controller. */
export interface RenderingParts {
  readonly kernel: Kernel;
  readonly registered: Registered<ControllerDeclaration<AnyKind> & Rendering<AnyKind>>;
  readonly read: (key: string) => Immutable<EngineObject> | undefined;
  /** Returns the platform's engine with the plugin's rights; writes are reported to the run. */
  readonly resources: (run: Run) => Resources;
  readonly contextOf: (
    guardContext: Parameters<Parameters<PluginGuard['call']>[1]>[0],
    object: Immutable<EngineObject>,
    run: Run,
  ) => ReconcileContext<AnyKind>;
  /** Resources with the platform's own rights, for the Secrets that releases refer to. */
  readonly platformResources: Resources;
  readonly store: ResourceStore;
  readonly clusters: ClusterAccesses;
  readonly namespaces: ClusterNamespaces;
  readonly watchOf: (access: ClusterAccess) => ClusterWatch;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly emit: (object: Owner, event: ObjectEvent) => void;
  /** Present for kinds whose changes start Operations. */
  readonly tracker: OperationTracker | undefined;
}

type Owner = Immutable<EngineObject>;
const schedulerName = 'tappaas';

/** Makes the reconcile function of a rendering controller: the procedure of the reconcile stage with the platform's parts. */
export function renderingReconcile(parts: RenderingParts): ReturnType<typeof createRenderedReconcile> {
  const { kernel, registered, store, installation, tracker } = parts;
  const records = new RenderingRecords(store);
  const { plugin, guard, value: controller } = registered;
  const { group, kind } = controller.kind;
  const selector = { kind: { group, kind } };
  const platformRun: Run = { signal: new AbortController().signal, wrote: () => undefined };
  const releases = createReleaseBook({
    records,
    resources: parts.resources(platformRun),
    versionOf: (id) => kernel.plugin(id)?.version ?? 'unknown',
    reportSecretRead: reportSecretReads(kernel, plugin),
    tell: parts.emit,
  });
  const reconcile = createRenderedReconcile<Owner>({
    read: parts.read,
    confirmation: () => installation.confirmation(),
    ...(controller.prepare ? { prepare: (object: Owner, run: Run) => prepare(parts, object, run) } : {}),
    ...(controller.abandon ? { abandon: (object: Owner, run: Run) => abandon(parts, object, run) } : {}),
    factsOf: (object, inputs) => factsOf(parts, records, object, inputs),
    render: (object, facts) => guard.callSync({ name: 'controller.render', limitMs: 1_000 }, () => controller.render(object, facts)),
    renderHooks: async (object, set, { cluster }) => shapedByTaps(kernel, controller.kind, object, set, cluster.capabilities),
    actor: () => kernel.pluginOf() ?? plugin,
    releases,
    loadInventory: async (object) => (await records.of(object).load())?.inventory ?? [],
    saveInventory: async (object, inventory) => {
      const record = records.of(object);
      await record.save({ ...(await record.load()), inventory });
    },
    placeOf: (object, facts) => placeOf(parts, object, facts),
    installation: installation.id,
    manager: `tappaas-${plugin}`,
    observeHooks: (object, observed) => observe(kernel, selector, object, observed),
    summarize: (object, { facts, release, observed }) =>
      guard.callSync({ name: 'controller.summarize', limitMs: 1_000 }, () =>
        controller.summarize({
          object,
          facts,
          ...(release.number > 0 ? { release: { name: release.name, number: release.number } } : {}),
          observed,
        }),
      ),
    setStatus: (object, statement, run) => setStatus(parts, object, statement, run),
    ...(tracker
      ? {
          isCancelled: (object: Owner) => isCancelled(records, tracker, object),
          step: (object: Owner, step: RenderedStep, percent: number) => tracker.progress(object, step, percent),
        }
      : {}),
    ...finalizing(parts, records),
  });
  return (key, run) => records.during(parts.read(key)?.metadata.uid ?? '', () => reconcile(key, run));
}

/** A finalizer keeps an object until its cluster is cleaned up. */
function finalizing(
  parts: RenderingParts,
  records: RenderingRecords,
): Pick<RenderedOptions<Owner>, 'finalizer' | 'addFinalizer' | 'removeFinalizer' | 'finalizeHooks'> {
  const { kernel, registered } = parts;
  const { group, kind } = registered.value.kind;
  const finalizer = `tappaas.dev/${registered.plugin}`;
  return {
    finalizer,
    addFinalizer: (object, run) => setFinalizers(parts, object, [...(object.metadata.finalizers ?? []), finalizer], run),
    async removeFinalizer(object, run) {
      await records.of(object).remove();
      const kept = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
      await setFinalizers(parts, object, kept, run);
    },
    async finalizeHooks(object, { signal }) {
      const options = { reverse: true, scope: { signal } };
      const { failure } = await kernel.hooks.series(hooks.reconcile.finalize, { kind: { group, kind } }, { object }, options);
      if (failure) throw failure.error;
    },
  };
}

/** Whether a user cancelled the current generation. Recorded, because its Operation may be removed. */
async function isCancelled(records: RenderingRecords, tracker: OperationTracker, object: Owner): Promise<boolean> {
  const { generation = 1 } = object.metadata;
  const isAsked = tracker.isCancelled(object);
  const record = records.of(object);
  const known = await record.load();
  if (known?.cancelled === generation) return true;
  if (isAsked) await record.save({ ...known, cancelled: generation });
  return isAsked;
}

async function setStatus(
  { resources, registered, tracker, clock, emit }: RenderingParts,
  object: Owner,
  { status: fields, conditions, end }: Statement,
  run: Run,
): Promise<void> {
  const status = nextStatus(object, fields, conditions, clock.nowMs());
  if (status) await resources(run).patch(registered.value.kind, keyOf(object), { status }, { subresource: 'status' });
  const event = status && stateEvent(object, { conditions, ...(end ? { end } : {}) });
  if (event) emit(object, event);
  const message = conditions.find(({ type }) => type === 'Ready')?.message;
  const result = Object.fromEntries(
    Object.entries({ release: fields['release'], url: fields['url'] }).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
  await tracker?.tell(object, {
    ...(message === undefined ? {} : { message }),
    ...(end ? { end: { ...end, ...(end.phase === 'Succeeded' ? { result } : {}) } } : {}),
  });
}

function abandon({ registered, contextOf }: RenderingParts, object: Owner, run: Run): Promise<void> {
  const { guard, value } = registered;
  return guard.call(
    { name: 'controller.abandon', limitMs: 60_000 },
    async (context) => value.abandon?.(object, contextOf(context, object, run)),
    { signal: run.signal },
  );
}

function prepare({ registered, contextOf }: RenderingParts, object: Owner, run: Run): Promise<Prepared> {
  const { guard, value } = registered;
  return guard.call(
    { name: 'controller.prepare', limitMs: 60_000 },
    async (context): Promise<Prepared> => (await value.prepare?.(object, contextOf(context, object, run))) ?? { ready: true, inputs: {} },
    { signal: run.signal },
  );
}

/**
 * Determines the render facts. The cluster is chosen once and recorded, at the latest with the first release; objects are not moved
 * afterwards.
 */
async function factsOf(
  { kernel, registered, clusters }: RenderingParts,
  records: RenderingRecords,
  object: Owner,
  inputs: Readonly<Record<string, string>>,
): Promise<RenderFacts> {
  const record = records.of(object);
  const known = await record.load();
  const chosen = known?.cluster ?? (await chooseCluster(kernel, registered.value.kind, object, clusters));
  if (known?.cluster === undefined) record.saveLater({ ...known, cluster: chosen });
  const access = clusters.of(chosen);
  if (access === undefined)
    throw platformErrors.TAP_CLUSTER_UNKNOWN({
      message: `cluster ${chosen}, on which this runs, is not loaded; loaded: ${clusters.names().join(', ') || 'none'}`,
    });
  const { cluster } = access;
  return {
    cluster: {
      name: chosen,
      namespace: await namespaceOn(access, object.metadata.namespace ?? ''),
      capabilities: cluster.capabilities,
      profiles: cluster.profiles,
      ...(cluster.scheduling === 'bind' ? { schedulerName } : {}),
    },
    ingress: cluster.ingress,
    inputs,
  };
}

async function chooseCluster(kernel: Kernel, { group, kind }: AnyKind, object: Owner, clusters: ClusterAccesses): Promise<string> {
  const wished = (object.spec as { placement?: { clusters?: readonly string[] } } | undefined)?.placement?.clusters ?? [];
  const candidates = clusters.names().filter((name) => wished.length === 0 || wished.includes(name));
  if (candidates.length === 0) {
    throw platformErrors.TAP_CLUSTER_UNKNOWN({
      message: `none of the clusters ${wished.join(', ') || '(any)'} is loaded; loaded: ${clusters.names().join(', ') || 'none'}`,
      field: 'spec.placement.clusters',
    });
  }
  const { answer, failure } = await kernel.hooks.choose(
    hooks.scheduling.cluster,
    { kind: { group, kind } },
    {
      object,
      clusters: candidates,
    },
  );
  if (failure) throw failure.error;
  return answer && candidates.includes(answer.value) ? answer.value : (candidates[0] ?? '');
}

async function placeOf(
  { kernel, registered, clusters, namespaces, watchOf, platformResources }: RenderingParts,
  { kind, metadata }: Owner,
  { cluster }: RenderFacts,
): Promise<Place> {
  const access = clusters.of(cluster.name);
  if (access === undefined) throw platformErrors.TAP_CLUSTER_UNKNOWN({ message: `cluster ${cluster.name} is not loaded` });
  const { namespace = '', name } = metadata;
  const purpose = `brought to cluster ${cluster.name} for ${kind} ${namespace}/${name}`;
  return clusterPlace(
    access,
    watchOf(access),
    refuseOutside(kernel, { kind: registered.value.kind, plugin: registered.plugin, namespace: cluster.namespace }),
    (clusterNamespace) => namespaces.ensure(access, clusterNamespace, namespace),
    secretValues(platformResources, namespace, reportSecretReads(kernel, registered.plugin), purpose),
  );
}

async function observe(
  kernel: Kernel,
  selector: object,
  object: Owner,
  observed: Parameters<Rendering<AnyKind>['summarize']>[0]['observed'],
): Promise<readonly Condition[]> {
  if (!kernel.hooks.has(hooks.reconcile.observe, selector)) return [];
  const { answers, failures } = await kernel.hooks.collect(hooks.reconcile.observe, selector, { object, observed });
  const unknown = failures.map(({ plugin, error }): Condition => ({
    type: 'Observed',
    status: 'Unknown',
    reason: 'ObserveFailed',
    message: `plugin ${plugin}: ${error.message}`,
  }));
  return [...answers.flatMap(({ value }) => value), ...unknown];
}

async function setFinalizers(
  { registered, resources }: RenderingParts,
  object: Owner,
  finalizers: readonly string[],
  run: Run,
): Promise<void> {
  await resources(run).patch(registered.value.kind, keyOf(object), {
    metadata: { finalizers, resourceVersion: object.metadata.resourceVersion },
  });
}

function keyOf({ metadata }: Owner): { name: string; namespace?: string } {
  return { name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) };
}
