import type { Resources } from '@tappaas/sdk';

/** Wraps resources that become available later: plugins receive theirs before the store has started, and calls wait for it. */
export function lateResources(ready: () => Promise<Resources>): Resources {
  return {
    get: async (kind, key) => (await ready()).get(kind, key),
    list: async function* (kind, query) {
      yield* (await ready()).list(kind, query);
    },
    watch: async function* (kind, options) {
      yield* (await ready()).watch(kind, options);
    },
    create: async (kind, object) => (await ready()).create(kind, object),
    apply: async (kind, key, fields) => (await ready()).apply(kind, key, fields),
    patch: async (kind, key, patch, options) => (await ready()).patch(kind, key, patch, options),
    delete: async (kind, key, preconditions) => (await ready()).delete(kind, key, preconditions),
  };
}
