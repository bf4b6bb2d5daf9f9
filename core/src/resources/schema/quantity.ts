/**
 * Kubernetes quantities: `250m`, `1.5Gi`, `2e3`. Exact, in units of a billionth, as kube-apiserver rounds them.
 *
 * @source https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
const pattern = /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<fraction>\d*))?(?<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?$/;

const nano = 1_000_000_000n;
const binaryPowers = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalPowers = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
/** Digits beyond these can only be rounded away or exceed what Kubernetes stores. */
const digitsMax = 64;
const nanosMax = (2n ** 63n - 1n) * nano;

/** A parsed quantity: how much, and in which notation it is written. */
export interface Quantity {
  readonly nanos: bigint;
  readonly notation: 'binary' | 'decimal' | 'exponent';
}

/** Reads a quantity; nothing when the text is none. Fractions below a billionth are rounded up, away from zero. */
export function parseQuantity(value: unknown): Quantity | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const groups = text.length > digitsMax ? undefined : pattern.exec(text)?.groups;
  const whole = groups?.['whole'] ?? '';
  const fraction = groups?.['fraction'] ?? '';
  if (groups === undefined || whole.length + fraction.length === 0) return undefined;
  const suffix = groups['suffix'] ?? '';
  const digits = BigInt(whole + fraction);
  const scaled = scale(digits, fraction.length, suffix);
  const capped = scaled > nanosMax ? nanosMax : scaled;
  return { nanos: groups['sign'] === '-' ? -capped : capped, notation: notationOf(suffix) };
}

function notationOf(suffix: string): Quantity['notation'] {
  if (suffix.endsWith('i')) return 'binary';
  return /^[eE][+-]?\d/.test(suffix) ? 'exponent' : 'decimal';
}

function scale(digits: bigint, decimals: number, suffix: string): bigint {
  const divisor = 10n ** BigInt(decimals);
  if (suffix.endsWith('i')) return divideUp(digits * nano * 1024n ** BigInt(binaryPowers.indexOf(suffix)), divisor);
  const isExponent = notationOf(suffix) === 'exponent';
  const power = isExponent ? Number(suffix.slice(1)) : (decimalPowers.indexOf(suffix) - 3) * 3;
  const raised = power + 9;
  return raised >= 0 ? divideUp(digits * 10n ** BigInt(raised), divisor) : divideUp(digits, divisor * 10n ** BigInt(-raised));
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** The one text for this amount in its notation: the largest suffix without a fraction, as kube-apiserver answers it. */
export function formatQuantity(quantity: Quantity): string {
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

/** The amount as a number of `unit`s, for arithmetic that tolerates rounding above 2^53. */
export function quantityNumber(value: unknown, unit: 'units' | 'millis'): number | undefined {
  const nanos = parseQuantity(value)?.nanos;
  if (nanos === undefined) return undefined;
  const size = unit === 'units' ? nano : 1_000_000n;
  return Number(nanos < 0n ? -divideUp(-nanos, size) : divideUp(nanos, size));
}
