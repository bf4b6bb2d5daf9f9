import type { ResourceStore } from '@tappaas/sdk';
import type { ReadyCheck } from '../api/contributions.js';
import type { MetricRegistry } from '../kernel/kernel.js';

type StoreHealthSource = Pick<ResourceStore, 'health'>;

/**
 * Makes the readiness check of the store. A read-only store still serves reads, which would stop with readiness, so that is only a note
 * (docs/decisions/0229); an unavailable store makes the platform not ready. The reason is only in the log, because readiness is public.
 */
export function storeCheck(store: StoreHealthSource): ReadyCheck {
  return {
    name: 'store',
    check: () => store.health().state !== 'unavailable',
    note: () => (store.health().state === 'read-only' ? 'takes no writes now; reads are answered' : undefined),
  };
}

/** Exports whether the store accepts writes, for alerts. Returns the function that stops it. */
export function exportStoreWritable(metrics: Pick<MetricRegistry, 'gauge' | 'onCollect'>, store: StoreHealthSource): () => void {
  const help = 'Whether the store takes writes: 1, or 0 when it is read-only or unavailable.';
  const writable = metrics.gauge({ name: 'tappaas_store_writable', help }).bind({});
  return metrics.onCollect(() => writable.set(store.health().state === 'ok' ? 1 : 0));
}
