import type { HookDeclaration } from '@tappaas/sdk';
import type { OrderedTap } from '../graph/tap-order.js';
import { Guard } from '../guard/guard.js';
import { ruleOf } from '../hooks/hook-results.js';
import type { AnyTapOptions, Tap } from '../hooks/tap.js';
import { instancePlaceholder, type ManifestTap } from '../manifest/manifest.js';
import type { TapDescription } from '../registrations.js';
import type { Instance } from './instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/**
 * Makes the taps of a generation. A plugin whose setup failed keeps the taps of its manifest: since it is not running, its guard answers
 * each with the failure policy of the hook, instead of silently omitting it.
 */
export function makeTaps(
  order: readonly OrderedTap[],
  instances: ReadonlyMap<string, Instance>,
  hooks: ReadonlyMap<string, HookDeclaration>,
  lifecycleParts: LifecycleParts,
): readonly Tap[] {
  return order.flatMap(({ plugin, tap }) => {
    const instance = instances.get(plugin);
    const hook = hooks.get(tap.hook);
    return instance === undefined || hook === undefined ? [] : [makeTap(instance, tap, hook, lifecycleParts)];
  });
}

function makeTap(instance: Instance, tap: ManifestTap, hook: HookDeclaration, lifecycleParts: LifecycleParts): Tap {
  const { plan, scope } = instance;
  const registered = instance.record.taps.find(({ hook: at, options }) => at.name === tap.hook && options.name === tap.name);
  const options = registered?.options ?? declaredOptions(tap, instance.id);
  const limit = plan.limits[hook.name];
  const rule = ruleOf(hook);
  const guard = new Guard(
    scope,
    hook.name,
    {
      limitMs: limit?.timeoutMs ?? options.timeoutMs ?? hook.deadlineMs,
      breaker: true,
      check: rule && ((value, input) => rule.check(value, input, options)),
      denies: rule?.denies,
    },
    lifecycleParts.devices,
  );
  return {
    plugin: instance.id,
    name: tap.name === undefined ? instance.id : `${instance.id}/${tap.name}`,
    hook,
    options,
    run: registered?.run ?? (() => undefined),
    guard,
    failurePolicy: limit?.failurePolicy ?? options.failurePolicy ?? (hook.onFailure === 'ignore' ? 'ignore' : 'fail'),
    immediateContext: hook.kind === 'transform' && hook.synchronous ? Object.freeze({ log: scope.log }) : undefined,
    shadow: plan.mode === 'shadow' && hook.kind !== 'observe' ? shadowOf(instance, hook, lifecycleParts) : undefined,
  };
}

function declaredOptions(tap: ManifestTap, instance: string): AnyTapOptions {
  const { hook: _hook, contract: _contract, kinds, engine, ...rest } = tap;
  return {
    ...rest,
    ...(kinds === undefined ? {} : { kinds: kinds.map(kindOf) }),
    ...(engine === undefined ? {} : { engine: engine === instancePlaceholder ? instance : engine }),
  };
}

function kindOf(name: string): { readonly group: string; readonly kind: string } {
  const [group = '', kind = ''] = name.split('/');
  return { group, kind };
}

function shadowOf(instance: Instance, hook: HookDeclaration, { metrics, emit }: LifecycleParts): NonNullable<Tap['shadow']> {
  const verdicts = metrics.counter<'plugin' | 'hook' | 'verdict'>({
    name: 'tappaas_shadow_verdicts_total',
    help: 'What plugins in shadow mode would have done.',
    labels: ['plugin', 'hook', 'verdict'],
  });
  return (verdict, detail) => {
    verdicts.bind({ plugin: instance.id, hook: hook.name, verdict }).add();
    instance.scope.log.info(`in shadow: would have ${verdict === 'failed' ? 'failed' : verdict} at ${hook.name}`, detail);
    emit({ type: 'plugin.shadow', attributes: { plugin: instance.id, hook: hook.name, verdict, ...detail } });
  };
}

export function describeTaps(taps: readonly Tap[]): readonly TapDescription[] {
  return taps.map((tap) => ({
    hook: tap.hook.name,
    plugin: tap.plugin,
    name: tap.name,
    kinds: (tap.options.kinds ?? []).map(({ group, kind }) => `${group}/${kind}`),
    mode: tap.shadow === undefined ? 'enforce' : 'shadow',
    timeoutMs: tap.guard.limitMs,
    failurePolicy: tap.failurePolicy,
  }));
}
