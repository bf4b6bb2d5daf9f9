import type { Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

/** What the provider charges for one month, in euro. */
export interface Prices {
  readonly cpuCoreEuro: number;
  readonly memoryGibEuro: number;
}

const suffixes: Readonly<Record<string, number>> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity as a number. */
export function quantity(text: string | undefined): number {
  const [, digits = '0', suffix = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(text ?? '0') ?? [];
  return Number(digits) * (suffixes[suffix] ?? 1);
}

/** What an application costs in a month when all its replicas run all the time. */
export function monthlyCostEuro(application: Immutable<ApplicationObject>, prices: Prices): number {
  return application.spec.processes.reduce((sum, { replicas, resources }) => {
    const cores = quantity(resources?.cpu);
    const gib = quantity(resources?.memory) / 2 ** 30;
    return sum + replicas * (cores * prices.cpuCoreEuro + gib * prices.memoryGibEuro);
  }, 0);
}
