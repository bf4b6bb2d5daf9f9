import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { endOf } from './key-space.js';
import type { KindEntry } from './kind-entry.js';
import { takeStep } from './transaction.js';

const pageItems = 500;

/** Progress of a purge. */
export interface Purged {
  readonly removed: number;
  /** False when it was interrupted and must be called again. */
  readonly isComplete: boolean;
}

/**
 * Removes every object of a kind whose plugin is not loaded, regardless of finalizers, since no plugin is left to complete them. Releases
 * their claims. Returns the number of removed objects; call it again if `signal` interrupted it.
 *
 * @throws TAP_KIND_IN_USE when the kind's plugin is loaded
 */
export async function purgeObjects(state: EngineState, entry: KindEntry, signal: AbortSignal): Promise<Purged> {
  if (!entry.isOrphaned) {
    const message = `${entry.plural}: plugin ${entry.plugin} is loaded; take it out of the configuration and reload first`;
    throw resourceErrors.TAP_KIND_IN_USE({ message });
  }
  let count = 0;
  for (;;) {
    if (signal.aborted) return { removed: count, isComplete: false };
    const { items } = await state.store.range({ start: entry.prefix, end: endOf(entry.prefix), itemsMax: pageItems });
    if (items.length === 0) return { removed: count, isComplete: true };
    for (const stored of items) {
      const previous = await state.decode(entry, stored);
      const step = { entry, key: stored.key, previous, next: undefined, claims: [], guards: [], changes: [] };
      const { outcome } = await takeStep(state, step);
      if (outcome === 'done') count += 1;
    }
  }
}
