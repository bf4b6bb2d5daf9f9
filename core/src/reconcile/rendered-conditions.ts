import { isTapError, type Condition, type Outcome } from '@tappaas/sdk';
import { failureText, type ApplySetResult } from './apply-set.js';
import { refText } from './object-ref.js';

/** How soon to check again a set that waits for objects to go, or (blocked) for a user or for a name to become free. */
const leavingMs = 1_000;
export const blockedMs = 60_000;

/** The result of an apply set, or why it was not run. */
export type Applied = ApplySetResult & { readonly unconfirmed?: string };

export function outcomeOf(result: Applied | undefined): Outcome {
  if (result === undefined || result.isComplete) return undefined;
  // An event of the cluster reports the end of a release task.
  if (result.held && result.leaving.length === 0) return { againAfterMs: blockedMs };
  return { againAfterMs: result.unconfirmed === undefined && result.refused.length === 0 ? leavingMs : blockedMs };
}

export function appliedConditions(result: Applied | undefined): readonly Condition[] {
  if (result === undefined) return [];
  const applied = (status: Condition['status'], reason: string, message: string): readonly Condition[] => [
    { type: 'Applied', status, reason, message },
  ];
  if (result.unconfirmed !== undefined) return applied('Unknown', 'NotConfirmed', result.unconfirmed);
  const [refused] = result.refused;
  if (refused) return applied('False', refused.reason, result.refused.map(({ message }) => message).join('; '));
  if (result.failed.length > 0) return applied('False', 'ApplyFailed', failureText(result));
  if (result.leaving.length > 0) return applied('False', 'ObjectsLeaving', `waiting until gone: ${result.leaving.map(refText).join(', ')}`);
  if (result.held) return applied('False', result.held.state === 'failed' ? 'ReleaseTaskFailed' : 'ReleaseTasks', result.held.message);
  return applied('True', 'Applied', 'the cluster has what the release says');
}

export const rendered: Condition = { type: 'Rendered', status: 'True', reason: 'Rendered', message: 'the release has what the spec says' };

export function renderFailed(error: unknown): readonly Condition[] {
  const plugin = isTapError(error) ? error.plugin : undefined;
  const notified = messageOf(error);
  const prefix = plugin === undefined ? 'rendering failed' : `plugin ${plugin} failed to render`;
  // The guard's message names the plugin and the place, unless the plugin's own error was passed through.
  const message = notified.startsWith(`plugin ${plugin} `) ? notified : `${prefix}: ${notified}`;
  return [{ type: 'Rendered', status: 'False', reason: 'RenderFailed', message }, notReady('RenderFailed', message)];
}

/** Sets Ready to false if anything could not be applied, even if the previous objects work well. */
export function withReady(stated: readonly Condition[], result: Applied): readonly Condition[] {
  if (result.refused.length === 0 && result.failed.length === 0 && result.held === undefined) return stated;
  const { reason, message } = appliedConditions(result)[0] ?? rendered;
  return stated.map((condition) => (condition.type === 'Ready' ? notReady(reason, message) : condition));
}

export function notReady(reason: string, message: string): Condition {
  return { type: 'Ready', status: 'False', reason, message };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
