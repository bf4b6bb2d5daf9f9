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

/** What the kernel needs of its surroundings; nothing else is read from the environment. */
export interface KernelEnvironment {
  readonly clock: Clock;
  /** Rising milliseconds with fractions, for durations. Default: `performance.now`. */
  readonly monotonicMs?: () => number;
  /** Between 0 and 1; spreads back-offs. */
  readonly random: () => number;
  /** Environment variables, for `secret()` fields. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes every line of the kernel and of the plugins. */
  readonly log: (line: LogLine) => void;
  readonly kernelVersion: string;
  /** `asPlugin` of an instance; `engine` absent: the platform's. Methods may be called only after the start of the store. */
  readonly resourcesFor: (instance: string, engine?: string) => Resources;
  /** Whether this replica runs `leader` tasks now. Default: always. */
  readonly isLeader?: () => boolean;
  /** Whether this process runs `every-machine` tasks: one process of each machine does. Default: always. */
  readonly isOnlyOnMachine?: () => boolean;
  /** What another process provides in place of a plugin's own `make`, such as the store of a process that only serves the API. */
  readonly elsewhere?: (service: Service<unknown>, instance: string) => object | undefined;
  /** Where instances keep what all processes of the platform share. Default: in the memory of this one. */
  readonly platformState?: SharedState;
  /** Default: a registry of the kernel's own. */
  readonly metrics?: MetricRegistry;
  /** A thread that names the plugin blocking the event loop while it does. Default false; on in the platform's process. */
  readonly watchdog?: boolean;
  /** Names plugins whose handles outlive them. Default false: it costs 0.2 µs per timer and socket. */
  readonly detectLeaks?: boolean;
}

/** Services that come from outside of plugins: the test kit's fakes. `key` is obligatory for families. */
export interface GivenService {
  readonly service: Service<unknown>;
  readonly value: unknown;
  readonly key?: string;
}

/** Loads what a configuration file says. */
export interface KernelOptions extends KernelEnvironment {
  readonly configFile: string;
  /** Top-level sections of the file that belong to the composition root, such as `api`, with their schemas. */
  readonly sections?: Readonly<Record<string, object>>;
  /** Directory of a package by name; default: `node_modules` above the configuration file, then above the kernel. */
  readonly resolvePackage?: (name: string, fromDirectory: string) => Promise<string | undefined>;
  readonly services?: readonly GivenService[];
  /** Services that the composition root cannot do without; a configuration in which nobody provides one is refused. */
  readonly requires?: readonly Service<unknown>[];
}

/** One plugin of an in-memory kernel; `options` are what an operator may write beside `use` and `config`. */
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

/** Loads plugins from memory: no files, no lock, otherwise the same kernel. */
export interface InMemoryOptions extends KernelEnvironment {
  readonly plugins: readonly LoadedPlugin[];
  readonly order?: Readonly<Record<string, readonly string[]>>;
  readonly services?: readonly GivenService[];
}

export interface ReloadResult {
  /** `refused`: nothing changed, `problems` say why. `unchanged`: the configuration says what already runs. */
  readonly outcome: 'applied' | 'unchanged' | 'refused';
  readonly problems: readonly Problem[];
  readonly added: readonly string[];
  /** No longer configured. */
  readonly removed: readonly string[];
  /** Still configured, with `mode: off`: no longer loaded. */
  readonly turnedOff: readonly string[];
  readonly restarted: readonly string[];
  /** Took their new configuration over without a restart. */
  readonly reconfigured: readonly string[];
}

export interface StopReport {
  readonly errors: readonly { readonly plugin: string; readonly error: Error }[];
  /** Handles that outlived their plugin. */
  readonly leaks: readonly { readonly plugin: string; readonly resource: string; readonly openedAt: string }[];
}

/** Services of plugins as the stages use them: live, guarded, following reloads. */
export interface Services {
  family<T>(family: KeyedService<T>): ReadonlyMap<string, T>;
  /** The provider of a `one` service or of a family with a single provider; undefined while there is none. */
  provided<T>(service: Service<T>): T | undefined;
  /** The same as soon as there is one. It may never come: for callers that end the wait themselves. */
  whenProvided<T>(service: Service<T>): Promise<T>;
}

/** The loaded plugins. */
export interface Kernel {
  /** Problems and notes of the configuration that is running: only notes, since errors refuse to load. */
  check(): readonly Problem[];
  /** Makes providers and runs `onStart`, level by level. @throws TAP_PLUGIN_START_FAILED after everything started was stopped again. */
  start(): Promise<void>;
  /** Starts background tasks: once the API listens. */
  startTasks(): void;
  /** Takes over what the configuration says now; in-memory kernels take `plugins` instead. Never throws because of a configuration. */
  reload(plugins?: readonly LoadedPlugin[]): Promise<ReloadResult>;
  /** Stops everything in reverse; may be called twice and without a start. */
  stop(): Promise<StopReport>;
  readonly hooks: Dispatch;
  readonly services: Services;
  registrations(): Registrations;
  /** Hears every new generation after the swap, before what was replaced stops; is awaited. */
  onGeneration(listener: (now: Registrations, before: Registrations) => void | Promise<void>): () => void;
  onEvent(listener: (event: PlatformEvent) => void): () => void;
  plugins(): readonly PluginState[];
  /** One of them, by instance id. */
  plugin(id: string): PluginState | undefined;
  readonly metrics: MetricRegistry;
  readonly tracing: Tracing;
  readonly config: LoadedConfiguration;
  /** A context of the platform itself, for calling services; the guard replaces it by the provider's own. */
  platformContext(scope?: Scope): Context;
  /** Instance whose code is running now, or whose `error` it is; for logs, Kubernetes calls and uncaught errors. */
  pluginOf(error?: unknown): string | undefined;
  connectEngines(connect: ConnectEngine): void;
}

/*
 * The life of a plugin.
 *
 *  1. Read the configuration and what it extends (config/files.ts).
 *  2. Find each package beside it and read its manifest: data, no code (manifest/package-source.ts).
 *  3. Compare with tappaas.lock: the bytes and permissions that were accepted; with the kernel's version and hook contracts.
 *  4. Check every plugin's configuration against its schema (config/schema-check.ts).
 *  5. Order: who starts after whom, which tap comes first; unknown names, cycles and double owners (graph/).
 *     All problems of 1 to 5 are told at once (plan/plan.ts), and nothing has run yet.
 *  6. Import the packages.
 *  7. Run every `setup`: synchronous, without I/O, registering exactly what the manifest says (setup/, lifecycle/set-up.ts).
 *  8. Build the generation of hooks (lifecycle/make-taps.ts, hooks/generation.ts).
 *  9. Providers, then `onStart`, level by level, in parallel inside a level, 10 s each; a failure stops what was started, in reverse
 *     (lifecycle/start-levels.ts).
 * 10. Ready: taps answer, tasks run.
 *
 * Stop is the reverse, 5 s each, errors collected. A reload does 1 to 5 for everything and 6 to 9 for what is new before it swaps;
 * until then an error leaves everything as it was (lifecycle/reload.ts).
 */

/** Steps 1 to 8 for a configuration file. @throws ConfigurationError (exit code 78) with every problem; TAP_PLUGIN_START_FAILED */
export function loadKernel(options: KernelOptions): Promise<Kernel> {
  return createKernel(options, options.services ?? [], (stored, warn) => filePlans(options, stored, warn));
}

/** The same for plugins that are already in memory: their manifests are recorded on the way. */
export function loadKernelFrom(options: InMemoryOptions): Promise<Kernel> {
  return createKernel(options, options.services ?? [], (stored) => memoryPlans(options, stored));
}
