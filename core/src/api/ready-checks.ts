import type { Clock } from '@tappaas/sdk';
import type { ReadyCheck } from './contributions.js';

const checkMsMax = 5000;

/** What a check has found. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly note: string | undefined;
}

/** Makes all checks at once; one that has said nothing within five seconds has failed. */
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

/** A check that throws has failed; why is for the log of who owns it, since anybody may ask here. */
async function isGood({ check }: ReadyCheck): Promise<boolean> {
  try {
    return await check();
  } catch {
    return false;
  }
}
