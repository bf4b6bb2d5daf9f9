import type { Clock } from '@tappaas/sdk';
import type { ReadyCheck } from './contributions.js';

const checkMsMax = 5000;

/** The result of a check. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly note: string | undefined;
}

/** Runs all checks in parallel; a check without a result after five seconds has failed. */
export async function makeChecks(
  checks: readonly ReadyCheck[],
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<readonly CheckResult[]> {
  const over = new AbortController();
  const late = clock.sleep(checkMsMax, AbortSignal.any([over.signal, signal])).then(
    () => false,
    () => false,
  );
  const results = await Promise.all(
    checks.map(async (each) => ({ name: each.name, note: each.note?.(), ok: await Promise.race([isGood(each), late]) })),
  );
  over.abort();
  return results;
}

/** A check that throws has failed. The reason is deliberately not shown, because anyone may request readiness. */
async function isGood({ check }: ReadyCheck): Promise<boolean> {
  try {
    return await check();
  } catch {
    return false;
  }
}
