import type { PluginDeclaration, TapError } from '@tappaas/sdk';
import { isTapError } from '@tappaas/sdk';
import { lifecycleErrors } from '../errors.js';
import type { InstancePlan } from '../plan/instance-plan.js';
import type { ServiceView } from '../services/service-handle.js';
import { Instance } from './instance.js';
import { messageOf } from './start-instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** Instances after setup, including optional ones that failed, which are marked. */
export interface SetUp {
  readonly instances: readonly Instance[];
  /** Failures of instances that must not fail. */
  readonly failures: readonly TapError[];
}

/** Runs steps 6 and 7: imports all packages, then runs every `setup` without interruption, in start order. */
export async function setUpAll(plans: readonly InstancePlan[], view: ServiceView, lifecycleParts: LifecycleParts): Promise<SetUp> {
  const failures: TapError[] = [];
  const instances = plans.map((plan) => new Instance(plan, lifecycleParts));
  const fail = (instance: Instance, error: unknown): void => {
    instance.phase = 'failed';
    instance.message = messageOf(error);
    if (!instance.plan.mayFail) failures.push(named(error, instance.id));
  };
  const loaded = await Promise.all(
    instances.map(async (instance): Promise<PluginDeclaration | undefined> => {
      try {
        return await instance.load();
      } catch (error) {
        fail(instance, error);
        return undefined;
      }
    }),
  );
  for (const [index, instance] of instances.entries()) {
    const declaration = loaded[index];
    if (declaration === undefined) continue;
    try {
      instance.setUp(declaration, view);
    } catch (error) {
      fail(instance, error);
    }
  }
  return { instances, failures };
}

function named(error: unknown, plugin: string): TapError {
  const failure = isTapError(error) ? error : lifecycleErrors.TAP_PLUGIN_IMPORT_FAILED({ message: messageOf(error), cause: error });
  failure.plugin ??= plugin;
  return failure;
}
