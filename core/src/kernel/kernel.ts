import type { Clock, Context, KeyedService, LogLine, PlatformEvent, Plugin, Resources, Service } from '@tappaas/sdk';
import type { Dispatch, Scope } from './hooks/dispatch.js';
import type { MetricRegistry } from './metrics/registry.js';
import type { Tracing } from './tracing/tracer.js';
import type { PluginState } from './plugin-state.js';
import type { Problem } from './problem.js';
import type { ConnectEngine, Registrations } from './registrations.js';
import type { LoadedConfiguration } from './config/configuration.js';
import { createKernel } from './lifecycle/create-kernel.js';
import { filePlans, memoryPlans } from './lifecycle/plan-source.js';
import type { SharedState } from './lifecycle/shared-state.js';

export type * from './hooks/dispatch.js';
export type * from './registrations.js';
export type { PluginState } from './plugin-state.js';
export { formatProblem, type Problem, type Position } from './problem.js';
export { ConfigurationError } from './lifecycle/configuration-error.js';
export { extendContext } from './guard/call-context.js';
export { callingPlugin, pluginOf } from './guard/identity.js';
export { createMetricRegistry } from './metrics/registry.js';
export type { MetricRegistry } from './metrics/registry.js';
export { memoryState, type SharedState } from './lifecycle/shared-state.js';

/** The environment of the kernel; it reads nothing else from its surroundings. */
export interface KernelEnvironment {
  readonly clock: Clock;
  /** Monotonic milliseconds with fractions, for durations. Default: `performance.now`. */
  readonly monotonicMs?: () => number;
  /** Returns a number from 0 to 1; used to spread back-offs. */
  readonly random: () => number;
  /** Environment variables, for `secret()` fields. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives every line of the kernel and of the plugins. */
  readonly log: (line: LogLine) => void;
  readonly kernelVersion: string;
  /** Returns `asPlugin` of an instance; without `engine`, on the platform's. Methods may be called only after the store has started. */
  readonly resourcesFor: (instance: string, engine?: string) => Resources;
  /** Whether this replica currently runs `leader` tasks. Default: always. */
  readonly isLeader?: () => boolean;
  /** Whether this process runs `every-machine` tasks, which one process per machine does. Default: always. */
  readonly isOnlyOnMachine?: () => boolean;
  /** Returns a service of another process that replaces a plugin's own `make`, such as the store in a process that only serves the API. */
  readonly elsewhere?: (service: Service<unknown>, instance: string) => object | undefined;
  /** Where instances keep state that all processes of the platform share. Default: in the memory of this one. */
  readonly platformState?: SharedState;
  /** Default: a registry of the kernel's own. */
  readonly metrics?: MetricRegistry;
  /** Enables a thread that reports which plugin blocks the event loop. Default false; enabled in the platform's process. */
  readonly watchdog?: boolean;
  /** Reports plugins whose handles outlive them. Default false: it costs 0.2 µs per timer and socket. */
  readonly detectLeaks?: boolean;
}

/** A service that no plugin provides, such as a fake of the test kit. `key` is required for families. */
export interface GivenService {
  readonly service: Service<unknown>;
  readonly value: unknown;
  readonly key?: string;
}

/** Options for loading a configuration file. */
export interface KernelOptions extends KernelEnvironment {
  readonly configFile: string;
  /** Schemas of top-level sections of the file that belong to the composition root, such as `api`. */
  readonly sections?: Readonly<Record<string, object>>;
  /** Finds the directory of a package; default: `node_modules` above the configuration file, then above the kernel. */
  readonly resolvePackage?: (name: string, fromDirectory: string) => Promise<string | undefined>;
  readonly services?: readonly GivenService[];
  /** Services that the composition root needs; a configuration without a provider for one is refused. */
  readonly requires?: readonly Service<unknown>[];
}

/** A plugin of an in-memory kernel; `options` are the settings beside `use` and `config`. */
export interface LoadedPlugin {
  readonly id: string;
  readonly plugin: Plugin;
  readonly config?: unknown;
  readonly options?: {
    readonly mode?: 'enforce' | 'shadow' | 'off';
    readonly onBootFailure?: 'stop' | 'continue';
    readonly limits?: Readonly<Record<string, { readonly timeoutMs?: number; readonly failurePolicy?: 'fail' | 'ignore' }>>;
  };
}

/** Options for loading plugins from memory: without files and lock, otherwise the same kernel. */
export interface InMemoryOptions extends KernelEnvironment {
  readonly plugins: readonly LoadedPlugin[];
  readonly order?: Readonly<Record<string, readonly string[]>>;
  readonly services?: readonly GivenService[];
}

export interface ReloadResult {
  /** `refused`: nothing changed, see `problems`. `unchanged`: the configuration equals the running one. */
  readonly outcome: 'applied' | 'unchanged' | 'refused';
  readonly problems: readonly Problem[];
  readonly added: readonly string[];
  /** No longer configured. */
  readonly removed: readonly string[];
  /** Still configured, but with `mode: off`: no longer loaded. */
  readonly turnedOff: readonly string[];
  readonly restarted: readonly string[];
  /** Applied their new configuration without a restart. */
  readonly reconfigured: readonly string[];
}

export interface StopReport {
  readonly errors: readonly { readonly plugin: string; readonly error: Error }[];
  /** Handles that outlived their plugin. */
  readonly leaks: readonly { readonly plugin: string; readonly resource: string; readonly openedAt: string }[];
}

/** The services of plugins for the stages: live, guarded, and following reloads. */
export interface Services {
  family<T>(family: KeyedService<T>): ReadonlyMap<string, T>;
  /** Returns the provider of a `one` service or of a family with a single provider; undefined while there is none. */
  provided<T>(service: Service<T>): T | undefined;
  /** Resolves with the provider as soon as there is one, which may be never; callers must end the wait themselves. */
  whenProvided<T>(service: Service<T>): Promise<T>;
}

/** The loaded plugins. */
export interface Kernel {
  /** Returns problems and notes of the running configuration: only notes, since errors prevent loading. */
  check(): readonly Problem[];
  /** Makes providers and runs `onStart`, level by level. @throws TAP_PLUGIN_START_FAILED after everything started was stopped again. */
  start(): Promise<void>;
  /** Starts background tasks; called once the API listens. */
  startTasks(): void;
  /** Applies the current configuration; in-memory kernels pass `plugins` instead. Never throws because of a configuration. */
  reload(plugins?: readonly LoadedPlugin[]): Promise<ReloadResult>;
  /** Stops everything in reverse order. Idempotent, and allowed without a start. */
  stop(): Promise<StopReport>;
  readonly hooks: Dispatch;
  readonly services: Services;
  registrations(): Registrations;
  /** Calls and awaits the listener for every new generation, after the swap and before replaced instances stop. */
  onGeneration(listener: (now: Registrations, before: Registrations) => void | Promise<void>): () => void;
  onEvent(listener: (event: PlatformEvent) => void): () => void;
  plugins(): readonly PluginState[];
  /** Returns the state of one plugin by instance id. */
  plugin(id: string): PluginState | undefined;
  readonly metrics: MetricRegistry;
  readonly tracing: Tracing;
  readonly config: LoadedConfiguration;
  /** A context of the platform itself for calling services; the guard replaces it with the provider's own. */
  platformContext(scope?: Scope): Context;
  /** Returns the instance whose code is running, or which `error` names; for logs, Kubernetes calls and uncaught errors. */
  pluginOf(error?: unknown): string | undefined;
  connectEngines(connect: ConnectEngine): void;
}

/*
 * The lifecycle of a plugin.
 *
 *  1. Read the configuration and what it extends (config/files.ts).
 *  2. Find each package and read its manifest, which is data, not code (manifest/package-source.ts).
 *  3. Compare with tappaas.lock: the bytes and permissions that were accepted; with the kernel's version and hook contracts.
 *  4. Check every plugin's configuration against its schema (config/schema-check.ts).
 *  5. Determine start order and tap order; find unknown names, cycles and double owners (graph/).
 *     All problems of 1 to 5 are reported together (plan/plan.ts); no plugin code has run yet.
 *  6. Import the packages.
 *  7. Run every `setup`: synchronous, without I/O, registering exactly what the manifest says (setup/, lifecycle/set-up.ts).
 *  8. Build the generation of hooks (lifecycle/make-taps.ts, hooks/generation.ts).
 *  9. Run providers, then `onStart`, level by level, in parallel within a level, 10 s each; a failure stops what was started, in reverse
 *     (lifecycle/start-levels.ts).
 * 10. Ready: taps are called, tasks run.
 *
 * Stop reverses this, with 5 s each, and collects errors. A reload runs 1 to 5 for everything and 6 to 9 for new instances before it swaps;
 * until then an error changes nothing (lifecycle/reload.ts).
 */

/** Runs steps 1 to 8 for a configuration file. @throws ConfigurationError (exit code 78) with every problem; TAP_PLUGIN_START_FAILED */
export function loadKernel(options: KernelOptions): Promise<Kernel> {
  return createKernel(options, options.services ?? [], (stored, warn) => filePlans(options, stored, warn));
}

/** Runs the same steps for plugins in memory, whose manifests are recorded on the way. */
export function loadKernelFrom(options: InMemoryOptions): Promise<Kernel> {
  return createKernel(options, options.services ?? [], (stored) => memoryPlans(options, stored));
}
