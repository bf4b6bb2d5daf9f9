const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
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

/** The number that a Kubernetes quantity stands for; nothing when it is none. */
export function quantityOf(quantity: string | number | undefined): number | undefined {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([numkMGTPE]i?)?$/.exec(String(quantity ?? ''));
  const factor = factors[match?.[2] ?? ''];
  const number = Number(match?.[1]);
  return match === null || factor === undefined || Number.isNaN(number) ? undefined : number * factor;
}
