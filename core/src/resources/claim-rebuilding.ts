import { setImmediate as turn } from 'node:timers/promises';
import { isTapError } from '@tappaas/sdk';
import type { Cause, EngineError } from '../ports/engine.js';
import type { EngineState } from './engine-state.js';
import type { KindEntry } from './kind-entry.js';
import type { CacheEntry } from './watch-cache.js';
import { equalJson } from './schema/json-value.js';
import type { StoredObject } from './stored-object.js';
import { heldOf, takeStep } from './transaction.js';

/** What a rebuilding of claims came to. */
export interface RebuiltClaims {
  /** Objects whose claims were brought to what the plugins say now. */
  readonly changed: number;
  /** Objects that stay as they are, because somebody else holds what they claim; the first hundred. */
  readonly refused: readonly { readonly key: string; readonly causes: readonly Cause[] }[];
}

/** Between turns for others. */
const objectsAtOnceMax = 100;
const refusedMax = 100;

/**
 * Brings what objects hold to what the plugins claim for them now: after a plugin that claims was added, changed or removed. Claims are
 * pure functions of their object, so this may be cut off and run again. An object that changes meanwhile claims anew by itself. Of counters
 * it takes what is there, also beyond the limit: a limit refuses more, and takes nothing away.
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
    // Made of its text only for kinds that somebody claims for.
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
