import type { Immutable } from '@tappaas/sdk';
import type { OperationObject } from '@tappaas/sdk/kinds';

type Status = NonNullable<OperationObject['status']>;
type Step = NonNullable<Status['steps']>[number];

/** The noted progress of one step, with the times of its first and last note. */
export interface NotedStep {
  readonly name: string;
  /** 0 to 100; at 100 the step has ended. */
  readonly percent: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The result of an operation. */
export interface OperationEnd {
  readonly phase: 'Succeeded' | 'Failed' | 'Cancelled';
  /** For people; the error if it did not succeed. */
  readonly message: string;
  /** Result values. */
  readonly result?: Readonly<Record<string, string>>;
}

/** Everything noted about an operation since its status was last written. */
export interface Noted {
  /** Names of planned steps, in order. */
  readonly planned: readonly string[];
  /** In the order in which they were first noted. */
  readonly steps: readonly NotedStep[];
  /** What it waits for. */
  readonly message?: string;
  readonly end?: OperationEnd;
}

/** Maximum number of steps of an operation; further ones are dropped. */
export const stepsMax = 64;
const messageCharactersMax = 1024;

/** Computes the status of an operation from notes. Pure: times come from the notes and `nowMs`; ended steps keep their times. */
export function operationStatus(previous: Immutable<Status> | undefined, noted: Noted, nowMs: number): Status {
  const at = timeText(nowMs);
  const { end } = noted;
  const recorded = namesOf(previous?.steps ?? [], noted).map((name) => {
    const before = previous?.steps?.find((step) => step.name === name);
    const note = noted.steps.find((step) => step.name === name);
    return note === undefined ? (before ?? pending(name)) : stepOf(note, before);
  });
  const steps = end ? recorded.map((step) => ended(step, end, at)) : withMessage(recorded, noted.message);
  const percent = steps.length === 0 ? 0 : Math.floor(steps.reduce((sum, step) => sum + (step.percent ?? 0), 0) / steps.length);
  return {
    phase: end?.phase ?? 'Running',
    percent: end?.phase === 'Succeeded' ? 100 : Math.min(99, percent),
    startTime: previous?.startTime ?? timeText(Math.min(nowMs, ...noted.steps.map(({ firstMs }) => firstMs))),
    steps,
    ...(end ? { completionTime: at } : {}),
    ...(end && end.phase !== 'Succeeded' ? { error: end.message.slice(0, messageCharactersMax) } : {}),
    ...(end?.result ? { result: end.result } : {}),
  };
}

const timeText = (ms: number): string => new Date(ms).toISOString();
const pending = (name: string): Step => ({ name, phase: 'Pending', percent: 0 });

/** Keeps the previous order; new steps come before those that have not begun. */
function namesOf(previous: readonly Immutable<Step>[], { planned, steps }: Noted): readonly string[] {
  const begun = previous.filter(({ phase }) => phase !== 'Pending').map(({ name }) => name);
  const recorded = steps.map(({ name }) => name);
  const open = previous.map(({ name }) => name);
  return [...new Set([...begun, ...recorded, ...open, ...planned])].slice(0, stepsMax);
}

/** A step that has ended stays so, because controllers go through all steps in every run. */
function stepOf({ name, percent, firstMs, lastMs }: NotedStep, before: Immutable<Step> | undefined): Step {
  if (before?.phase === 'Succeeded') return before;
  const isDone = percent >= 100;
  return {
    name,
    phase: isDone ? 'Succeeded' : 'Running',
    percent: isDone ? 100 : Math.max(0, Math.min(99, Math.floor(percent))),
    startTime: before?.startTime ?? timeText(firstMs),
    ...(isDone ? { completionTime: timeText(lastMs) } : {}),
  };
}

/** Ends a step with its operation: a running step gets the result, a pending one is cancelled. */
function ended(step: Step, { phase, message }: OperationEnd, at: string): Step {
  if (step.phase === 'Succeeded') return step;
  if (phase === 'Succeeded') return { name: step.name, phase, percent: 100, startTime: step.startTime ?? at, completionTime: at };
  if (step.phase === 'Pending') return { ...step, phase: 'Cancelled' };
  return { ...step, phase, completionTime: at, message: message.slice(0, messageCharactersMax) };
}

/** Adds the message about what is awaited to the running step. */
function withMessage(steps: readonly Step[], message: string | undefined): Step[] {
  const running = steps.findLast(({ phase }) => phase === 'Running');
  return steps.map((step) =>
    step === running && message !== undefined ? { ...step, message: message.slice(0, messageCharactersMax) } : step,
  );
}
