import type { Clock } from '@tappaas/sdk';
import { exitCodes } from '../cli/command.js';
import type { Log } from '../telemetry/log.js';

/** What a process hears of its end. */
export interface EndSignals {
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM', heard: () => void) => void;
  /** Errors that nobody caught, thrown or rejected. */
  readonly onUncaught: (heard: (error: unknown) => void) => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  readonly pluginOf: (error: unknown) => string | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

/** Time for an orderly stop after an error of the platform itself; what has gone wrong may also keep it from stopping. */
export const stopAfterErrorMsMax = 30_000;

/**
 * Resolves with the exit code when the platform has to stop: told by a signal, or because of an error that nobody caught. An error of a
 * plugin is told and ends nothing, because others go on working; one of the platform itself leaves nothing that could be relied on. Told
 * twice, the process ends at once.
 */
export function untilToldToEnd({ onSignal, onUncaught, exit, pluginOf, log, clock }: EndSignals): Promise<number> {
  const told = Promise.withResolvers<number>();
  let isTold = false;
  let hasFailed = false;
  const signalled = () => {
    if (isTold) return exit(exitCodes.failed);
    isTold = true;
    told.resolve(exitCodes.ok);
  };
  const cutOff = async () => {
    await clock.sleep(stopAfterErrorMsMax, new AbortController().signal);
    exit(exitCodes.failed);
  };
  onSignal('SIGINT', signalled);
  onSignal('SIGTERM', signalled);
  onUncaught((error) => {
    const plugin = pluginOf(error);
    if (plugin !== undefined) return log.forPlugin(plugin).error(`plugin ${plugin} caused an error that nobody caught`, { error });
    // Further ones are consequences, such as a log that cannot be written; telling them could cause the next.
    if (hasFailed) return;
    hasFailed = true;
    isTold = true;
    log.error('an error that nobody caught ends the platform', { error });
    told.resolve(exitCodes.failed);
    void cutOff();
  });
  return told.promise;
}
