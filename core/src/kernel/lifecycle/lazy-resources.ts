import type { Resources } from '@tappaas/sdk';
import type { KernelEnvironment } from '../kernel.js';

/** Wraps the resources of an instance and looks them up on first use, because the engine starts after plugins are set up. */
export function lazyResources(instance: string, { resourcesFor }: Pick<KernelEnvironment, 'resourcesFor'>): Resources {
  let resources: Resources | undefined;
  const found = (): Resources => (resources ??= resourcesFor(instance));
  return Object.freeze<Resources>({
    get: (kind, key) => found().get(kind, key),
    list: (kind, query) => found().list(kind, query),
    watch: (kind, options) => found().watch(kind, options),
    create: (kind, object) => found().create(kind, object),
    apply: (kind, key, fields) => found().apply(kind, key, fields),
    patch: (kind, key, patch, options) => found().patch(kind, key, patch, options),
    delete: (kind, key, preconditions) => found().delete(kind, key, preconditions),
  });
}
