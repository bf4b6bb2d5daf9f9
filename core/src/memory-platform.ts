import {
  type AnyKind,
  type Clock,
  families,
  type Logger,
  type LogLine,
  type Node,
  platformEngine,
  platformServices,
  type PodTemplate,
  type RenderSet,
  type Resources,
  type ResourceStore,
} from '@tappaas/sdk';
import { Application, Build, Release } from '@tappaas/sdk/kinds';
import { createAdmission } from './admission/admission.js';
import { loadKernelFrom, type GivenService, type Kernel, type LoadedPlugin, type StopReport } from './kernel/kernel.js';
import { auditForTaps } from './platform/audit/audit.js';
import { auditRecorder } from './platform/audit/audit-recorder.js';
import { loggerOf } from './kernel/lifecycle/plugin-log.js';
import { recordManifest } from './kernel/manifest/record.js';
import { ClusterAccesses } from './platform/clusters/cluster-access.js';
import { confidentialityOf } from './platform/sealing/confidentiality.js';
import { startControllers, type RunningControllers } from './platform/controllers/controllers.js';
import { openInstallation } from './platform/installation.js';
import { lateResources } from './platform/late-resources.js';
import { admit, deniedError, type Admitted, type DraftObject } from './platform/memory/admit.js';
import { RecordingAdmission } from './platform/memory/recording-admission.js';
import { EngineClient } from './platform/memory/engine-client.js';
import { listenOnLoopback } from './platform/memory/loopback-api.js';
import { memoryKeys } from './platform/memory/memory-keys.js';
import { openedStore } from './platform/opened-store.js';
import { platformAccess, type PlatformAccess } from './platform/access/platform-access.js';
import { memoryTokens } from './platform/memory/memory-tokens.js';
import { placePod, type Placing } from './platform/memory/placement.js';
import { renderObject, type RenderOptions } from './platform/memory/render.js';
import { Stepper } from './platform/memory/stepper.js';
import { WatchedEngines, type WrapResources } from './platform/memory/watched-engines.js';
import { sealingService } from './platform/sealing/sealing.js';
import { createSealer } from './secrets/envelope.js';
import { createMemoryStore } from './store/memory-store.js';

export interface MemoryPlatformOptions {
  readonly plugins: readonly LoadedPlugin[];
  /** Services that no plugin provides. A store is added when there is none. */
  readonly services?: readonly GivenService[];
  readonly clock: Clock;
  /** Returns a number from 0 to 1; also determines the order of work that may be done in any order. */
  readonly random: () => number;
  readonly log: (line: LogLine) => void;
  readonly version: string;
  /** Environment variables, for `secret()` fields. Default: none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Reports plugins whose handles outlive them. Default false. */
  readonly detectLeaks?: boolean;
  /** Wraps the resources of plugins. Default: unchanged. */
  readonly wrapResources?: WrapResources;
}

/** A whole platform in memory: real kernel, real engines, real controllers, which run on demand. */
export interface MemoryPlatform {
  readonly kernel: Kernel;
  /** Returns resources with the rights of the platform itself, of its own engine by default. */
  resources(engine?: string): Resources;
  /** Returns the result of the taps for an object without storing it. @throws TAP_OBJECT_INVALID, TAP_REQUEST_INVALID */
  admit(kind: AnyKind, draft: DraftObject): Promise<Admitted>;
  /** Returns the rendered objects for an object without storing it. @throws TAP_OBJECT_DENIED, TAP_RENDER_NOT_READY */
  render(kind: AnyKind, draft: DraftObject, options?: RenderOptions): Promise<RenderSet>;
  place(pod: PodTemplate, nodes: readonly Node[]): Promise<Placing>;
  /** Runs controllers until nothing is left to do. @throws TAP_RECONCILE_RESTLESS, TAP_RECONCILE_STUCK */
  settle(options: { readonly runsMax: number; readonly quietMsMax: number }): Promise<void>;
  /** Returns every stored object of every engine. */
  everything(): Promise<readonly { readonly engine: string; readonly kind: string; readonly object: object }[]>;
  /** Returns the base address of the API, which starts to listen at the first call. */
  url(): Promise<string>;
  stop(): Promise<StopReport>;
}

/** Starts a platform in memory: the stages of `startPlatform` in the same order, without listener, disk and cluster. */
export async function startMemoryPlatform(options: MemoryPlatformOptions): Promise<MemoryPlatform> {
  const enginesReady = Promise.withResolvers<WatchedEngines>();
  const kernel = await loadKernel(options, enginesReady.promise);
  try {
    const started = kernel.start();
    const store = await openedStore(kernel, started);
    const platform = new InMemory(options, kernel, store);
    await platform.startEngines();
    enginesReady.resolve(platform.engines);
    await started;
    await platform.startControllers();
    return platform;
  } catch (error) {
    await kernel.stop();
    throw error;
  }
}

function loadKernel(options: MemoryPlatformOptions, engines: Promise<WatchedEngines>): Promise<Kernel> {
  const { plugins, clock, random, log, version, env = {}, detectLeaks = false, services = [] } = options;
  const hasStore = services.some(({ service }) => service.id === families.store.id) || plugins.some(providesStore);
  const store = hasStore ? [] : [{ service: families.store, value: createMemoryStore({ clock }), key: 'store' }];
  const sealer = createSealer(memoryKeys());
  const toTaps = async () => auditForTaps({ kernel: await kernel, clock, log: loggerOf(log, clock) });
  const kernel: Promise<Kernel> = loadKernelFrom({
    plugins,
    services: [
      { service: platformServices.metrics, value: { text: async () => (await kernel).metrics.text() } },
      { service: platformServices.tokens, value: memoryTokens(() => kernel, clock) },
      { service: platformServices.sealing, value: sealingService(async () => sealer) },
      {
        service: platformServices.audit,
        value: auditRecorder({ audit: toTaps, engine: async () => (await engines).of(platformEngine), clock }),
      },
      { service: platformServices.credentials, value: { revoked: async () => undefined } },
      ...store,
      ...services,
    ],
    clock,
    random,
    env,
    log,
    kernelVersion: version,
    detectLeaks,
    resourcesFor: (instance, engine = platformEngine) => lateResources(async () => (await engines).asPlugin(instance, engine)),
  });
  return kernel;
}

/** Whether a plugin provides a store; a plugin that cannot be recorded is reported when it is loaded. */
export function providesStore({ plugin }: LoadedPlugin): boolean {
  try {
    return recordManifest(plugin, {}).provides.some(({ id }) => id === families.store.id);
  } catch {
    return false;
  }
}

class InMemory implements MemoryPlatform {
  readonly kernel: Kernel;
  readonly engines: WatchedEngines;
  readonly #options: MemoryPlatformOptions;
  readonly #store: ResourceStore;
  readonly #log: Logger;
  readonly #stepper: Stepper;
  readonly #admission: RecordingAdmission;
  readonly #access: PlatformAccess;
  readonly #further: AnyKind[] = [Application, Build, Release];
  readonly #stopping = new AbortController();
  readonly #undo: (() => Promise<unknown>)[] = [];
  #controllers: RunningControllers | undefined;
  #api: ReturnType<typeof listenOnLoopback> | undefined;
  #stopped: Promise<StopReport> | undefined;

  constructor(options: MemoryPlatformOptions, kernel: Kernel, store: ResourceStore) {
    const { clock, random, wrapResources = (resources) => resources } = options;
    this.#options = options;
    this.kernel = kernel;
    this.#store = store;
    this.#log = loggerOf(options.log, clock);
    this.#stepper = new Stepper(random);
    const confidentiality = confidentialityOf(kernel);
    this.#access = platformAccess(kernel, (name) => this.engines.all.get(name));
    const { isProjectOnly } = this.#access;
    this.#admission = new RecordingAdmission(createAdmission({ dispatch: kernel.hooks, confidentiality, isProjectOnly }));
    const furtherKinds = () => this.#further.map((kind) => ({ kind, plugin: 'kernel' }));
    const parts = { kernel, store, admission: this.#admission, sealer: createSealer(memoryKeys()), authenticate: () => undefined };
    const { createQueue } = this.#stepper;
    const shared = { access: this.#access, clock, random, log: this.#log, furtherKinds, createQueue };
    this.engines = new WatchedEngines({ ...parts, ...shared }, wrapResources);
  }

  async startEngines(): Promise<void> {
    await this.engines.start();
    this.#undo.push(() => this.engines.close());
  }

  async startControllers(): Promise<void> {
    const { kernel, engines } = this;
    const { clock, random, version } = this.#options;
    const log = this.#log;
    engines.collectGarbage();
    const clusters = new ClusterAccesses({
      clusters: kernel.services.family(families.cluster),
      context: () => kernel.platformContext(),
      pluginOf: () => kernel.pluginOf(),
      clock,
      random,
      version,
      log,
      clientOf: (name) => {
        const engine = engines.all.get(name);
        return engine && new EngineClient(engine, clock);
      },
    });
    this.#undo.push(() => clusters.close());
    const installation = await openInstallation(this.#store);
    const { createQueue, onReport } = this.#stepper;
    const world = { kernel, engines, store: this.#store, clusters, installation };
    const controllers = startControllers({ ...world, clock, random, log, createQueue, onReport });
    this.#controllers = controllers;
    this.#undo.push(() => controllers.stop());
    const leave = kernel.onGeneration(async (registrations) => {
      await engines.follow(registrations);
      await controllers.follow();
    });
    this.#undo.push(async () => leave());
    kernel.startTasks();
  }

  resources(engine = platformEngine): Resources {
    return this.engines.asPlatform(engine);
  }

  async admit(kind: AnyKind, draft: DraftObject): Promise<Admitted> {
    await this.#serve(kind);
    const engine = this.engines.of(platformEngine);
    return admit({ engine, resources: this.resources(), admission: this.#admission, signal: this.#stopping.signal }, kind, draft);
  }

  async render(kind: AnyKind, draft: DraftObject, options: RenderOptions = {}): Promise<RenderSet> {
    const { denials, object } = await this.admit(kind, draft);
    if (denials.length > 0) throw deniedError(kind, draft.name, denials);
    const resourcesOf = (plugin: string) => this.engines.asPlugin(plugin, platformEngine);
    return renderObject({ kernel: this.kernel, resourcesOf }, kind, object, options);
  }

  place(pod: PodTemplate, nodes: readonly Node[]): Promise<Placing> {
    return placePod(this.kernel, pod, nodes, this.#options.random);
  }

  settle(options: { readonly runsMax: number; readonly quietMsMax: number }): Promise<void> {
    const isCaughtUp = async (signal: AbortSignal) => (await this.#controllers?.isCaughtUp(signal)) ?? true;
    return this.#stepper.settle({ ...options, isCaughtUp });
  }

  async everything(): ReturnType<MemoryPlatform['everything']> {
    const all = [...this.engines.all.values()].flatMap((engine) => engine.kinds().map((served) => ({ engine, served })));
    const stored = all.filter(({ served }) => served.verbs.includes('list'));
    const lists = stored.map(async ({ engine, served }) => {
      const { group, version, plural, kind } = served;
      const { items } = await engine.list({ target: { kind: { group, version, plural } }, signal: this.#stopping.signal });
      return items.map(({ object }) => ({ engine: engine.name, kind, object }));
    });
    return (await Promise.all(lists)).flat();
  }

  async url(): Promise<string> {
    const { kernel, engines } = this;
    const { clock, random, version } = this.#options;
    this.#api ??= listenOnLoopback({ kernel, engines, authorize: this.#access.authorize, clock, random, log: this.#log, version });
    return (await this.#api).url;
  }

  stop(): Promise<StopReport> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Stops everything in reverse order; errors do not keep the rest from being stopped. */
  async #stop(): Promise<StopReport> {
    this.#stopping.abort();
    if (this.#api) await (await this.#api).close();
    for (const undo of this.#undo.toReversed()) await undo();
    return this.kernel.stop();
  }

  /** Serves a kind that no plugin contributes from its first use on. */
  async #serve(kind: AnyKind): Promise<void> {
    const served = this.engines.of(platformEngine).kinds();
    if (served.some((each) => each.group === kind.group && each.kind === kind.kind)) return;
    this.#further.push(kind);
    await this.engines.follow(this.kernel.registrations());
  }
}
