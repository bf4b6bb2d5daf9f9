import type { Context, HookDeclaration, PlatformEvent } from '@tappaas/sdk';
import { hooks } from '@tappaas/sdk';
import { configuredValues, type LoadedConfiguration } from '../config/configuration.js';
import { lifecycleErrors } from '../errors.js';
import { CallContext } from '../guard/call-context.js';
import { pluginOf } from '../guard/identity.js';
import type { LeakDetector } from '../guard/leak-detector.js';
import type { PluginScope } from '../guard/plugin-scope.js';
import type { Watchdog } from '../guard/watchdog.js';
import { Dispatcher } from '../hooks/dispatcher.js';
import { Generation } from '../hooks/generation.js';
import type { Kernel, LoadedPlugin, ReloadResult, Services, StopReport } from '../kernel.js';
import type { PluginState } from '../plugin-state.js';
import type { Problem } from '../problem.js';
import type { ConnectEngine, Registrations } from '../registrations.js';
import type { Scope } from '../hooks/dispatch.js';
import { comparePlans, restartProblems } from './compare-plans.js';
import { errorsOf } from './configuration-error.js';
import type { Instance } from './instance.js';
import { makeRegistrations } from './make-registrations.js';
import { makeTaps } from './make-taps.js';
import type { MemoryPlans, PlanSource } from './plan-source.js';
import { pluginState, pluginStates } from './plugin-states.js';
import { prepare, problemOf, ReloadRefused, type Prepared } from './reload.js';
import { refused, reportApplied, reportRefused, unchanged } from './reload-report.js';
import type { Running } from './running.js';
import { messageOf } from './start-instance.js';
import { startLevels, stopLevels, type Started } from './start-levels.js';
import type { StopFault } from './stop-instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { startTasks } from './tasks.js';

/** Time limit for all listeners of a new generation, and for calls on the old one to end. */
const generationLimitMs = 60_000;

export interface KernelParts {
  readonly lifecycleParts: LifecycleParts;
  readonly source: PlanSource | MemoryPlans;
  readonly hooks: ReadonlyMap<string, HookDeclaration>;
  /** The scope of the platform's own calls of services. */
  readonly platform: PluginScope;
  readonly platformStop: AbortController;
  readonly events: Set<(event: PlatformEvent) => void>;
  readonly engines: { connect: ConnectEngine | undefined };
  readonly watchdog: Watchdog | undefined;
  readonly leaks: LeakDetector | undefined;
  readonly wheel: { close(): void };
}

export class PluginKernel implements Kernel {
  readonly hooks: Dispatcher;
  readonly services: Services;
  readonly #parts: KernelParts;
  readonly #generations = new Set<(now: Registrations, before: Registrations) => void | Promise<void>>();
  #running: Running;
  #started = false;
  /** Whether all levels have started. Before that, a stop aborts every instance to end the start early. */
  #hasBegun = false;
  #tasksStarted = false;
  #reloading: Promise<unknown> = Promise.resolve();
  #stopped: Promise<StopReport> | undefined;

  constructor(parts: KernelParts, running: Omit<Running, 'taps' | 'registrations' | 'begun'>) {
    this.#parts = parts;
    this.#running = { ...running, ...this.#assemble(running), begun: [] };
    this.hooks = new Dispatcher(new Generation(1, [...parts.hooks.values()], this.#running.taps));
    const { services } = parts.lifecycleParts;
    this.#tellListeners();
    this.services = {
      family: (family) => services.family(family),
      provided: (service) => services.provided(service),
      whenProvided: (service) => services.whenProvided(service),
    };
  }

  get metrics(): Kernel['metrics'] {
    return this.#parts.lifecycleParts.metrics;
  }

  get tracing(): Kernel['tracing'] {
    return this.#parts.lifecycleParts.devices.tracer;
  }

  get config(): LoadedConfiguration {
    const { root, plan } = this.#running;
    return { file: this.#parts.source.configFile, section: (name) => plan.sections[name], values: () => configuredValues(root) };
  }

  check(): readonly Problem[] {
    return this.#running.plan.problems;
  }

  registrations(): Registrations {
    return this.#running.registrations;
  }

  plugin(id: string): PluginState | undefined {
    return pluginState(this.#running, id);
  }

  plugins(): readonly PluginState[] {
    return pluginStates(this.#running);
  }

  onGeneration(listener: (now: Registrations, before: Registrations) => void | Promise<void>): () => void {
    this.#generations.add(listener);
    return () => void this.#generations.delete(listener);
  }

  onEvent(listener: (event: PlatformEvent) => void): () => void {
    this.#parts.events.add(listener);
    return () => void this.#parts.events.delete(listener);
  }

  connectEngines(connect: ConnectEngine): void {
    this.#parts.engines.connect = connect;
  }

  platformContext(scope?: Scope): Context {
    return new CallContext(this.#parts.platform, scope, scope?.deadlineAtMs ?? Infinity);
  }

  pluginOf(error?: unknown): string | undefined {
    return pluginOf(error);
  }

  async start(): Promise<void> {
    if (this.#stopped) throw lifecycleErrors.TAP_KERNEL_STOPPED({ message: 'the kernel was stopped' });
    if (this.#started) return;
    this.#started = true;
    const run = this.#startNow();
    this.#reloading = run.catch(() => {});
    await run;
  }

  async #startNow(): Promise<void> {
    const { plan, instances } = this.#running;
    const levels = plan.levels.map((level) => level.flatMap((id) => instances.get(id) ?? []));
    const { lifecycleParts } = this.#parts;
    const begun = await startLevels(levels, lifecycleParts, lifecycleParts.services, 'the platform did not start');
    this.#running = { ...this.#running, begun };
    this.#hasBegun = true;
  }

  startTasks(): void {
    if (this.#tasksStarted) return;
    this.#tasksStarted = true;
    for (const instance of this.#running.instances.values()) this.#startTasksOf(instance);
    const { lifecycleParts, platform } = this.#parts;
    const stored = () => this.#running.plan.instances.flatMap((instance) => instance.stored);
    void lifecycleParts.secrets.keepFresh(stored, new CallContext(platform, undefined, Infinity));
  }

  reload(plugins?: readonly LoadedPlugin[]): Promise<ReloadResult> {
    const run = this.#reloading.then(() => this.#reloadNow(plugins));
    this.#reloading = run.catch(() => {});
    return run;
  }

  stop(): Promise<StopReport> {
    if (this.#stopped === undefined) {
      for (const instance of this.#running.instances.values()) if (instance.phase === 'starting' || !this.#hasBegun) instance.abort();
      this.#stopped = this.#reloading.then(() => this.#stopNow());
    }
    return this.#stopped;
  }

  /** Combines the taps and registrations of instances in the order of the configuration. */
  #assemble({ plan, instances }: Pick<Running, 'plan' | 'instances'>): Pick<Running, 'taps' | 'registrations'> {
    const taps = makeTaps(plan.taps, instances, this.#parts.hooks, this.#parts.lifecycleParts);
    return { taps, registrations: makeRegistrations(instances.values(), taps) };
  }

  /** Attaches the listeners of metrics and spans only while there are telemetry taps, so that there is no cost otherwise. */
  #tellListeners(): void {
    const { tracer } = this.#parts.lifecycleParts.devices;
    tracer.listen(this.hooks.has(hooks.telemetry.span) ? (span) => void this.hooks.observe(hooks.telemetry.span, span) : undefined);
    const listened = this.hooks.has(hooks.telemetry.metric);
    this.metrics.listen(listened ? (sample) => void this.hooks.observe(hooks.telemetry.metric, sample) : undefined);
  }

  #startTasksOf(instance: Instance): void {
    if (instance.phase === 'ready') startTasks(instance, this.#parts.lifecycleParts);
  }

  async #reloadNow(plugins: readonly LoadedPlugin[] | undefined): Promise<ReloadResult> {
    const { source, lifecycleParts } = this.#parts;
    if (this.#stopped) return refused([problemOf(lifecycleErrors.TAP_KERNEL_STOPPED({ message: 'the platform is stopping' }))]);
    if (!this.#started) return refused([problemOf(lifecycleErrors.TAP_KERNEL_NOT_STARTED({ message: 'the platform has not started' }))]);
    if (plugins !== undefined && 'replace' in source) source.replace(plugins);
    const { plan, root } = await source.plan();
    const now = this.#running.plan;
    const errors = [...errorsOf(plan.problems), ...restartProblems(now, plan)];
    if (errors.length > 0) return reportRefused(lifecycleParts, errors);
    const failed = new Set([...this.#running.instances.values()].filter(({ phase }) => phase === 'failed').map(({ id }) => id));
    const difference = comparePlans(now, plan, failed);
    if (difference.same) {
      this.#running = { ...this.#running, plan, root };
      return unchanged(plan.problems);
    }
    try {
      const prepared = await prepare(difference, plan.instances, plan.levels, this.#running.instances, lifecycleParts);
      await source.accept(plan);
      await this.#takeOver({ plan, root }, prepared);
      return reportApplied(lifecycleParts, difference, prepared, plan);
    } catch (error) {
      if (!(error instanceof ReloadRefused)) throw error;
      return reportRefused(lifecycleParts, error.problems);
    }
  }

  /** Swaps generations. From here on nothing can fail: leaving instances are drained and stopped, and their errors reported. */
  async #takeOver(next: Pick<Running, 'plan' | 'root'>, prepared: Prepared): Promise<void> {
    const { lifecycleParts } = this.#parts;
    const before = this.#running;
    const plans = new Map(next.plan.instances.map((plan) => [plan.id, plan]));
    for (const instance of prepared.instances) instance.plan = plans.get(instance.id) ?? instance.plan;
    const instances = new Map(prepared.instances.map((instance) => [instance.id, instance]));
    const remaining = this.#begunAfter(before, prepared, next.plan.levels);
    this.#running = { ...next, instances, ...this.#assemble({ plan: next.plan, instances }), begun: remaining };
    prepared.services.commit();
    const { number } = this.hooks.generation;
    const old = this.hooks.swap(new Generation(number + 1, [...this.#parts.hooks.values()], this.#running.taps));
    this.#tellListeners();
    await this.#tellGeneration(before.registrations);
    await this.#drained(old, prepared.leaving);
    const leaving = before.begun.map((level) => level.filter(({ instance }) => prepared.leaving.has(instance)));
    for (const fault of await stopLevels(leaving, lifecycleParts)) this.#logFault(fault);
    if (this.#tasksStarted) for (const { instance } of prepared.begun.flat()) this.#startTasksOf(instance);
  }

  /** Notifies listeners of a new generation; one that fails or hangs is reported, and does not keep the reload from finishing. */
  async #tellGeneration(before: Registrations): Promise<void> {
    const { environment, log } = this.#parts.lifecycleParts;
    const over = new AbortController();
    const limit = environment.clock.sleep(generationLimitMs, over.signal).then(
      () => Promise.reject(new Error(`it took longer than ${generationLimitMs} ms`)),
      () => {},
    );
    for (const listener of this.#generations) {
      try {
        await Promise.race([listener(this.#running.registrations, before), limit]);
      } catch (error) {
        log.error('a listener failed to take a new generation over', { error: messageOf(error) });
      }
    }
    over.abort();
    await limit.catch(() => {});
  }

  /** Returns what runs after the swap, in the levels of the next plan. */
  #begunAfter(before: Running, prepared: Prepared, levels: readonly (readonly string[])[]): readonly (readonly Started[])[] {
    const all = [...before.begun.flat().filter(({ instance }) => !prepared.leaving.has(instance)), ...prepared.begun.flat()];
    return levels.map((level) => level.flatMap((id) => all.filter(({ instance }) => instance.id === id)));
  }

  /** Waits for calls in flight, for at most the time that a request may take. */
  async #drained(old: Generation, leaving: ReadonlySet<Instance>): Promise<void> {
    const { clock } = this.#parts.lifecycleParts.environment;
    const over = new AbortController();
    const limit = clock.sleep(generationLimitMs, over.signal).catch(() => {});
    const calls = [...leaving].map((instance) => {
      instance.endTasks();
      return instance.idle();
    });
    await Promise.race([Promise.all([old.drained(), ...calls]), limit]);
    over.abort();
  }

  async #stopNow(): Promise<StopReport> {
    const { lifecycleParts, watchdog, leaks, wheel, platformStop } = this.#parts;
    const faults = await stopLevels(this.#running.begun, lifecycleParts);
    for (const instance of this.#running.instances.values()) if (instance.phase === 'loaded') instance.abort();
    platformStop.abort();
    for (const fault of faults) this.#logFault(fault);
    const leaked = (await leaks?.leaked()) ?? [];
    for (const leak of leaked)
      lifecycleParts.log.error(`plugin ${leak.plugin} left a handle open: ${leak.resource}`, { openedAt: leak.openedAt });
    leaks?.close();
    await watchdog?.close();
    wheel.close();
    return { errors: faults, leaks: leaked };
  }

  #logFault({ plugin, error }: StopFault): void {
    this.#parts.lifecycleParts.log.error(`plugin ${plugin} did not stop cleanly`, { plugin, error: error.message });
  }
}
