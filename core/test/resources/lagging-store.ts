import type { ResourceStore, Watch } from '@tappaas/sdk';

/** A store whose watches tell nothing while they are held, so that caches lag behind what was acknowledged. */
export function laggingStore(store: ResourceStore) {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const watch = (query: Parameters<ResourceStore['watch']>[0]): Watch => {
    const inner = store.watch(query);
    return {
      close: () => inner.close(),
      requestProgress: () => inner.requestProgress(),
      async *[Symbol.asyncIterator]() {
        for await (const batch of inner) {
          await gate.promise;
          yield batch;
        }
      },
    };
  };
  const lagging = new Proxy(store, {
    get(target, name) {
      if (name === 'watch') return watch;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
  return {
    store: lagging,
    hold: () => {
      gate = Promise.withResolvers<void>();
    },
    release: () => gate.resolve(),
  };
}
