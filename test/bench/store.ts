import type { BenchmarkRow } from './row.ts';
import { cacheReads } from './store/cache-reads.ts';
import { delivery } from './store/delivery.ts';
import { durableWrites } from './store/durable-writes.ts';

/** The store: durable writes beside etcd, delivery to watchers, reads of the watch cache. */
export async function run({ smoke }: { readonly smoke: boolean }): Promise<readonly BenchmarkRow[]> {
  return [...(await durableWrites(smoke)), ...(await delivery(smoke)), ...(await cacheReads(smoke))];
}
