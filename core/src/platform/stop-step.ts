import type { Clock, Logger } from '@tappaas/sdk';

/** A step in stopping the platform. */
export interface StopStep {
  readonly what: string;
  readonly stop: () => Promise<unknown>;
  /** Default 10,000. */
  readonly limitMs?: number;
}

const limitMsDefault = 10_000;

/**
 * Stops one part. An error is logged, and a part that exceeds its limit is logged and abandoned, so that later parts get their turn. Never
 * rejects.
 */
export async function stopStep(
  { what, stop, limitMs = limitMsDefault }: StopStep,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(limitMs, over.signal).then(
    () => log.error('something did not stop in time and is left behind', { what, limitMs }),
    () => undefined,
  );
  const stopped = stop().catch((error: unknown) => log.error('something did not stop cleanly', { what, error }));
  await Promise.race([stopped, late]);
  over.abort();
}
