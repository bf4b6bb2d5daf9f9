import { families, isTapError, type Service } from '@tappaas/sdk';
import { guardErrors } from '../errors.js';
import { GuardedService } from '../services/guarded-service.js';
import type { ServiceView } from '../services/service-handle.js';
import type { Instance } from './instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** Time limit of each `onStart`, and of a provider other than a store. */
export const startLimitMs = 10_000;

/** A store reads its content, possibly on a busy machine (docs/decisions/0233). */
const storeStartLimitMs = 120_000;

/** Receives the services that an instance provides: immediately at boot, or with the swap during a reload. */
export interface ServiceSink {
  readonly view: ServiceView;
  put(service: Service<unknown>, instance: string, provided: GuardedService): void;
}

/** A service that was made, with the function that disposes of it. */
export interface MadeService {
  readonly service: Service<unknown>;
  readonly value: object;
  readonly dispose: ((value: unknown) => unknown) | undefined;
}

/**
 * Starts one instance: its stored secrets, its providers, its `onStart`. Services made are in `made` even if a later step fails.
 *
 * @throws what the plugin threw, naming it.
 */
export async function startInstance(
  instance: Instance,
  lifecycleParts: LifecycleParts,
  sink: ServiceSink,
  made: MadeService[],
): Promise<void> {
  const { guard, record, scope, plan } = instance;
  const startMs = scope.monotonicMs();
  instance.phase = 'starting';
  try {
    requireNeeds(instance, sink.view);
    if (plan.stored.length > 0) {
      await guard.callOutside({ name: 'secrets', limitMs: startLimitMs }, (context) => lifecycleParts.secrets.fetch(plan.stored, context));
    }
    for (const { service, make, dispose } of record.provides) {
      scope.stopping.throwIfAborted();
      const lent = lifecycleParts.environment.elsewhere?.(service, instance.id);
      const point = { name: `provide ${service.id}`, limitMs: service.id === families.store.id ? storeStartLimitMs : startLimitMs };
      const value = lent ?? (await guard.callOutside(point, (context) => make(context)));
      made.push({ service, value: serviceObject(value, instance.id, service.id), dispose: lent ? undefined : dispose });
      sink.put(service, instance.id, new GuardedService(service.id, value as object, scope, lifecycleParts.devices));
    }
    for (const start of record.starts) {
      scope.stopping.throwIfAborted();
      await guard.callOutside({ name: 'onStart', limitMs: startLimitMs }, start);
    }
    scope.stopping.throwIfAborted();
    scope.running = true;
    instance.phase = 'ready';
  } catch (error) {
    instance.phase = 'failed';
    instance.message = error instanceof Error ? error.message : String(error);
    throw error;
  } finally {
    instance.initMs += scope.monotonicMs() - startMs;
  }
}

/** Checks needs again: one may be met by the configuration while its provider failed to start. */
function requireNeeds({ id, plan }: Instance, view: ServiceView): void {
  const unmet = plan.manifest.needs.find((need) => !need.optional && view.container.keys(need.id).length === 0);
  if (unmet === undefined) return;
  const error = guardErrors.TAP_SERVICE_UNAVAILABLE({ message: `plugin ${id} needs service ${unmet.id}, whose provider did not start` });
  error.plugin = id;
  throw error;
}

function serviceObject(value: unknown, plugin: string, service: string): object {
  if (typeof value === 'object' && value !== null) return value;
  const error = guardErrors.TAP_PLUGIN_RESULT_INVALID({
    message: `plugin ${plugin} provides ${typeof value} where service ${service} is an object`,
  });
  error.plugin = plugin;
  throw error;
}

/** Whether a plugin has nothing to do at start, so that it can be called immediately. */
export function needsNoStart({ record, plan }: Instance): boolean {
  return record.provides.length === 0 && record.starts.length === 0 && plan.manifest.needs.length === 0 && plan.stored.length === 0;
}

export const messageOf = (error: unknown): string => (isTapError(error) || error instanceof Error ? error.message : String(error));
