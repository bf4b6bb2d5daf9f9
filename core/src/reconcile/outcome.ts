import { isTapError, type Outcome, type TapError } from '@tappaas/sdk';
import { reconcileErrors } from './errors.js';

/** What is done with a key after its run; the controller's outcome table in one place. */
export type Verdict =
  /** Rest until something changes; the back-off is forgotten. */
  | { readonly result: 'done' }
  /** Run again after this time (see again-pace.ts for very short ones), or earlier on a change; the back-off is forgotten. */
  | { readonly result: 'again'; readonly afterMs: number }
  /** Run again with back-off, but not before the time that the failing side asked for. */
  | { readonly result: 'error' | 'timeout'; readonly error: Error; readonly afterMsMin?: number }
  /** Count it and rest: trying again cannot help until the object changes. */
  | { readonly result: 'terminal'; readonly error: Error }
  /** The controller was stopped: nobody is to blame, and the key stays to be done. */
  | { readonly result: 'stopped' };

/** No upstream may send a key away for longer than this. */
const retryAfterMsMax = 10 * 60_000;

/** The verdict on what a reconcile answered. */
export function verdictOf(outcome: Outcome): Verdict {
  if (outcome === undefined || outcome === null) return { result: 'done' };
  const afterMs: unknown = typeof outcome === 'object' ? outcome.againAfterMs : undefined;
  if (typeof afterMs === 'number' && Number.isFinite(afterMs) && afterMs >= 0) return { result: 'again', afterMs };
  const found = typeof outcome === 'object' ? `againAfterMs ${String(afterMs)}` : `a ${typeof outcome}`;
  const message = `a reconcile answered ${found} where nothing or { againAfterMs } was expected`;
  return { result: 'error', error: reconcileErrors.TAP_RECONCILE_BAD_OUTCOME({ message }) };
}

/** The verdict on what a reconcile threw. */
export function verdictOfFailure(thrown: unknown): Verdict {
  const error = thrown instanceof Error ? thrown : new Error(`a reconcile threw ${typeof thrown}`, { cause: thrown });
  if (!isTapError(error)) return { result: 'error', error };
  if (error.spec.retry === 'never') return { result: 'terminal', error };
  return { result: 'error', error, ...retryAfter(error) };
}

function retryAfter({ retryAfterMs }: TapError): { afterMsMin?: number } {
  return retryAfterMs === undefined ? {} : { afterMsMin: Math.min(retryAfterMsMax, Math.max(0, retryAfterMs)) };
}
