import type { Clock, Logger } from '@tappaas/sdk';
import type { ReadyCheck } from '../contributions.js';

const dayMs = 86_400_000;
const warnBeforeMs = 21 * dayMs;
const checkEveryMs = dayMs / 2;

/** When a certificate expires. */
export interface Expiring {
  readonly name: string;
  readonly notAfterMs: () => number;
}

/** Makes a readiness check that notes the expiry; only an expired certificate makes the platform unready. */
export function certificateCheck({ name, notAfterMs }: Expiring, clock: Pick<Clock, 'nowMs'>): ReadyCheck {
  const leftMs = (): number => notAfterMs() - clock.nowMs();
  return {
    name: `${name} certificate`,
    check: () => leftMs() > 0,
    note: () => (leftMs() < warnBeforeMs ? wording(leftMs()) : undefined),
  };
}

/** Warns twice a day from three weeks before a certificate expires, until `signal` aborts. */
export async function warnOfExpiry({ name, notAfterMs }: Expiring, clock: Clock, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const leftMs = notAfterMs() - clock.nowMs();
    const fields = { certificate: name, notAfter: new Date(notAfterMs()).toISOString() };
    if (leftMs <= 0) log.error(`the ${name} certificate of the API has expired; replace its files`, fields);
    else if (leftMs < warnBeforeMs) log.warn(`the ${name} certificate of the API ${wording(leftMs)}; replace its files`, fields);
    await clock.sleep(checkEveryMs, signal).catch(() => {});
  }
}

function wording(leftMs: number): string {
  return leftMs <= 0 ? 'has expired' : `expires in ${Math.floor(leftMs / dayMs)} days`;
}
