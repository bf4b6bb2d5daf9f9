import {
  type AnyKind,
  type Capability,
  type Clock,
  type Denial,
  type Immutable,
  type Key,
  type KubernetesObject,
  type LogLine,
  type Node,
  type ObjectOf,
  type PodTemplate,
  type RenderFacts,
  type RenderSet,
  type Resources,
  type Service,
  type Strings,
} from '@tappaas/sdk';
import { formatProblem, startMemoryPlatform, type LoadedPlugin, type MemoryPlatform, type StopReport } from '@tappaas/core';
import { httpRequest, type HttpResult } from './http-request.js';
import type { Loaded } from './load.js';
import { patiently } from './patience.js';
import { randomFrom } from './random.js';
import { VirtualClock } from './virtual-clock.js';

/** An object as a test writes it: its key, its spec, and labels or annotations where they matter. */
export type Draft<K extends AnyKind> = Key & {
  readonly labels?: Strings;
  readonly annotations?: Strings;
} & (ObjectOf<K> extends { readonly spec: infer S } ? { readonly spec: S } : Readonly<Record<string, unknown>>);

/** A denial and the instance whose tap it was. */
export type PluginDenial = Denial & { readonly plugin: string };

/** What a rendering is given instead of what a cluster and the controller's `prepare` would say. */
export interface RenderOptions {
  readonly capabilities?: readonly Capability[];
  readonly facts?: RenderFacts;
  /** Base objects to shape, where the kind's controller is not loaded. */
  readonly base?: readonly KubernetesObject[];
}

/** Where a pod would go, and what the plugins said of each node. */
export interface Scheduled {
  /** Absent: no node is feasible, or a step refused the pod. */
  readonly node?: string;
  /** Reasons by node; under `''`, why a step refused the pod although nodes were feasible. */
  readonly rejected: Strings;
  /** Points by node and plugin. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A running kernel with its engines, in memory; `await using` stops it. */
export interface TestKernel extends AsyncDisposable {
  /** Objects of the platform with all rights; hooks are asked as for anybody. */
  readonly resources: Resources;
  /** The same of another engine, such as one that a plugin registered. */
  resourcesOf(engine: string): Resources;
  /** Moves only with {@link TestKernel.advance}. */
  readonly clock: Clock;
  /** The last 1,000 lines that the kernel and the plugins logged. */
  readonly log: readonly LogLine[];
  /** The metrics page. */
  metricsText(): string;
  /** Moves time on: tasks, deadlines and delays that fall into it happen, in order. */
  advance(ms: number): Promise<void>;
  /** Loads these plugins instead, as a reload of the configuration does. @throws Error with the operator's text when it is refused */
  reload(plugins: readonly Loaded[]): Promise<void>;
  /**
   * Asks the admission taps about an object, which is not stored: about its creation, or about its update when there is one of that
   * name. A namespace that does not exist is made.
   *
   * @throws TAP_OBJECT_INVALID when the object does not fit its kind.
   */
  admit<K extends AnyKind>(
    kind: K,
    object: Draft<K>,
  ): Promise<{ readonly denials: readonly PluginDenial[]; readonly object: Immutable<ObjectOf<K>> }>;
  /**
   * What the kind's controller and the render taps make of an object; nothing is applied. Without a controller of that kind, the taps
   * shape `options.base`.
   *
   * @throws TAP_OBJECT_DENIED when a plugin denies the object, TAP_RENDER_NOT_READY when the controller waits for something.
   */
  render<K extends AnyKind>(kind: K, object: Draft<K>, options?: RenderOptions): Promise<RenderSet>;
  /** Schedules a pod onto nodes that nothing runs on, with the loaded scheduling taps, all of weight 1. */
  schedule(pod: PodTemplate, nodes: readonly Node[]): Promise<Scheduled>;
  /**
   * Runs the controllers, which rest otherwise, until nothing is left to do now. Time stands still: what failed is tried again at
   * once, what asked for a later run waits for {@link TestKernel.advance}.
   *
   * @throws TAP_RECONCILE_RESTLESS after 1,000 runs, naming the keys that never rest; TAP_RECONCILE_STUCK after 10 s without a change.
   */
  reconcileUntilSettled(): Promise<void>;
  /** A request to the API as its administrator, such as to a plugin's route below `/plugins/{instance}`. */
  http(method: string, path: string, body?: string | Uint8Array, headers?: Strings): Promise<HttpResult>;
  /** Stops everything; may be called twice. Unlike `await using`, it does not throw what plugins failed at, but answers it. */
  stop(): Promise<StopReport>;
}

/** What a test kernel is made of. */
export interface TestKernelOptions {
  readonly plugins: readonly Loaded[];
  /** Services that no loaded plugin provides; of a family, the third is the instance they stand for (default: `test`). */
  readonly services?: readonly (readonly [service: Service<unknown>, value: unknown, key?: string])[];
  /** Decides the order of work that may be done in any order, and every other chance. Default 1; errors of the kit name it. */
  readonly seed?: number;
  /** Environment variables, for `secret()` fields. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** Tells of handles that outlive their plugin, in the report of `stop`. Default false. */
  readonly detectLeaks?: boolean;
  /** Stands between plugins and their resources: for faults. Default: nothing does. */
  readonly wrapResources?: (resources: Resources, plugin: string, engine: string) => Resources;
}

const version = '0.1.0';
const runsMax = 1_000;
const quietMsMax = 10_000;
const logLinesMax = 1_000;

/**
 * Starts the real kernel with a store in memory and a clock that stands still.
 *
 * @throws ConfigurationError with every problem in the operator's words; TAP_PLUGIN_START_FAILED.
 * @example
 * ```ts
 * await using kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 })] });
 * const { denials } = await kernel.admit(Application, draft);
 * ```
 */
export async function startTestKernel(options: TestKernelOptions): Promise<TestKernel> {
  const clock = new VirtualClock();
  const log: LogLine[] = [];
  const { seed = 1, services = [], env, detectLeaks, wrapResources } = options;
  const platform = await patiently(
    clock,
    startMemoryPlatform({
      plugins: options.plugins.map(loadedPlugin),
      services: services.map(([service, value, key = 'test']) =>
        service.arity === 'keyed' ? { service, value, key } : { service, value },
      ),
      clock,
      random: randomFrom(seed),
      version,
      log: (line) => {
        if (log.push(line) > logLinesMax) log.shift();
      },
      ...(env ? { env } : {}),
      ...(detectLeaks === undefined ? {} : { detectLeaks }),
      ...(wrapResources ? { wrapResources } : {}),
    }),
  );
  return new MemoryTestKernel(platform, clock, log, seed);
}

const loadedPlugin = ({ id, plugin, config, options }: Loaded): LoadedPlugin => ({ id, plugin, config, options });

class MemoryTestKernel implements TestKernel {
  readonly clock: VirtualClock;
  readonly log: readonly LogLine[];
  readonly #platform: MemoryPlatform;
  readonly #seed: number;

  constructor(platform: MemoryPlatform, clock: VirtualClock, log: readonly LogLine[], seed: number) {
    this.clock = clock;
    this.log = log;
    this.#platform = platform;
    this.#seed = seed;
  }

  get resources(): Resources {
    return this.#platform.resources();
  }

  resourcesOf(engine: string): Resources {
    return this.#platform.resources(engine);
  }

  metricsText(): string {
    return this.#platform.kernel.metrics.text();
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  async reload(plugins: readonly Loaded[]): Promise<void> {
    const { outcome, problems } = await patiently(this.clock, this.#platform.kernel.reload(plugins.map(loadedPlugin)));
    if (outcome === 'refused') throw new Error(`the reload was refused:\n${problems.map(formatProblem).join('\n')}`);
  }

  async admit<K extends AnyKind>(
    kind: K,
    draft: Draft<K>,
  ): Promise<{ readonly denials: readonly PluginDenial[]; readonly object: Immutable<ObjectOf<K>> }> {
    const { denials, object } = await this.#platform.admit(kind, draft);
    const named = denials.map(({ plugin = 'platform', ...denial }) => ({ ...denial, plugin }));
    return { denials: named, object: object as unknown as Immutable<ObjectOf<K>> };
  }

  render<K extends AnyKind>(kind: K, draft: Draft<K>, options: RenderOptions = {}): Promise<RenderSet> {
    return this.#platform.render(kind, draft, options);
  }

  schedule(pod: PodTemplate, nodes: readonly Node[]): Promise<Scheduled> {
    return this.#platform.place(pod, nodes);
  }

  async reconcileUntilSettled(): Promise<void> {
    try {
      await this.#platform.settle({ runsMax, quietMsMax });
    } catch (error) {
      if (error instanceof Error) error.message += ` (seed ${this.#seed})`;
      throw error;
    }
  }

  async http(method: string, path: string, body?: string | Uint8Array, headers: Strings = {}): Promise<HttpResult> {
    const url = await this.#platform.url();
    const type = { 'content-type': contentType(method, body) };
    return httpRequest(`${url}${path}`, method, body, { authorization: 'Bearer test', ...(body === undefined ? {} : type), ...headers });
  }

  stop(): Promise<StopReport> {
    return patiently(this.clock, this.#platform.stop());
  }

  /** A plugin that does not stop cleanly fails the test that used it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { errors, leaks } = await this.stop();
    const messages = [
      ...errors.map(({ plugin, error }) => `plugin ${plugin}: ${error.message}`),
      ...leaks.map(({ plugin, resource, openedAt }) => `plugin ${plugin} left a handle open: ${resource}, opened at ${openedAt}`),
    ];
    if (messages.length > 0) throw new Error(`the plugins did not stop cleanly: ${messages.join('; ')}`, { cause: errors[0]?.error });
  }
}

function contentType(method: string, body: string | Uint8Array | undefined): string {
  if (typeof body !== 'string') return 'application/octet-stream';
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}
