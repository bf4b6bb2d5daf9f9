import { families, type Service } from '@tappaas/sdk';

/** Services that every platform needs; kernels in tests do without them. */
export const requiredServices: readonly Service<unknown>[] = [families.store];
