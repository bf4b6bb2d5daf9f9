const scales: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
/** Divided by, since a quotient of whole numbers is rounded once: 100m is exactly 0.1. */
const fractions: Readonly<Record<string, number>> = { n: 1e9, u: 1e6, m: 1e3 };

/** Says whether two values are one Kubernetes quantity, such as 1024Mi and 1Gi; servers store the shorter form. */
export function isSameQuantity(one: unknown, other: unknown): boolean {
  const value = parse(one);
  return value !== undefined && value === parse(other);
}

function parse(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const match = typeof value === 'string' ? /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]{0,2})$/.exec(value) : null;
  if (!match) return undefined;
  const [, digits = '', suffix = ''] = match;
  const fraction = fractions[suffix];
  if (fraction !== undefined) return Number(digits) / fraction;
  const scale = scales[suffix];
  return scale === undefined ? undefined : Number(digits) * scale;
}
