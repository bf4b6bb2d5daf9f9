import { parseQuantity, quantityPieces } from '@tappaas/sdk';
import { scheduleErrors } from './errors.js';

/** An amount this large fits nowhere; sums are exact only below it. */
export const amountMax = Number.MAX_SAFE_INTEGER;

const plain = /^\d{1,12}$/;
const shownMax = 64;

/**
 * Converts a Kubernetes quantity to an integer, rounded up: cpu in millicores, everything else in its unit (bytes, pieces). Larger amounts
 * are clamped to {@link amountMax}.
 *
 * @throws TAP_SCHEDULE_QUANTITY_INVALID
 */
export function amountOf(resource: string, quantity: string | number): number {
  const milli = resource === 'cpu';
  const text = String(quantity);
  // Fast path: most quantities in a busy cluster are plain numbers, which need no arithmetic.
  if (plain.test(text)) return milli ? Number(text) * 1000 : Number(text);
  const parsed = parseQuantity(text);
  if (parsed === undefined || text.startsWith('-')) {
    throw scheduleErrors.TAP_SCHEDULE_QUANTITY_INVALID({
      message: `quantity of ${resource}: expected a Kubernetes quantity that is not negative, found ${JSON.stringify(text.slice(0, shownMax))}`,
    });
  }
  const pieces = quantityPieces(parsed, milli ? 1_000_000n : 1_000_000_000n);
  return pieces > BigInt(amountMax) ? amountMax : Number(pieces);
}
