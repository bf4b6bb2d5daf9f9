import type { PluginState } from '../plugin-state.js';
import type { Instance } from './instance.js';
import type { Running } from './running.js';

/** Returns the state of every configured instance, for display. */
export function pluginStates({ instances, plan }: Running): readonly PluginState[] {
  return [...[...instances.values()].map(stateOf), ...plan.off.map(stateOfOff)];
}

/** Returns the state of one instance. */
export function pluginState({ instances, plan }: Running, id: string): PluginState | undefined {
  const instance = instances.get(id);
  if (instance !== undefined) return stateOf(instance);
  const off = plan.off.find((each) => each.id === id);
  return off && stateOfOff(off);
}

function stateOfOff({ id, use, manifest }: Running['plan']['off'][number]): PluginState {
  return {
    id,
    plugin: manifest?.id ?? use,
    package: manifest?.package ?? use,
    version: manifest?.version ?? '',
    stability: manifest?.stability ?? 'experimental',
    phase: 'off',
    mode: 'off',
    initMs: 0,
    hooks: [],
    needs: [],
    provides: [],
    kinds: [],
    permissions: {},
    breakers: [],
  };
}

function stateOf({ id, plan, phase, message, initMs, scope }: Instance): PluginState {
  const { manifest } = plan;
  return {
    id,
    plugin: manifest.id,
    package: manifest.package,
    version: manifest.version,
    stability: manifest.stability,
    phase,
    mode: plan.mode,
    ...(message === undefined ? {} : { message }),
    initMs,
    hooks: [...new Set(manifest.taps.map(({ hook }) => hook))],
    needs: manifest.needs.map((need) => need.id),
    provides: manifest.provides.map((service) => service.id),
    kinds: manifest.parts.kinds.map(({ group, kind }) => `${group}/${kind}`),
    permissions: manifest.permissions,
    breakers: [...scope.breakers].map(([hook, breaker]) => ({ hook, state: breaker.state, failures: breaker.failures })),
  };
}
