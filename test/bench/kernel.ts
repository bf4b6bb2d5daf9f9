import type { Plugin } from '@tappaas/sdk';
import { loadKernelFrom, type Kernel } from '../../core/dist/kernel/kernel.js';
import { systemClock } from '../../core/dist/platform/system-clock.js';

/** A kernel with these plugins, started; it stores nothing. */
export async function startedKernel(plugins: readonly { readonly id: string; readonly plugin: Plugin }[]): Promise<Kernel> {
  const kernel = await loadKernelFrom({
    plugins,
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
  return kernel;
}
