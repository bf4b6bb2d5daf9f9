import type { Condition, Immutable } from '@tappaas/sdk';
import type { OperationObject } from '@tappaas/sdk/kinds';

type Status = NonNullable<OperationObject['status']>;
type Step = NonNullable<Status['steps']>[number];
type Phase = Step['phase'];

/** The steps of a deployment, each told by one condition of the application. */
const stepConditions: readonly (readonly [step: string, condition: string])[] = [
  ['build', 'Built'],
  ['render', 'Rendered'],
  ['apply', 'Applied'],
  ['rollout', 'Ready'],
];

/** Reasons that end a deployment; what comes later begins another operation. */
const finalFailures: ReadonlySet<string> = new Set(['BuildFailed', 'RolloutFailed', 'SourceMissing']);

/**
 * The status of a deployment's Operation after `conditions` were stated about its object. Pure: times come from `nowMs`, and what has
 * ended keeps its time.
 */
export function operationStatus(previous: Immutable<Status> | undefined, conditions: readonly Condition[], nowMs: number): Status {
  const at = new Date(nowMs).toISOString();
  let open = true;
  const steps = stepConditions.map(([name, type]): Step => {
    const condition = conditions.find((each) => each.type === type);
    const phase: Phase = open ? phaseOf(condition) : 'Pending';
    if (phase !== 'Succeeded') open = false;
    return timed(
      name,
      phase,
      condition?.message,
      previous?.steps?.find((step) => step.name === name),
      at,
    );
  });
  const failed = steps.find(({ phase }) => phase === 'Failed');
  const done = steps.filter(({ phase }) => phase === 'Succeeded').length;
  const phase: NonNullable<Status['phase']> = failed ? 'Failed' : done === steps.length ? 'Succeeded' : 'Running';
  const ended = phase !== 'Running';
  return {
    phase,
    percent: Math.round((done / steps.length) * 100),
    startTime: previous?.startTime ?? at,
    steps,
    ...(ended ? { completionTime: previous?.completionTime ?? at } : {}),
    ...(failed ? { error: failed.message ?? 'unknown' } : {}),
  };
}

function phaseOf(condition: Condition | undefined): Phase {
  if (condition?.status === 'True') return 'Succeeded';
  return condition && finalFailures.has(condition.reason) ? 'Failed' : 'Running';
}

function timed(name: string, phase: Phase, message: string | undefined, before: Immutable<Step> | undefined, at: string): Step {
  const started = phase === 'Pending' ? {} : { startTime: before?.startTime ?? at };
  const ended = phase === 'Succeeded' || phase === 'Failed' ? { completionTime: before?.completionTime ?? at } : {};
  return {
    name,
    phase,
    ...started,
    ...ended,
    ...(message === undefined || phase === 'Pending' ? {} : { message: message.slice(0, 1024) }),
  };
}
