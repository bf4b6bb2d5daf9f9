import { isTapError, type Outcome, type TapError } from '@tappaas/sdk';
import { reconcileErrors } from './errors.js';

/** What happens with a key after its run; together the controller's outcome table. */
export type Verdict =
  /** Wait for a change; resets the back-off. */
  | { readonly result: 'done' }
  /** Run again after this time (very short ones: see again-pace.ts), or earlier on a change; resets the back-off. */
  | { readonly result: 'again'; readonly afterMs: number }
  /** Run again with back-off, but not before the time that the failing side requested. */
  | { readonly result: 'error' | 'timeout'; readonly error: Error; readonly afterMsMin?: number }
  /** Count it and wait for a change, since a retry cannot help before that. */
  | { readonly result: 'terminal'; readonly error: Error }
  /** The controller was stopped, so no one is at fault; the key remains to be processed. */
  | { readonly result: 'stopped' };

/** Limit on the retry delay that an upstream can request. */
const retryAfterMsMax = 10 * 60_000;

/** Returns the verdict on the result of a reconcile. */
export function verdictOf(outcome: Outcome): Verdict {
  if (outcome === undefined || outcome === null) return { result: 'done' };
  const afterMs: unknown = typeof outcome === 'object' ? outcome.againAfterMs : undefined;
  if (typeof afterMs === 'number' && Number.isFinite(afterMs) && afterMs >= 0) return { result: 'again', afterMs };
  const found = typeof outcome === 'object' ? `againAfterMs ${String(afterMs)}` : `a ${typeof outcome}`;
  const message = `a reconcile answered ${found} where nothing or { againAfterMs } was expected`;
  return { result: 'error', error: reconcileErrors.TAP_RECONCILE_BAD_OUTCOME({ message }) };
}

/** Returns the verdict on an error of a reconcile. */
export function verdictOfFailure(thrown: unknown): Verdict {
  const error = thrown instanceof Error ? thrown : new Error(`a reconcile threw ${typeof thrown}`, { cause: thrown });
  if (!isTapError(error)) return { result: 'error', error };
  if (error.spec.retry === 'never') return { result: 'terminal', error };
  return { result: 'error', error, ...retryAfter(error) };
}

function retryAfter({ retryAfterMs }: TapError): { afterMsMin?: number } {
  return retryAfterMs === undefined ? {} : { afterMsMin: Math.min(retryAfterMsMax, Math.max(0, retryAfterMs)) };
}
