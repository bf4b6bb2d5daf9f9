import type { StoreHealth } from '@tappaas/sdk';
import test from 'ava';
import { createMetricRegistry } from '../../dist/kernel/kernel.js';
import { storeCheck, exportStoreWritable } from '../../dist/platform/store-readiness.js';

const storeIn = (state: StoreHealth['state']) => ({
  health: (): StoreHealth => ({ state, message: 'no space left in /secret/place', revision: 1, compactedRevision: 0, sizeBytes: 1 }),
});

test('a store that takes no writes is noted, without saying why to anybody, and reads keep the platform ready', (t) => {
  const reported = (['ok', 'read-only', 'unavailable'] as const).map((state) => {
    const { check, note } = storeCheck(storeIn(state));
    return [state, check(), note?.()];
  });
  t.deepEqual(reported, [
    ['ok', true, undefined],
    ['read-only', true, 'takes no writes now; reads are answered'],
    ['unavailable', false, undefined],
  ]);
});

test('a metric says whether the store takes writes', (t) => {
  const lines = (['ok', 'read-only', 'unavailable'] as const).map((state) => {
    const metrics = createMetricRegistry();
    const leave = exportStoreWritable(metrics, storeIn(state));
    const text = metrics.text();
    leave();
    return text.split('\n').find((line) => line.startsWith('tappaas_store_writable'));
  });
  t.deepEqual(lines, ['tappaas_store_writable 1', 'tappaas_store_writable 0', 'tappaas_store_writable 0']);
});
