import type { Clock } from '@tappaas/sdk';
import { exitCodes } from '../cli/command.js';
import type { Log } from '../telemetry/log.js';

/** What a process hears of its end. */
export interface EndSignals {
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', heard: () => void) => void;
  /** Errors that nobody caught, thrown or rejected. */
  readonly onUncaught: (heard: (error: unknown) => void) => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  readonly pluginOf: (error: unknown) => string | undefined;
  /** Whether the terminal that the process was started at has been closed; never of one that was started without. */
  readonly hasLostTerminal: () => boolean;
  readonly reload: () => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** Time for an orderly stop after an error of the platform itself; what has gone wrong may also keep it from stopping. */
export const stopAfterErrorMsMax = 30_000;

/**
 * Signals that come this soon after the first are the same wish: npm passes Ctrl-C on to a process that has had it from the terminal
 * (docs/decisions/0228).
 */
export const sameWishMsMax = 2000;

/**
 * Resolves with the exit code when the platform has to stop: told by a signal, or because of an error that nobody caught. An error of a
 * plugin is told and ends nothing, because others go on working; one of the platform itself leaves nothing that could be relied on. Told
 * again later, the process ends at once.
 */
export function untilToldToEnd(signals: EndSignals): Promise<number> {
  const { onSignal, onUncaught, exit, pluginOf, hasLostTerminal, reload, log, clock } = signals;
  const told = Promise.withResolvers<number>();
  let toldAtMs: number | undefined;
  let hasFailed = false;
  const signalled = () => {
    if (toldAtMs === undefined) {
      toldAtMs = clock.nowMs();
      return told.resolve(exitCodes.ok);
    }
    if (clock.nowMs() - toldAtMs < sameWishMsMax) return;
    log.warn(
      'told again to stop, the platform ends at once; what it had not ended yet, such as applications on this machine, may go on: to end it, start the platform again and stop it once',
    );
    exit(exitCodes.failed);
  };
  const cutOff = async () => {
    await clock.sleep(stopAfterErrorMsMax, new AbortController().signal);
    exit(exitCodes.failed);
  };
  onSignal('SIGINT', signalled);
  onSignal('SIGTERM', signalled);
  onSignal('SIGHUP', () => (hasLostTerminal() ? signalled() : reload()));
  onUncaught((error) => {
    const plugin = pluginOf(error);
    if (plugin !== undefined) return log.forPlugin(plugin).error(`plugin ${plugin} caused an error that nobody caught`, { error });
    // Further ones are consequences, such as a log that cannot be written; telling them could cause the next.
    if (hasFailed) return;
    hasFailed = true;
    toldAtMs ??= clock.nowMs();
    log.error('an error that nobody caught ends the platform', { error });
    told.resolve(exitCodes.failed);
    void cutOff();
  });
  return told.promise;
}
