import type { TapError } from '@tappaas/sdk';

/** Something an operator should know; the pod concerned is handled as documented. */
export interface SchedulingProblem {
  readonly error: TapError;
  /** Instance id of the plugin at fault, when one is. */
  readonly plugin?: string;
}

export type ReportProblem = (problem: SchedulingProblem) => void;

const kindsMax = 1000;

/** Passes on the first problem of a kind (code and plugin) and then one every `everyMs`, so a failing tap does not flood the log. */
export function throttled(report: ReportProblem, nowMs: () => number, everyMs: number): ReportProblem {
  const toldMs = new Map<string, number>();
  return (problem) => {
    const kind = `${problem.error.code} ${problem.plugin ?? ''}`;
    const now = nowMs();
    if (now - (toldMs.get(kind) ?? -Infinity) < everyMs) return;
    if (toldMs.size >= kindsMax) toldMs.clear();
    toldMs.set(kind, now);
    report(problem);
  };
}
