import { isTapError, type Logger, type Resources } from '@tappaas/sdk';
import { PluginStatus } from '@tappaas/sdk/kinds';
import type { Kernel } from '../kernel/kernel.js';
import type { PluginState } from '../kernel/plugin-state.js';

/** Keeps one Plugin object per loaded instance in step with the kernel; objects of instances that are gone are removed. */
export async function writePluginObjects(kernel: Kernel, resources: Resources, log: Logger): Promise<void> {
  const states = kernel.plugins();
  for (const state of states)
    await write(resources, state).catch((error: unknown) => log.warn('a Plugin object was not written', { plugin: state.id, error }));
  const known = new Set(states.map(({ id }) => id));
  for await (const object of resources.list(PluginStatus, { itemsMax: 10_000 })) {
    if (!known.has(object.metadata.name)) await resources.delete(PluginStatus, { name: object.metadata.name });
  }
}

async function write(resources: Resources, state: PluginState): Promise<void> {
  const { id, plugin, package: use, version } = state;
  const spec = { use, version, id: plugin };
  const key = { name: id };
  try {
    await resources.apply(PluginStatus, key, { spec });
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
  }
  const ready = state.phase === 'ready';
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: capitalised(state.phase),
    message: state.message ?? `is ${state.phase}`,
    lastTransitionTime: '1970-01-01T00:00:00Z',
  };
  const status = {
    state: capitalised(state.phase),
    initMs: Math.round(state.initMs * 10) / 10,
    hooks: [...new Set(state.hooks)],
    provides: state.provides,
    kinds: state.kinds,
    openBreakers: state.breakers.filter((breaker) => breaker.state === 'open').map(({ hook }) => hook),
    conditions: [condition],
  };
  await resources.patch(PluginStatus, key, { status }, { subresource: 'status' });
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
