/** What a plugin provides, as the platform has it: behind the kernel's guard. */
import { atOnce, definePlugin, families, type KeyedService, type ResourceStore } from '@tappaas/sdk';
import { loadKernelFrom } from '../../../core/dist/kernel/kernel.js';
import { systemClock } from '../../../core/dist/platform/system-clock.js';
import { createMemoryStore } from '../../../core/dist/store/memory-store.js';

export async function provided<T extends object>(family: KeyedService<T>, value: T): Promise<T> {
  const plugin = definePlugin({ id: 'bench', setup: (host) => host.provide(family, () => value) });
  const kernel = await loadKernelFrom({
    plugins: [{ id: 'bench', plugin }],
    clock: systemClock,
    random: Math.random,
    env: {},
    log: () => {},
    kernelVersion: '0.1.0',
    resourcesFor: () => {
      throw new Error('nothing is stored here');
    },
  });
  await kernel.start();
  return kernel.services.whenProvided(family);
}

export function memoryStore(): Promise<ResourceStore> {
  const store = createMemoryStore({ clock: systemClock });
  return provided(families.store, Object.assign(store, { currentRevision: atOnce(store.currentRevision.bind(store)) }));
}
