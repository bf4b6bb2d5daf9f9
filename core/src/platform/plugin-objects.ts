import type { Clock, Condition, Logger, Resources } from '@tappaas/sdk';
import { PluginStatus } from '@tappaas/sdk/kinds';
import type { Kernel } from '../kernel/kernel.js';
import { permissionLines } from '../kernel/lock/permission-lines.js';
import type { PluginState } from '../kernel/plugin-state.js';
import { nextStatus } from '../reconcile/status.js';

/** Keeps one Plugin object per loaded instance in step with the kernel; objects of instances that are gone are removed. */
export async function writePluginObjects(
  kernel: Kernel,
  resources: Resources,
  { clock, log }: { readonly clock: Pick<Clock, 'nowMs'>; readonly log: Logger },
): Promise<void> {
  const states = kernel.plugins();
  for (const state of states)
    await write(resources, state, clock.nowMs()).catch((error: unknown) =>
      log.warn('a Plugin object was not written', { plugin: state.id, error }),
    );
  const known = new Set(states.map(({ id }) => id));
  for await (const object of resources.list(PluginStatus, { itemsMax: 10_000 })) {
    if (!known.has(object.metadata.name)) await resources.delete(PluginStatus, { name: object.metadata.name });
  }
}

const permissionsMax = 1_000;

async function write(resources: Resources, state: PluginState, nowMs: number): Promise<void> {
  const { id, plugin, package: use, version } = state;
  const spec = { use, version, id: plugin };
  const key = { name: id };
  const known = await resources.apply(PluginStatus, key, { spec });
  const ready = state.phase === 'ready';
  const condition: Condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: capitalised(state.phase),
    message: state.message ?? `is ${state.phase}`,
  };
  const status = {
    state: capitalised(state.phase),
    initMs: Math.round(state.initMs * 10) / 10,
    hooks: [...new Set(state.hooks)],
    provides: state.provides,
    kinds: state.kinds,
    permissions: permissionLines(state.permissions).slice(0, permissionsMax),
    openBreakers: state.breakers.filter((breaker) => breaker.state === 'open').map(({ hook }) => hook),
  };
  const next = nextStatus(known, status, [condition], nowMs);
  if (next) await resources.patch(PluginStatus, key, { status: next }, { subresource: 'status' });
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
