import type { PlatformEvent } from '@tappaas/sdk';
import { families, hooks, type SecretStore } from '@tappaas/sdk';
import { guardErrors, lifecycleErrors } from '../errors.js';
import type { GuardDevices } from '../guard/guard.js';
import { createGuardMetrics, type GuardMetrics } from '../guard/guard-metrics.js';
import { LeakDetector } from '../guard/leak-detector.js';
import type { PluginScope } from '../guard/plugin-scope.js';
import { TimerWheel } from '../guard/timer-wheel.js';
import { Watchdog } from '../guard/watchdog.js';
import type { GivenService, Kernel, KernelEnvironment } from '../kernel.js';
import { platformHooks } from '../manifest/compatible.js';
import { createMetricRegistry } from '../metrics/registry.js';
import type { ConnectEngine } from '../registrations.js';
import { GuardedService } from '../services/guarded-service.js';
import { Tracer } from '../tracing/tracer.js';
import { ServiceRegistry } from '../services/service-registry.js';
import { ConfigurationError, errorsOf } from './configuration-error.js';
import { createState } from './instance-state.js';
import { lazyResources } from './lazy-resources.js';
import type { PlanSource, StoredValue } from './plan-source.js';
import { PluginKernel, type KernelParts } from './plugin-kernel.js';
import { loggerOf } from './plugin-log.js';
import { setUpAll } from './set-up.js';
import { messageOf } from './start-instance.js';
import { memoryState } from './shared-state.js';
import { StoredSecrets } from './stored-secrets.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** A turn of the event loop that takes longer is reported. */
const blockedMsMax = 500;

/** Runs steps 1 to 8: up to the first generation of hooks, before anything starts. @throws ConfigurationError, TAP_PLUGIN_START_FAILED */
export async function createKernel(
  environment: KernelEnvironment,
  given: readonly GivenService[],
  sourceFor: (stored: StoredValue, warn: (message: string) => void) => PlanSource,
): Promise<Kernel> {
  const parts = makeParts(environment, sourceFor);
  provideGiven(given, parts);
  try {
    return await loadPlugins(parts);
  } catch (error) {
    parts.leaks?.close();
    parts.wheel.close();
    await parts.watchdog?.close();
    throw error;
  }
}

async function loadPlugins(parts: KernelParts): Promise<Kernel> {
  const { lifecycleParts, source } = parts;
  const { plan, root } = await source.plan();
  const errors = errorsOf(plan.problems);
  if (errors.length > 0) throw new ConfigurationError(errors);
  await source.accept(plan);
  // Usually attached already, because reading the plan takes longer.
  await parts.watchdog?.looking;
  const { instances, failures } = await setUpAll(plan.instances, lifecycleParts.services.view, lifecycleParts);
  if (failures.length > 0) {
    const message = `the platform did not start: ${failures.map(messageOf).join('; ')}`;
    throw lifecycleErrors.TAP_PLUGIN_START_FAILED({ message, cause: failures[0] });
  }
  for (const { id, phase, message = '' } of instances) {
    if (phase === 'failed') lifecycleParts.log.error(`plugin ${id} did not start; the platform goes on without it`, { error: message });
  }
  const kernel = new PluginKernel(parts, { plan, root, instances: new Map(instances.map((instance) => [instance.id, instance])) });
  parts.events.add((event) => void kernel.hooks.observe(hooks.telemetry.event, event));
  return kernel;
}

function makeParts(
  environment: KernelEnvironment,
  sourceFor: (stored: StoredValue, warn: (message: string) => void) => PlanSource,
): KernelParts {
  const { clock } = environment;
  const metrics = environment.metrics ?? createMetricRegistry();
  const log = loggerOf(environment.log, clock);
  const events = new Set<(event: PlatformEvent) => void>();
  const engines: { connect: ConnectEngine | undefined } = { connect: undefined };
  const wheel = new TimerWheel(clock);
  const services = new ServiceRegistry();
  const secrets = new StoredSecrets((store) => services.family<SecretStore>(families.secretStore).get(store));
  const emit: LifecycleParts['emit'] = (event) => {
    const stamped = { ...event, atMs: clock.nowMs() };
    for (const listener of events) listener(stamped);
  };
  const leaks = environment.detectLeaks ? new LeakDetector() : undefined;
  leaks?.start();
  const platformStop = new AbortController();
  const lifecycleParts: LifecycleParts = {
    environment,
    metrics,
    log,
    services,
    secrets,
    emit,
    leaks,
    platformState: environment.platformState ?? memoryState(clock),
    breakers: new Map(),
    devices: guardDevices(environment, wheel, createGuardMetrics(metrics), { log, emit }),
    connectEngine(engine, user) {
      const message = `engine ${engine} is not served yet`;
      return engines.connect?.(engine, user) ?? Promise.reject(guardErrors.TAP_ENGINE_NOT_SERVED({ message }));
    },
  };
  return {
    lifecycleParts,
    source: sourceFor(
      (stored) => secrets.value(stored),
      (message) => log.warn(message),
    ),
    hooks: new Map(platformHooks().map((hook) => [hook.name, hook])),
    platform: platformScope(lifecycleParts, platformStop.signal),
    platformStop,
    events,
    engines,
    wheel,
    leaks,
    watchdog: environment.watchdog ? watchdogOf(lifecycleParts) : undefined,
  };
}

function guardDevices(
  { random }: KernelEnvironment,
  wheel: TimerWheel,
  metrics: GuardMetrics,
  { log, emit }: Pick<LifecycleParts, 'log' | 'emit'>,
): GuardDevices {
  return {
    wheel,
    metrics,
    tracer: new Tracer(random),
    onBreaker(plugin, hook, state) {
      metrics.breaker(plugin, hook, state);
      log[state === 'open' ? 'warn' : 'info'](`plugin ${plugin} at ${hook}: circuit breaker ${state}`, { plugin, hook, state });
      emit({ type: `breaker.${state}`, attributes: { plugin, hook } });
    },
  };
}

/** The scope of the platform itself, whose calls of services are guarded like any others. */
function platformScope({ environment, log, platformState }: LifecycleParts, stopping: AbortSignal): PluginScope {
  const { clock } = environment;
  return {
    id: 'platform',
    log,
    clock,
    monotonicMs: environment.monotonicMs ?? (() => performance.now()),
    state: createState('platform', clock, platformState),
    asPlugin: lazyResources('platform', environment),
    stopping,
    inFlight: 0,
    running: true,
    onIdle: undefined,
    breakers: new Map(),
  };
}

function provideGiven(given: readonly GivenService[], { platform, lifecycleParts }: KernelParts): void {
  for (const { service, value, key = '' } of given) {
    const provided = new GuardedService(service.id, value as object, platform, lifecycleParts.devices);
    lifecycleParts.services.put(service, key, provided);
  }
}

/** Makes the watchdog, whose findings are reported and counted as failures of the blocking plugin at that hook. */
function watchdogOf({ metrics, log, emit, breakers }: LifecycleParts): Watchdog {
  const blocked = metrics.counter<'plugin'>({
    name: 'tappaas_event_loop_blocked_seconds_total',
    help: 'Time during which a plugin (or the platform) kept the event loop from turning.',
    labels: ['plugin'],
  });
  return new Watchdog({
    blockedMsMax,
    onBlocked({ plugin = 'platform', point = '', blockedMs, stack }) {
      blocked.bind({ plugin }).add(blockedMs / 1000);
      breakers.get(plugin)?.get(point)?.failed();
      log.error(`${plugin === 'platform' ? 'the platform' : `plugin ${plugin}`} blocked the event loop for ${blockedMs} ms`, {
        plugin,
        point,
        stack,
      });
      emit({ type: 'loop.blocked', attributes: { plugin, point, blockedMs } });
    },
  });
}
