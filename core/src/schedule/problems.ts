import type { TapError } from '@tappaas/sdk';

/** A problem for the operator; the affected pod is handled as documented. */
export interface SchedulingProblem {
  readonly error: TapError;
  /** Instance id of the plugin at fault, if any. */
  readonly plugin?: string;
}

export type ReportProblem = (problem: SchedulingProblem) => void;

const kindsMax = 1000;

/** Reports the first problem of each kind (code and plugin) and then one per `everyMs`, so that a failing tap does not flood the log. */
export function throttled(report: ReportProblem, nowMs: () => number, everyMs: number): ReportProblem {
  const reportedMs = new Map<string, number>();
  return (problem) => {
    const kind = `${problem.error.code} ${problem.plugin ?? ''}`;
    const now = nowMs();
    if (now - (reportedMs.get(kind) ?? -Infinity) < everyMs) return;
    if (reportedMs.size >= kindsMax) reportedMs.clear();
    reportedMs.set(kind, now);
    report(problem);
  };
}
