/** What a plugin provides, as the platform has it: behind the kernel's guard. */
import { atOnce, definePlugin, families, type KeyedService, type ResourceStore } from '@tappaas/sdk';
import { systemClock } from '../../../core/dist/platform/system-clock.js';
import { createMemoryStore } from '../../../core/dist/store/memory-store.js';
import { startedKernel } from '../kernel.ts';

export async function provided<T extends object>(family: KeyedService<T>, value: T): Promise<T> {
  const plugin = definePlugin({ id: 'bench', setup: (host) => host.provide(family, () => value) });
  const kernel = await startedKernel([{ id: 'bench', plugin }]);
  return kernel.services.whenProvided(family);
}

export function memoryStore(): Promise<ResourceStore> {
  const store = createMemoryStore({ clock: systemClock });
  return provided(families.store, Object.assign(store, { currentRevision: atOnce(store.currentRevision.bind(store)) }));
}
