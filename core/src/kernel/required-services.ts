import { families, type Service } from '@tappaas/sdk';

/** What no platform runs without; kernels of tests do without it. */
export const requiredServices: readonly Service<unknown>[] = [families.store];
