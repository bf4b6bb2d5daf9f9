import type { PluginDeclaration } from '@tappaas/sdk';
import { lifecycleErrors } from '../errors.js';
import type { PluginScope } from '../guard/plugin-scope.js';
import { differences } from '../manifest/declared.js';
import type { InstancePlan } from '../plan/instance-plan.js';
import type { PluginPhase } from '../plugin-state.js';
import { familyHandle, serviceHandle, type ServiceView } from '../services/service-handle.js';
import { runSetup } from '../setup/run-setup.js';
import type { CounterOptions } from '../setup/setup-host.js';
import { emptyRecord, type SetupRecord } from '../setup/setup-record.js';
import { InstanceGuard } from './instance-guard.js';
import { lazyResources } from './lazy-resources.js';
import { loggerOf } from './plugin-log.js';
import { createState } from './instance-state.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** One run of a plugin: from its plan through setup and start to its stop. A restart makes another instance. */
export class Instance {
  readonly id: string;
  readonly scope: PluginScope;
  readonly guard: InstanceGuard;
  /** The plan in force; replaced by `onConfig` and by a reload of limits. */
  plan: InstancePlan;
  phase: PluginPhase = 'loaded';
  /** The reason of a failure. */
  message: string | undefined;
  initMs = 0;
  record: SetupRecord = emptyRecord();
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  readonly #lifecycleParts: LifecycleParts;

  constructor(plan: InstancePlan, lifecycleParts: LifecycleParts) {
    const { environment, devices } = lifecycleParts;
    const { clock } = environment;
    this.id = plan.id;
    this.plan = plan;
    this.#lifecycleParts = lifecycleParts;
    this.scope = {
      id: plan.id,
      log: loggerOf(environment.log, clock, plan.id),
      clock,
      monotonicMs: environment.monotonicMs ?? (() => performance.now()),
      state: createState(plan.id, clock, lifecycleParts.platformState),
      asPlugin: lazyResources(plan.id, environment),
      stopping: this.#stopping.signal,
      inFlight: 0,
      running: false,
      onIdle: undefined,
      breakers: new Map(),
    };
    lifecycleParts.breakers.set(plan.id, this.scope.breakers);
    lifecycleParts.leaks?.follow(this.scope);
    this.guard = new InstanceGuard(this.scope, devices);
  }

  /** Imports the package, which runs its code for the first time. */
  async load(): Promise<PluginDeclaration> {
    const startMs = this.scope.monotonicMs();
    try {
      return await this.plan.source.load();
    } finally {
      this.initMs += this.scope.monotonicMs() - startMs;
    }
  }

  /**
   * Runs setup, which must register exactly what the manifest declares. @throws TAP_SETUP_*, TAP_PLUGIN_UNDECLARED, TAP_PLUGIN_INCOMPLETE
   */
  setUp(declaration: PluginDeclaration, view: ServiceView): void {
    const startMs = this.scope.monotonicMs();
    const { connectEngine } = this.#lifecycleParts;
    const { record, description } = runSetup({
      declaration,
      instance: this.id,
      config: this.plan.config,
      services: this.#handles(declaration, view),
      devices: { connectEngine, counter: (metric) => this.#counter(metric) },
    });
    const { undeclared, missing } = differences(this.plan.manifest, description);
    if (undeclared.length > 0) {
      const message = `plugin ${this.id} registers what its manifest lacks: ${undeclared.join('; ')}`;
      throw this.#named(lifecycleErrors.TAP_PLUGIN_UNDECLARED({ message }));
    }
    if (missing.length > 0) {
      const message = `plugin ${this.id} does not register what its manifest says: ${missing.join('; ')}`;
      throw this.#named(lifecycleErrors.TAP_PLUGIN_INCOMPLETE({ message }));
    }
    this.record = record;
    this.initMs += this.scope.monotonicMs() - startMs;
  }

  /** Aborts when background tasks must end, at the latest when the instance stops. */
  get tasksEnding(): AbortSignal {
    return this.#ending.signal;
  }

  /** Ends background tasks; calls in flight continue. */
  endTasks(): void {
    this.#ending.abort(lifecycleErrors.TAP_KERNEL_STOPPED({ message: `the tasks of plugin ${this.id} are ending` }));
  }

  /** Aborts everything that runs on behalf of the instance. */
  abort(): void {
    this.scope.running = false;
    this.endTasks();
    this.#stopping.abort(lifecycleErrors.TAP_KERNEL_STOPPED({ message: `plugin ${this.id} is stopping` }));
  }

  /** Resolves when none of its calls is in flight. */
  idle(): Promise<void> {
    if (this.scope.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.scope.onIdle = resolve;
    });
  }

  #handles(declaration: PluginDeclaration, view: ServiceView): Readonly<Record<string, unknown>> {
    const handles = Object.entries(declaration.needs).map(([as, service]) => {
      if (service.arity === 'keyed') return [as, familyHandle(view, service)] as const;
      const met = !service.optional || this.plan.met.includes(service.id);
      return [as, met ? serviceHandle(view, service) : undefined] as const;
    });
    return Object.freeze(Object.fromEntries(handles));
  }

  #counter({ name, help, labels = [], seriesMax }: CounterOptions): (labels: Readonly<Record<string, string>>, by?: number) => void {
    const metric = this.#lifecycleParts.metrics.counter({ name, help, labels: [...labels, 'plugin'], seriesMax });
    return (values, by) => metric.bind({ ...values, plugin: this.id }).add(by);
  }

  #named<E extends { plugin: string | undefined }>(error: E): E {
    error.plugin = this.id;
    return error;
  }
}
