import { parseQuantity, quantityPieces } from '@tappaas/sdk';
import { scheduleErrors } from './errors.js';

/** Everything this large fits nowhere: sums of amounts stay exact only below it. */
export const amountMax = Number.MAX_SAFE_INTEGER;

const plain = /^\d{1,12}$/;
const shownMax = 64;

/**
 * A Kubernetes quantity as a whole number, rounded up: cpu in millicores, everything else in its unit (bytes, pieces). Above
 * {@link amountMax} the answer is `amountMax`.
 *
 * @throws TAP_SCHEDULE_QUANTITY_INVALID
 */
export function amountOf(resource: string, quantity: string | number): number {
  const milli = resource === 'cpu';
  const text = String(quantity);
  // Most quantities of a busy cluster are plain numbers, which need no arithmetic.
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
