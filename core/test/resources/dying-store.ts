import type { ResourceStore, Transaction, TransactionResult } from '@tappaas/sdk';

/** A store whose process dies at its nth transaction: before it took effect, or after, when nobody is told any more. */
export function dyingStore(
  store: ResourceStore,
  diesAt: number,
  takesEffect: boolean,
): { readonly store: ResourceStore; readonly isDead: () => boolean } {
  let transactions = 0;
  const isDead = (): boolean => transactions >= diesAt;
  const transact = async (transaction: Transaction): Promise<TransactionResult> => {
    if (isDead()) throw new Error('the process is dead');
    transactions += 1;
    if (!isDead()) return store.transact(transaction);
    if (takesEffect) await store.transact(transaction);
    throw new Error('the process died');
  };
  const dying = new Proxy(store, {
    get(target, name) {
      if (name === 'transact') return transact;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
    },
  });
  return { store: dying, isDead };
}
