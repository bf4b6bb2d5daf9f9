import type { Case } from './case.js';
import { answers } from './scheduling/answers.js';
import { costs } from './scheduling/costs.js';
import type { MakeScheduling } from './scheduling/harness.js';
import { purity } from './scheduling/purity.js';

export type { MakeScheduling, SchedulingHarness, SchedulingTap } from './scheduling/harness.js';

/**
 * The conformance cases of filter and score taps, for any test runner: results are in range and depend only on the class of pods and the
 * candidate's own columns, and 5,000 candidates take no longer than the hook's deadline.
 *
 * @example
 * ```ts
 * for (const { title, run } of schedulingConformance(make)) test(title, (t) => t.notThrowsAsync(run));
 * ```
 */
export function schedulingConformance(make: MakeScheduling): readonly Case[] {
  return [answers, purity, costs].flatMap((area) => area(make));
}
