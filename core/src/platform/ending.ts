import type { Clock } from '@tappaas/sdk';
import { exitCodes } from '../cli/command.js';
import type { Log } from '../telemetry/log.js';

/** Events that can end the process. */
export interface EndSignals {
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void) => void;
  /** Subscribes to uncaught errors and unhandled rejections. */
  readonly onUncaught: (listener: (error: unknown) => void) => void;
  /** Ends the process immediately. */
  readonly exit: (code: number) => void;
  readonly pluginOf: (error: unknown) => string | undefined;
  /** Whether the terminal in which the process was started has been closed; always false if it was started without one. */
  readonly hasLostTerminal: () => boolean;
  readonly reload: () => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** Time for an orderly stop after an error of the platform itself, since that error may also prevent it from stopping. */
export const stopAfterErrorMsMax = 30_000;

/**
 * Signals this soon after the first count as the same request: npm forwards Ctrl-C to a process that has already received it from the
 * terminal (docs/decisions/0228).
 */
export const repeatedSignalMsMax = 2000;

/**
 * Resolves with the exit code when the platform must stop: on a signal, or because of an uncaught error. An uncaught error of a plugin is
 * only logged, because others keep working; one of the platform itself leaves it in an unreliable state. A later second signal ends the
 * process immediately.
 */
export function untilShutdown(signals: EndSignals): Promise<number> {
  const { onSignal, onUncaught, exit, pluginOf, hasLostTerminal, reload, log, clock } = signals;
  const shutdown = Promise.withResolvers<number>();
  let signaledAtMs: number | undefined;
  let hasFailed = false;
  const signalled = () => {
    if (signaledAtMs === undefined) {
      signaledAtMs = clock.nowMs();
      return shutdown.resolve(exitCodes.ok);
    }
    if (clock.nowMs() - signaledAtMs < repeatedSignalMsMax) return;
    log.warn(
      'asked again to stop, the platform exits at once; what it had not stopped yet, such as applications on this machine, may continue: to end it, start the platform again and stop it once',
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
    if (plugin !== undefined) return log.forPlugin(plugin).error(`plugin ${plugin} caused an uncaught error`, { error });
    // Further errors are consequences, such as a log that cannot be written; logging them could cause the next.
    if (hasFailed) return;
    hasFailed = true;
    signaledAtMs ??= clock.nowMs();
    log.error('an uncaught error ends the platform', { error });
    shutdown.resolve(exitCodes.failed);
    void cutOff();
  });
  return shutdown.promise;
}
