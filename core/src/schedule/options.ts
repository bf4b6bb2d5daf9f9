import type { Clock, Immutable, Pod } from '@tappaas/sdk';
import type { Decision, PodName } from './decision.js';
import type { PodFeature } from './pod-features.js';
import type { ReportProblem } from './problems.js';
import type { BindOutcome, SchedulingTaps } from './taps.js';

/** An Event about a pod, for its owner. */
export interface SchedulingEvent {
  readonly pod: PodName;
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'Scheduled' | 'FailedScheduling' | 'Preempted';
  readonly message: string;
}

/** The PodScheduled condition of a pod without a node; binding sets it to True. */
export interface PodScheduledCondition {
  readonly status: 'False';
  readonly reason: 'Unschedulable' | 'SchedulerError' | 'SchedulingGated';
  readonly message: string;
}

export interface SchedulerLimits {
  /** Limit on pods without a node; more are refused until there is room. */
  readonly pendingPodsMax: number;
  readonly bindsInFlightMax: number;
  /** Number of recent decisions kept for `explain`. */
  readonly decisionsMax: number;
  readonly classesMax: number;
  /** Memory for the results of pure taps per node and pod class. */
  readonly viewBytesMax: number;
  readonly resourcesMax: number;
  /** A pod that waits for an event is retried after this time at the latest. */
  readonly parkedMsMax: number;
  /** How long a starting cluster without nodes is not reported as such, since its first node is about to register. */
  readonly firstNodeMsMax: number;
  readonly backoffBaseMs: number;
  readonly backoffMsMax: number;
}

export const defaultLimits: SchedulerLimits = Object.freeze({
  pendingPodsMax: 100_000,
  bindsInFlightMax: 256,
  decisionsMax: 10_000,
  classesMax: 5_000,
  viewBytesMax: 64 * 1024 * 1024,
  resourcesMax: 128,
  parkedMsMax: 5 * 60_000,
  firstNodeMsMax: 15_000,
  backoffBaseMs: 1_000,
  backoffMsMax: 10_000,
});

/** The dependencies and settings of the scheduler. */
export interface SchedulerOptions {
  readonly clock: Clock;
  /** Returns a number from 0 to below 1; used to spread retries. */
  readonly random: () => number;
  readonly taps: SchedulingTaps;
  /** Writes the binding. Must settle within a time limit of its own; an error counts as "not bound". */
  readonly bind: (pod: Immutable<Pod>, node: string) => Promise<BindOutcome>;
  /** Requests the eviction of a pod, within its disruption budgets. Without it, no pods are evicted. */
  readonly evict?: (victim: PodName, inFavourOf: PodName) => Promise<void>;
  readonly emitEvent?: (event: SchedulingEvent) => void;
  readonly setCondition?: (pod: Immutable<Pod>, condition: PodScheduledCondition) => void;
  readonly onDecision?: (decision: Decision) => void;
  readonly report?: ReportProblem;
  /** Called when there is room again after pods were refused: add all pods without a node again. */
  readonly onRoom?: () => void;
  /** Returns the tenant that owns a namespace. */
  readonly tenantOf?: (namespace: string) => string | undefined;
  /** Name of this scheduler: it places the pods that request it; all others only count where they run. Default: `tappaas`. */
  readonly schedulerName?: string;
  /** Hard requirements of pods that loaded taps support; a pod with any other is refused, and the requirement named. */
  readonly supports?: readonly PodFeature[];
  readonly limits?: Partial<SchedulerLimits>;
}
