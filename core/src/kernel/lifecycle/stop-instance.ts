import type { Context } from '@tappaas/sdk';
import type { Instance } from './instance.js';
import type { MadeService } from './start-instance.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** Time limit of each `onStop` and `dispose`, and of calls in flight. */
const stopLimitMs = 5000;

export interface StopFault {
  readonly plugin: string;
  readonly error: Error;
}

/**
 * Stops one instance: aborts its calls, waits for them, runs `onStop` in reverse, then disposes of its services in reverse. Errors do not
 * end it early; all are collected. Also used right after a start that failed halfway.
 */
export async function stopInstance(
  instance: Instance,
  lifecycleParts: LifecycleParts,
  made: readonly MadeService[],
): Promise<readonly StopFault[]> {
  const faults: StopFault[] = [];
  const { guard, record } = instance;
  const failed = instance.phase === 'failed';
  instance.phase = 'stopping';
  instance.abort();
  await withinLimit(instance);
  const attempt = async (name: string, run: (context: Context) => unknown): Promise<void> => {
    try {
      await guard.callOutside({ name, limitMs: stopLimitMs, survivesStop: true }, async (context) => {
        await run(context);
      });
    } catch (error) {
      faults.push({ plugin: instance.id, error: error as Error });
    }
  };
  for (const stop of record.stops.toReversed()) await attempt('onStop', stop);
  for (const { service, value, dispose } of made.toReversed()) {
    lifecycleParts.services.removeOf(service, instance.scope);
    if (dispose) await attempt(`dispose ${service.id}`, () => dispose(value));
  }
  instance.phase = failed ? 'failed' : 'stopped';
  return faults;
}

/** Waits for aborted calls; those that do not end within the limit are abandoned. */
async function withinLimit(instance: Instance): Promise<void> {
  if (instance.scope.inFlight === 0) return;
  const over = new AbortController();
  await Promise.race([instance.idle(), instance.scope.clock.sleep(stopLimitMs, over.signal).catch(() => {})]);
  over.abort();
}
