import { scheduleErrors } from './errors.js';

/** Everything this large fits nowhere: sums of amounts stay exact only below it. */
export const amountMax = Number.MAX_SAFE_INTEGER;

const charactersMax = 64;
const form = /^\+?(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,9}))?$/;
const plain = /^\d{1,12}$/;
const tens: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const twos: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

/**
 * A Kubernetes quantity as a whole number: cpu in millicores, everything else in its unit (bytes, pieces).
 *
 * Exact, without passing through a fraction; what is finer than the unit is rounded up, as Kubernetes does, so that no request
 * vanishes. Above {@link amountMax} the answer is `amountMax`.
 *
 * @throws TAP_SCHEDULE_QUANTITY_INVALID
 * @source https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function amountOf(resource: string, quantity: string | number): number {
  const milli = resource === 'cpu';
  const text = String(quantity);
  if (plain.test(text)) return milli ? Number(text) * 1000 : Number(text);
  const match = text.length <= charactersMax ? form.exec(text) : null;
  const [, whole = '', fraction = '', suffix = '', exponent = '0'] = match ?? [];
  if (match === null || whole + fraction === '') {
    throw scheduleErrors.TAP_SCHEDULE_QUANTITY_INVALID({
      message: `quantity of ${resource}: expected a Kubernetes quantity that is not negative, found ${JSON.stringify(text.slice(0, charactersMax))}`,
    });
  }
  const power = (tens[suffix] ?? 0) + Number(exponent) - fraction.length + (milli ? 3 : 0);
  return scaled(BigInt(whole + fraction) << (twos[suffix] ?? 0n), power);
}

/** `digits` × 10^power, rounded up. */
function scaled(digits: bigint, power: number): number {
  if (digits === 0n) return 0;
  if (power > charactersMax) return amountMax;
  if (power < -2 * charactersMax) return 1;
  const value = power >= 0 ? digits * 10n ** BigInt(power) : ceilingOf(digits, 10n ** BigInt(-power));
  return value > BigInt(amountMax) ? amountMax : Number(value);
}

function ceilingOf(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
