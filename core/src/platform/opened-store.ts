import { families, type ResourceStore } from '@tappaas/sdk';
import type { Kernel } from '../kernel/kernel.js';
import { platformErrors } from './errors.js';

/**
 * Returns the store once it is open, while plugins of later levels are still starting. @throws TAP_STORE_ABSENT, or the error of a failed
 * start
 */
export function openedStore(kernel: Kernel, started: Promise<void>): Promise<ResourceStore> {
  const afterStart = async (): Promise<ResourceStore> => {
    await started;
    const [store] = kernel.services.family(families.store).values();
    if (store !== undefined) return store;
    throw platformErrors.TAP_STORE_ABSENT({ message: `all plugins have started, and none of them provides ${families.store.id}` });
  };
  return Promise.race([kernel.services.whenProvided(families.store), afterStart()]);
}
