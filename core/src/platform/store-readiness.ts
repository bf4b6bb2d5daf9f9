import type { ResourceStore } from '@tappaas/sdk';
import type { ReadyCheck } from '../api/contributions.js';
import type { MetricRegistry } from '../kernel/kernel.js';

type Asked = Pick<ResourceStore, 'health'>;

/**
 * A store that takes no writes still answers reads, which would be gone with the readiness, so it is a note (docs/decisions/0229); one that
 * answers nothing makes the platform unready. Why is for those who may read the log: anybody may ask for readiness.
 */
export function storeCheck(store: Asked): ReadyCheck {
  return {
    name: 'store',
    check: () => store.health().state !== 'unavailable',
    note: () => (store.health().state === 'read-only' ? 'takes no writes now; reads are answered' : undefined),
  };
}

/** Something to set an alarm on. Answers how it ends. */
export function tellStoreWritable(metrics: Pick<MetricRegistry, 'gauge' | 'onCollect'>, store: Asked): () => void {
  const help = 'Whether the store takes writes: 1, or 0 when it is read-only or unavailable.';
  const writable = metrics.gauge({ name: 'tappaas_store_writable', help }).bind({});
  return metrics.onCollect(() => writable.set(store.health().state === 'ok' ? 1 : 0));
}
