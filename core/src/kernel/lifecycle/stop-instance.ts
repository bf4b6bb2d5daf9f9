import type { Context } from '@tappaas/sdk';
import type { Instance } from './instance.js';
import type { MadeService } from './start-instance.js';
import type { Surroundings } from './surroundings.js';

/** Time for each `onStop` and each `dispose`, and for calls that are still running. */
const stopLimitMs = 5000;

export interface StopFault {
  readonly plugin: string;
  readonly error: Error;
}

/**
 * Stops one instance: aborts what runs, waits for it, `onStop` in reverse, then disposes of what it provided in reverse. Nothing ends it
 * early: every fault is collected. Also right after a start that failed half-way.
 */
export async function stopInstance(
  instance: Instance,
  surroundings: Surroundings,
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
    surroundings.services.removeOf(service, instance.scope);
    if (dispose) await attempt(`dispose ${service.id}`, () => dispose(value));
  }
  instance.phase = failed ? 'failed' : 'stopped';
  return faults;
}

/** Calls under way were told to end; who does not within the limit is left behind. */
async function withinLimit(instance: Instance): Promise<void> {
  if (instance.scope.inFlight === 0) return;
  const over = new AbortController();
  await Promise.race([instance.idle(), instance.scope.clock.sleep(stopLimitMs, over.signal).catch(() => {})]);
  over.abort();
}
