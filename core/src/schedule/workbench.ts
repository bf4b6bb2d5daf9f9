import { isTapError } from '@tappaas/sdk';
import { ClusterView } from './cluster-view.js';
import { DecisionLog, type Decision } from './decision.js';
import { defaultLimits, type SchedulerLimits, type SchedulerOptions } from './options.js';
import { PendingPods, type PendingPod } from './pending-pods.js';
import type { PlacementEngine } from './placement-engine.js';
import { podName } from './pod-facts.js';
import { throttled, type ReportProblem } from './problems.js';
import { scheduleErrors } from './errors.js';
import type { SchedulingTaps } from './taps.js';

/** One hook generation and the engine built from it; a cycle uses the same generation until it ends. */
export interface Generation {
  readonly taps: SchedulingTaps;
  readonly engine: PlacementEngine;
}

/** State shared by all parts of the scheduler. */
export interface Workbench {
  readonly options: SchedulerOptions;
  readonly limits: SchedulerLimits;
  readonly cluster: ClusterView;
  readonly pending: PendingPods;
  readonly decisions: DecisionLog;
  readonly report: ReportProblem;
  /** Start time. */
  readonly sinceMs: number;
}

const reportAgainMs = 5 * 60_000;
const problemEveryMs = 60_000;

/** Makes the shared state, before anything is known about the cluster. */
export function makeBench(options: SchedulerOptions, happened: ConstructorParameters<typeof ClusterView>[0]['happened']): Workbench {
  const limits = { ...defaultLimits, ...options.limits };
  const report = throttled(
    (problem) => options.report?.(problem),
    () => options.clock.nowMs(),
    problemEveryMs,
  );
  const invalid = (error: unknown) => {
    if (!isTapError(error)) throw error;
    report({ error });
  };
  return {
    options,
    limits,
    report,
    sinceMs: options.clock.nowMs(),
    cluster: new ClusterView({ resourcesMax: limits.resourcesMax, happened, invalid }),
    pending: new PendingPods({
      podsMax: limits.pendingPodsMax,
      parkedMsMax: limits.parkedMsMax,
      backoff: { baseMs: limits.backoffBaseMs, maxMs: limits.backoffMsMax },
      random: options.random,
      onRoom: () => options.onRoom?.(),
    }),
    decisions: new DecisionLog(limits.decisionsMax),
  };
}

export function record({ decisions, options }: Workbench, decision: Decision): void {
  decisions.add(decision);
  options.onDecision?.(decision);
}

/** Makes a decision without a node, for a pod's current attempt. */
export function undecided({ options }: Workbench, pending: PendingPod, outcome: 'unschedulable' | 'failed', message: string): Decision {
  const attempt = pending.attempts + 1;
  const none = { nodes: 0, feasibleNodes: 0, refused: [], retryOn: [] };
  return { pod: podName(pending.pod), atMs: options.clock.nowMs(), attempt, outcome, message, ...none };
}

/** Reports to the pod's owner why it has no node; the same message is repeated only after five minutes. */
export function reportPending(
  { options }: Workbench,
  pending: PendingPod,
  reason: 'Unschedulable' | 'SchedulerError' | 'SchedulingGated',
  message: string,
): void {
  const nowMs = options.clock.nowMs();
  if (pending.reported?.message === message && nowMs - pending.reported.atMs < reportAgainMs) return;
  pending.reported = { message, atMs: nowMs };
  options.setCondition?.(pending.pod, { status: 'False', reason, message });
  if (reason !== 'SchedulingGated')
    options.emitEvent?.({ pod: podName(pending.pod), type: 'Warning', reason: 'FailedScheduling', message });
}

/** Reports a failed step, which fails the cycle; the pod is retried. The guard has named the plugin. */
export function reportStep({ report }: Workbench, step: string, cause: unknown): void {
  const plugin = isTapError(cause) ? cause.plugin : undefined;
  const error = scheduleErrors.TAP_SCHEDULE_STEP_FAILED({
    message: `${step}${plugin === undefined ? '' : ` of plugin "${plugin}"`} failed`,
    cause,
  });
  report(plugin === undefined ? { error } : { error, plugin });
}

/** Releases the charge of a pod that was placed here but is not on the node in the cluster. */
export function forget({ cluster }: Workbench, { uid }: PendingPod): void {
  if (cluster.ledger.get(uid)?.assumed === true) cluster.podLeft(uid);
}

/** Handles an internal failure: reports and records it, and retries the pod once it has rested. */
export function failCycle(bench: Workbench, pending: PendingPod, message: string): void {
  if (pending.dropped) return;
  record(bench, undecided(bench, pending, 'failed', message));
  reportPending(bench, pending, 'SchedulerError', message);
  bench.pending.rest(pending, bench.options.clock.nowMs());
}
