import {
  type AnyKind,
  type Clock,
  type Controller as ControllerDeclaration,
  type Immutable,
  type Logger,
  platformEngine,
  type ReconcileContext,
  type Rendering,
  type ResourceStore,
} from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { Kernel, Registered } from '../../kernel/kernel.js';
import type { Informer } from '../../reconcile/informer.js';
import { renderedSteps } from '../../reconcile/rendered-options.js';
import type { ClusterAccess, ClusterAccesses } from '../clusters/cluster-access.js';
import { ClusterNamespaces } from '../clusters/cluster-namespaces.js';
import { watchCluster, type ClusterWatch } from '../clusters/cluster-watch.js';
import type { Engines } from '../engines.js';
import { createEventRecorder, type EventRecorder } from '../events/event-recorder.js';
import type { EngineObject } from '../engine-object.js';
import type { Installation } from '../installation.js';
import { hasEnded } from '../operations/operation-notes.js';
import { keepOperationsFew } from '../operations/operation-retention.js';
import { createOperationTracker, type OperationTracker } from '../operations/operation-tracker.js';
import { reportingWrites } from './own-writes.js';
import { enginePlaces } from '../access/places.js';
import { startPluginController, type PluginControllerParts, type RunningController } from './plugin-controller.js';
import { queueTurns } from './queue-turns.js';
import { reconcileContext } from './reconcile-context.js';
import { countRuns } from './run-counts.js';
import { renderingReconcile } from '../rendering/rendering.js';
import { createSharedInformers } from './shared-informers.js';

export interface ControllersOptions {
  readonly kernel: Kernel;
  readonly engines: Engines;
  readonly store: ResourceStore;
  readonly clusters: ClusterAccesses;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly createQueue?: PluginControllerParts['createQueue'];
  readonly onReport?: PluginControllerParts['onReport'];
}

/** All controllers of all plugins, with shared caches. */
export interface RunningControllers {
  /** Starts the controllers that a new generation added and stops those it removed; unchanged plugins keep running. */
  follow(): Promise<void>;
  /** Whether all writes have been delivered to the controllers. */
  isCaughtUp(signal: AbortSignal): Promise<boolean>;
  stop(): Promise<void>;
}

type AnyController = Registered<ControllerDeclaration<AnyKind>>;
const isRendering = (registered: AnyController): registered is Registered<ControllerDeclaration<AnyKind> & Rendering<AnyKind>> =>
  registered.value.render !== undefined;

/** Starts every controller that plugins registered. */
export function startControllers(options: ControllersOptions): RunningControllers {
  const controllers = new Controllers(options);
  controllers.startMissing();
  return controllers;
}

interface ClusterWaker {
  readonly wakeOwner: (uid: string) => void;
  /** By cluster. */
  readonly leave: Map<string, () => void>;
}

class Controllers implements RunningControllers {
  readonly #options: ControllersOptions;
  readonly #places = enginePlaces((name) => this.#options.engines.all.get(name));
  readonly #informers: ReturnType<typeof createSharedInformers>;
  readonly #running = new Map<AnyController['value'], RunningController>();
  readonly #watches = new Map<string, ClusterWatch>();
  readonly #recorders = new Map<string, EventRecorder>();
  /** Controllers to be woken by changes on clusters, including clusters added later. */
  readonly #wakers = new Set<ClusterWaker>();
  readonly #namespaces: ClusterNamespaces;
  readonly #countRun: NonNullable<PluginControllerParts['onReport']>;
  readonly #stopping = new AbortController();
  readonly #retention: Promise<void>;
  /** Facts about clusters that affect rendering. */
  #clusterFacts: string;

  constructor(options: ControllersOptions) {
    this.#options = options;
    this.#informers = createSharedInformers({ ...options, engine: (name) => options.engines.of(name) });
    this.#namespaces = new ClusterNamespaces(options.installation.id);
    this.#countRun = countRuns(options.kernel.metrics);
    const { clock, log, engines } = options;
    const operations = this.#informers.of(platformEngine, Operation);
    const resources = engines.asPlatform(platformEngine);
    this.#clusterFacts = this.#readClusterFacts();
    this.#retention = keepOperationsFew({ operations, resources, clock, log, signal: this.#stopping.signal });
  }

  startMissing(): void {
    for (const registered of this.#options.kernel.registrations().controllers) {
      if (!this.#running.has(registered.value)) this.#running.set(registered.value, this.#start(registered));
    }
  }

  async follow(): Promise<void> {
    const present = new Set(this.#options.kernel.registrations().controllers.map(({ value }) => value));
    for (const [declaration, running] of this.#running) {
      if (present.has(declaration)) continue;
      this.#running.delete(declaration);
      await running.stop();
    }
    this.startMissing();
    for (const waker of this.#wakers) this.#follow(waker);
    const facts = this.#readClusterFacts();
    if (facts === this.#clusterFacts) return;
    this.#clusterFacts = facts;
    for (const { value } of this.#options.kernel.registrations().controllers.filter(isRendering))
      this.#informers.of(platformEngine, value.kind).resync();
  }

  async isCaughtUp(signal: AbortSignal): Promise<boolean> {
    await Promise.all([...this.#recorders.values()].map((recorder) => recorder.settled()));
    for (const watch of this.#watches.values()) if (!(await watch.isCaughtUp(signal))) return false;
    return this.#informers.isCaughtUp(signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#retention;
    await Promise.all([...this.#running.values()].map((running) => running.stop()));
    await Promise.all([...this.#recorders.values()].map((recorder) => recorder.stop()));
    await Promise.all([...this.#watches.values()].map((watch) => watch.stop()));
    await this.#informers.stop();
  }

  #readClusterFacts(): string {
    const { clusters } = this.#options;
    return JSON.stringify(
      clusters.names().map((name) => {
        const { ingress, namespaceTemplate, scheduling, profiles, capabilities } = clusters.of(name)?.cluster ?? {};
        return { name, ingress, namespaceTemplate, scheduling, profiles, capabilities };
      }),
    );
  }

  #start(registered: AnyController): RunningController {
    const { engines, clock, random, log, createQueue, onReport } = this.#options;
    const tracker = this.#trackerOf(registered);
    const parts: PluginControllerParts = {
      registered,
      informers: this.#informers,
      resourcesOf: (plugin, engine) => engines.asPlugin(plugin, engine),
      contextParts: {
        emit: this.#emitOf(registered),
        ...(tracker ? { tracker } : {}),
      },
      tenantOf: queueTurns(this.#places, registered.value.engine ?? platformEngine, registered.value.kind),
      clock,
      random,
      log,
      ...(createQueue ? { createQueue } : {}),
      onReport: (controller, report) => {
        this.#countRun(controller, report);
        onReport?.(controller, report);
      },
    };
    if (isRendering(registered)) return this.#startRendering(registered, parts);
    return startPluginController(tracker ? { ...parts, wakes: (wake) => this.#onCancel(registered.value.kind, wake) } : parts);
  }

  #emitOf({ plugin, value }: AnyController): PluginControllerParts['contextParts']['emit'] {
    return (object, event) => this.#recorder(plugin, value.engine ?? platformEngine).emit(object, event);
  }

  /** Follows Operations only for kinds whose changes begin them. */
  #trackerOf(registered: AnyController): OperationTracker | undefined {
    const { engines, clock, log } = this.#options;
    if (registered.value.operation === undefined) return undefined;
    const informer = this.#informers.of(platformEngine, Operation);
    return createOperationTracker({
      resources: engines.asPlatform(platformEngine),
      cached: ({ namespace, name }) => informer.get(`${namespace}/${name}`) as Immutable<OperationObject> | undefined,
      planned: isRendering(registered) ? renderedSteps : [],
      tell: this.#emitOf(registered),
      clock,
      log,
    });
  }

  /** Wakes the object whose Operation a user cancels. */
  #onCancel({ group, kind }: AnyKind, wake: (key: string) => void): () => void {
    const asked = (object: Immutable<EngineObject>) => {
      const operation = object as Immutable<OperationObject>;
      const { target, cancelled } = operation.spec;
      if (cancelled === true && !hasEnded(operation) && target.group === group && target.kind === kind)
        wake(`${operation.metadata.namespace}/${target.name}`);
    };
    return this.#informers.of(platformEngine, Operation).addHandler({ add: asked, update: asked, delete: () => undefined });
  }

  #startRendering(
    registered: Registered<ControllerDeclaration<AnyKind> & Rendering<AnyKind>>,
    parts: PluginControllerParts,
  ): RunningController {
    const { kernel, engines, store, clusters, installation, clock } = this.#options;
    const { plugin, value } = registered;
    const informer = this.#informers.of(platformEngine, value.kind);
    const reconcileKey = renderingReconcile({
      kernel,
      registered,
      read: (key) => informer.get(key),
      resources: (run) => reportingWrites(engines.asPlatform(platformEngine), value.kind, run.wrote),
      contextOf: (context, object, run): ReconcileContext<AnyKind> => {
        const resources = reportingWrites(engines.asPlugin(plugin, platformEngine), value.kind, run.wrote);
        return reconcileContext(context, { ...parts.contextParts, isRendered: true, object, kind: value.kind, resources });
      },
      platformResources: engines.asPlatform(platformEngine),
      store,
      clusters,
      namespaces: this.#namespaces,
      watchOf: (access) => this.#watch(access),
      installation,
      clock,
      emit: parts.contextParts.emit,
      tracker: parts.contextParts.tracker,
    });
    const wakes = (wake: (key: string) => void) => {
      const leave = [this.#onClusterChange(informer, wake), ...(parts.contextParts.tracker ? [this.#onCancel(value.kind, wake)] : [])];
      return () => leave.forEach((each) => each());
    };
    return startPluginController({ ...parts, reconcileKey, wakes });
  }

  /** Wakes the objects that a change on any cluster belongs to; each cluster object carries its owner's uid. */
  #onClusterChange(informer: Informer<EngineObject>, wake: (key: string) => void): () => void {
    const wakeOwner = (uid: string) => {
      for (const key of informer.keysByIndex('uid', uid)) wake(key);
    };
    const waker: ClusterWaker = { wakeOwner, leave: new Map() };
    this.#wakers.add(waker);
    this.#follow(waker);
    return () => {
      this.#wakers.delete(waker);
      for (const leave of waker.leave.values()) leave();
    };
  }

  #follow({ wakeOwner, leave }: ClusterWaker): void {
    const { clusters } = this.#options;
    for (const name of clusters.names()) {
      const access = leave.has(name) ? undefined : clusters.of(name);
      if (access) leave.set(name, this.#watch(access).onChange(wakeOwner));
    }
  }

  #watch(access: ClusterAccess): ClusterWatch {
    const known = this.#watches.get(access.name);
    if (known) return known;
    const { clock, random, log, installation } = this.#options;
    const watch = watchCluster({
      name: access.name,
      client: access.client,
      profiles: access.cluster.profiles,
      installation: installation.id,
      clock,
      random,
      log,
    });
    this.#watches.set(access.name, watch);
    return watch;
  }

  #recorder(plugin: string, engine: string): EventRecorder {
    const name = `${engine}/${plugin}`;
    const known = this.#recorders.get(name);
    if (known) return known;
    const { kernel, engines, clock, random, log } = this.#options;
    const { metrics } = kernel;
    const recorder = createEventRecorder({ resources: engines.asPlatform(engine), component: plugin, metrics, clock, random, log });
    this.#recorders.set(name, recorder);
    return recorder;
  }
}
