const pattern = /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<fraction>\d*))?(?<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,9})?$/;

const nano = 1_000_000_000n;
const binaryPowers = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalPowers = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const charactersMax = 64;
/** Beyond this power of ten every amount that fits into {@link charactersMax} exceeds what Kubernetes stores, or is below a billionth. */
const powerMax = 2 * charactersMax;
const nanosMax = (2n ** 63n - 1n) * nano;

/** The amount of a Kubernetes quantity, and the notation it was written in. */
export interface ParsedQuantity {
  /** In billionths of the unit, the finest amount that Kubernetes stores. */
  readonly nanos: bigint;
  readonly notation: 'binary' | 'decimal' | 'exponent';
}

/**
 * Parses a Kubernetes quantity such as `250m`, `1.5Gi` or `2e3`; `undefined` if `value` is not a quantity.
 *
 * As exact as kube-apiserver: fractions of a billionth are rounded away from zero, so that no request vanishes, and amounts are capped at
 * 2^63 − 1 units. Texts above 64 characters are not quantities.
 *
 * @source https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function parseQuantity(value: unknown): ParsedQuantity | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const groups = text.length > charactersMax ? undefined : pattern.exec(text)?.groups;
  const whole = groups?.['whole'] ?? '';
  const fraction = groups?.['fraction'] ?? '';
  if (groups === undefined || whole.length + fraction.length === 0) return undefined;
  const suffix = groups['suffix'] ?? '';
  const scaled = scale(BigInt(whole + fraction), fraction.length, suffix);
  const capped = scaled > nanosMax ? nanosMax : scaled;
  return { nanos: groups['sign'] === '-' ? -capped : capped, notation: notationOf(suffix) };
}

function notationOf(suffix: string): ParsedQuantity['notation'] {
  if (suffix.endsWith('i')) return 'binary';
  return /^[eE][+-]?\d/.test(suffix) ? 'exponent' : 'decimal';
}

function scale(digits: bigint, decimals: number, suffix: string): bigint {
  const notation = notationOf(suffix);
  if (notation === 'binary') return divideUp(digits * nano * 1024n ** BigInt(binaryPowers.indexOf(suffix)), 10n ** BigInt(decimals));
  const power = (notation === 'exponent' ? Number(suffix.slice(1)) : (decimalPowers.indexOf(suffix) - 3) * 3) + 9 - decimals;
  if (digits === 0n) return 0n;
  if (power > powerMax) return nanosMax;
  if (power < -powerMax) return 1n;
  return power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** Formats an amount canonically in its notation, with the largest suffix that leaves no fraction, as kube-apiserver does. */
export function formatQuantity(quantity: ParsedQuantity): string {
  const { nanos } = quantity;
  const sign = nanos < 0n ? '-' : '';
  const amount = nanos < 0n ? -nanos : nanos;
  if (amount === 0n) return '0';
  // Below 1024 or with a fraction, binary notation falls back to the decimal one.
  if (quantity.notation === 'binary' && amount % nano === 0n && amount >= 1024n * nano) {
    let value = amount / nano;
    let power = 0;
    while (value % 1024n === 0n && power < binaryPowers.length - 1) [value, power] = [value / 1024n, power + 1];
    return `${sign}${value}${binaryPowers[power] ?? ''}`;
  }
  let value = amount;
  let power = 0;
  const powersMax = quantity.notation === 'exponent' ? Number.MAX_SAFE_INTEGER : decimalPowers.length - 1;
  while (value % 1000n === 0n && power < powersMax) [value, power] = [value / 1000n, power + 1];
  if (quantity.notation !== 'exponent') return `${sign}${value}${decimalPowers[power] ?? ''}`;
  return power === 3 ? `${sign}${value}` : `${sign}${value}e${(power - 3) * 3}`;
}

/**
 * Counts an amount in whole pieces of `pieceNanos` billionths, rounded away from zero: with `1_000_000n` the result is in millicores.
 *
 * @throws RangeError when `pieceNanos` is 0.
 */
export function quantityPieces({ nanos }: ParsedQuantity, pieceNanos: bigint): bigint {
  return nanos < 0n ? -divideUp(-nanos, pieceNanos) : divideUp(nanos, pieceNanos);
}

/** Parses a quantity as a number of its unit, such as cores or bytes; exact for whole units up to 2^53; `undefined` if it is not one. */
export function quantityNumber(value: unknown): number | undefined {
  const nanos = parseQuantity(value)?.nanos;
  return nanos === undefined ? undefined : Number(nanos / nano) + Number(nanos % nano) / 1e9;
}

/** Whether two values are the same amount, such as `1024Mi` and `1Gi`: API servers may return another text than they received. */
export function isSameQuantity(one: unknown, other: unknown): boolean {
  const nanos = parseQuantity(one)?.nanos;
  return nanos !== undefined && nanos === parseQuantity(other)?.nanos;
}
