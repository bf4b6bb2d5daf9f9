import { setImmediate as turn } from 'node:timers/promises';
import { isTapError } from '@tappaas/sdk';
import type { Cause, EngineError } from '../ports/engine.js';
import type { EngineState } from './engine-state.js';
import type { KindEntry } from './kind-entry.js';
import type { CacheEntry } from './watch-cache.js';
import { equalJson } from './schema/json-value.js';
import type { StoredObject } from './stored-object.js';
import { heldOf, takeStep } from './transaction.js';

/** The result of rebuilding claims. */
export interface RebuiltClaims {
  /** Number of objects whose claims were updated to what the plugins claim now. */
  readonly changed: number;
  /** The first hundred objects that were left unchanged because another object holds what they claim. */
  readonly refused: readonly { readonly key: string; readonly causes: readonly Cause[] }[];
}

/** Objects processed before yielding to other work. */
const objectsAtOnceMax = 100;
const refusedMax = 100;

/**
 * Updates the claims of all objects after a claiming plugin was added, changed or removed. Claims are pure functions of their object, so
 * this may be interrupted and run again; an object that changes meanwhile updates its own claims. Counters take the existing usage even
 * beyond their limit: a limit refuses additions, but takes nothing away.
 */
export async function rebuildClaims(state: EngineState, signal: AbortSignal): Promise<RebuiltClaims> {
  let changed = 0;
  let seen = 0;
  const refused: { key: string; causes: readonly Cause[] }[] = [];
  for (const entry of state.registry().entries) {
    if (entry.virtual || entry.isOrphaned) continue;
    for (const item of state.cache(entry).list({ within: entry.prefix }).items) {
      seen += 1;
      if (seen % objectsAtOnceMax === 0) await turn();
      signal.throwIfAborted();
      const causes = await rebuild(state, entry, item);
      if (causes === 'changed') changed += 1;
      else if (causes && refused.length < refusedMax) refused.push({ key: item.key, causes });
    }
  }
  return { changed, refused };
}

async function rebuild(
  state: EngineState,
  entry: KindEntry,
  { key, object: previous }: CacheEntry<StoredObject>,
): Promise<'changed' | readonly Cause[] | undefined> {
  const { group, kind, isConfidential } = entry;
  const { side } = previous;
  const asked = {
    engine: state.name,
    group,
    kind,
    isConfidential,
    // Parsed lazily, because only kinds with claiming plugins need the object.
    get object() {
      return previous.object;
    },
  };
  const claims = state.admission.claims(asked).map((claim) => ('counter' in claim ? { ...claim, max: Number.MAX_SAFE_INTEGER } : claim));
  const held = heldOf(claims);
  if (equalJson(held, side.claims)) return undefined;
  const next = { object: previous.object, side: { ...side, claims: held } };
  try {
    const result = await takeStep(state, { entry, key, previous, next, claims, guards: [], changes: [] });
    return result.outcome === 'done' ? 'changed' : undefined;
  } catch (error) {
    if (isTapError(error, 'TAP_OBJECT_DENIED')) return (error as EngineError).causes ?? [];
    throw error;
  }
}
