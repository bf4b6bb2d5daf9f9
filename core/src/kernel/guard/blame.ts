import { isTapError, type TapError } from '@tappaas/sdk';
import { guardErrors } from '../errors.js';

/** The result of a guarded call, as in its metric. */
export type Outcome = 'ok' | 'denied' | 'error' | 'timeout' | 'upstream';

/** The failure of a call: the error to report, the outcome to count, and whether the plugin's breaker must count it. */
export class Failure {
  readonly error: TapError;
  readonly outcome: Outcome;
  readonly ownBlame: boolean;

  constructor(error: TapError, outcome: Outcome, ownBlame: boolean) {
    this.error = error;
    this.outcome = outcome;
    this.ownBlame = ownBlame;
  }
}

/** Classifies what a plugin's function threw. An error that names another plugin came from that plugin. */
export function failureOf(thrown: unknown, plugin: string, point: string): Failure {
  if (!isTapError(thrown)) {
    const text = thrown instanceof Error ? thrown.message : `threw ${typeof thrown}`;
    const error = guardErrors.TAP_PLUGIN_FAILED({ message: `plugin ${plugin} failed in ${point}: ${text}`, cause: thrown });
    error.plugin = plugin;
    return new Failure(error, 'error', true);
  }
  const foreign = thrown.plugin !== undefined && thrown.plugin !== plugin;
  if (!foreign && !Object.isFrozen(thrown)) thrown.plugin = plugin;
  if (thrown.spec.blame === 'caller') return new Failure(thrown, 'denied', false);
  if (!foreign && thrown.spec.blame === 'plugin') return new Failure(thrown, 'error', true);
  return new Failure(thrown, 'upstream', false);
}

export function timeoutOf(plugin: string, point: string, limitMs: number, ownLimit: boolean, waitsForOther: boolean): Failure {
  const error = ownLimit
    ? guardErrors.TAP_PLUGIN_TIMEOUT({ message: `plugin ${plugin} did not finish ${point} within ${Math.round(limitMs)} ms` })
    : guardErrors.TAP_DEADLINE_EXCEEDED({ message: `the request’s time ended while plugin ${plugin} worked on ${point}` });
  error.plugin = plugin;
  return new Failure(error, 'timeout', ownLimit && !waitsForOther);
}

/** Makes the failure for an invalid result of a hook; `what` describes it. */
export function garbageOf(plugin: string, point: string, what: string): Failure {
  const error = guardErrors.TAP_PLUGIN_RESULT_INVALID({ message: `plugin ${plugin} answered ${point} with ${what}` });
  error.plugin = plugin;
  return new Failure(error, 'error', true);
}
