import type { Case } from './case.js';
import { claims } from './store/claims.js';
import { compaction } from './store/compaction.js';
import type { MakeStore } from './store/harness.js';
import { leases } from './store/leases.js';
import { reads } from './store/reads.js';
import { restarts } from './store/restarts.js';
import { snapshots } from './store/snapshots.js';
import { watches } from './store/watches.js';
import { writes } from './store/writes.js';

export type { MakeStore, StoreHarness } from './store/harness.js';

/**
 * The conformance cases of `ResourceStore`, for any test runner.
 *
 * Crashes of a process, full disks and damaged files are tested with each store.
 *
 * @example
 * ```ts
 * for (const { title, run } of storeConformance(make)) test(title, (t) => t.notThrowsAsync(run));
 * ```
 */
export function storeConformance(make: MakeStore, { durable = true }: { readonly durable?: boolean } = {}): readonly Case[] {
  const areas = [writes, reads, watches, compaction, leases, claims, snapshots, ...(durable ? [restarts] : [])];
  return areas.flatMap((area) => area(make));
}
