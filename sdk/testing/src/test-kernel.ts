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

/** An object as tests write it: its key, its spec, and labels or annotations if needed. */
export type Draft<K extends AnyKind> = Key & {
  readonly labels?: Strings;
  readonly annotations?: Strings;
} & (ObjectOf<K> extends { readonly spec: infer S } ? { readonly spec: S } : Readonly<Record<string, unknown>>);

/** A denial, with the instance id of the plugin that denied. */
export type PluginDenial = Denial & { readonly plugin: string };

/** Replacements for what a cluster and the controller's `prepare` would provide. */
export interface RenderOptions {
  readonly capabilities?: readonly Capability[];
  readonly facts?: RenderFacts;
  /** Base objects for the render taps, if the kind's controller is not loaded. */
  readonly base?: readonly KubernetesObject[];
}

/** Where a pod would be placed, and the plugins' verdicts on each node. */
export interface Scheduled {
  /** Absent if no node is feasible, or a step rejected the pod. */
  readonly node?: string;
  /** Reasons by node; under `''`, why a step rejected the pod although nodes were feasible. */
  readonly rejected: Strings;
  /** Points by node, then by plugin. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A running kernel with its engines, in memory; `await using` stops it. */
export interface TestKernel extends AsyncDisposable {
  /** The platform's objects with all rights; hooks run as for any caller. */
  readonly resources: Resources;
  /** The objects of another engine, such as one that a plugin registered. */
  resourcesOf(engine: string): Resources;
  /** The virtual clock, which {@link TestKernel.advance} moves. */
  readonly clock: Clock;
  /** The last 1,000 log lines of the kernel and the plugins. */
  readonly log: readonly LogLine[];
  /** The metrics page as text. */
  metricsText(): string;
  /** Advances the clock; tasks, deadlines and delays that become due run in order. */
  advance(ms: number): Promise<void>;
  /** Replaces the loaded plugins, like a reload of the configuration. @throws Error with the operator's message when it is refused */
  reload(plugins: readonly Loaded[]): Promise<void>;
  /**
   * Runs the admission taps on an object without storing it: as an update if an object of that name exists, otherwise as a create. Creates
   * the namespace if it does not exist.
   *
   * @throws TAP_OBJECT_INVALID when the object does not fit its kind.
   */
  admit<K extends AnyKind>(
    kind: K,
    object: Draft<K>,
  ): Promise<{ readonly denials: readonly PluginDenial[]; readonly object: Immutable<ObjectOf<K>> }>;
  /**
   * Renders an object with its kind's controller and the render taps; applies nothing. Without a controller for the kind, the taps get
   * `options.base`.
   *
   * @throws TAP_OBJECT_DENIED when a plugin denies the object, TAP_RENDER_NOT_READY when the controller waits for something.
   */
  render<K extends AnyKind>(kind: K, object: Draft<K>, options?: RenderOptions): Promise<RenderSet>;
  /** Schedules a pod onto empty nodes with the loaded scheduling taps, all with weight 1. */
  schedule(pod: PodTemplate, nodes: readonly Node[]): Promise<Scheduled>;
  /**
   * Runs the controllers, which do not run otherwise, until none has work that is due. The clock stands still: failed runs are retried at
   * once, later runs that a controller requested wait for {@link TestKernel.advance}.
   *
   * @throws TAP_RECONCILE_RESTLESS after 1,000 runs, naming the keys that never rest; TAP_RECONCILE_STUCK after 10 s without a change.
   */
  reconcileUntilSettled(): Promise<void>;
  /** Sends a request to the API as its administrator, for example to a plugin's route below `/plugins/{instance}`. */
  http(method: string, path: string, body?: string | Uint8Array, headers?: Strings): Promise<HttpResult>;
  /**
   * Executes a GraphQL query or mutation as the API's administrator; returns its data. @throws Error with the whole response if it has
   * errors
   */
  graphql(query: string, variables?: object): Promise<unknown>;
  /** Stops everything; may be called twice. Unlike `await using`, it returns the errors of plugins instead of throwing them. */
  stop(): Promise<StopReport>;
}

/** Options of a test kernel. */
export interface TestKernelOptions {
  readonly plugins: readonly Loaded[];
  /** Services that no loaded plugin provides; for a family, the third element is the instance id (default: `test`). */
  readonly services?: readonly (readonly [service: Service<unknown>, value: unknown, key?: string])[];
  /** Seed of all randomness, including the order of concurrent work. Default: 1; `reconcileUntilSettled` names it in errors. */
  readonly seed?: number;
  /** Environment variables, for `secret()` fields. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lists handles that outlive their plugin in the report of `stop`. Default: false. */
  readonly detectLeaks?: boolean;
  /** Wraps the resources of plugins, to inject faults. Default: no wrapper. */
  readonly wrapResources?: (resources: Resources, plugin: string, engine: string) => Resources;
}

/**
 * Starts the real kernel with an in-memory store and a virtual clock.
 *
 * @throws ConfigurationError with every problem as an operator would read it; TAP_PLUGIN_START_FAILED.
 * @example
 * ```ts
 * await using kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 })] });
 * const { denials } = await kernel.admit(Application, draft);
 * ```
 */
export function startTestKernel(options: TestKernelOptions): Promise<TestKernel> {
  return startMemoryKernel(options);
}
