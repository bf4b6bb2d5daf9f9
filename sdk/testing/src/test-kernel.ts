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
import type { StopReport } from '@tappaas/core';
import type { HttpResult } from './http-request.js';
import type { Loaded } from './load.js';
import { startMemoryKernel } from './memory-test-kernel.js';

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
  /** The data of a GraphQL query or mutation as the API's administrator. @throws Error with the whole answer when it has errors */
  graphql(query: string, variables?: object): Promise<unknown>;
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
export function startTestKernel(options: TestKernelOptions): Promise<TestKernel> {
  return startMemoryKernel(options);
}
