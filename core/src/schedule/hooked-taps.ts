import { hooks, type Filter, type Hook, type Score, type Shape, type Step as StepShape } from '@tappaas/sdk';
import type { BatchTap as HookedBatch, Dispatch, InputOf, Registrations } from '../kernel/kernel.js';
import type { BatchInput, FilterTap, PluginColumn, ScoreTap, SchedulingTaps, Step, StepRefusal } from './taps.js';

const columnPoint = { name: 'scheduling.column', limitMs: 1 };

export interface HookedTapsOptions {
  /** Returns the configured weight of a score tap, by `<instance>` or `<instance>/<tap name>`. */
  readonly weightOf: (tap: string) => number;
}

/** Converts the scheduling hooks of the loaded plugins to the scheduler's form; must be called again for every hook generation. */
export function hookedTaps(dispatch: Dispatch, { columns }: Pick<Registrations, 'columns'>, options: HookedTapsOptions): SchedulingTaps {
  const { scheduling } = hooks;
  return {
    columns: columns.map(({ plugin, guard, value }): PluginColumn => {
      const of: PluginColumn['of'] = (node) => guard.callSync(columnPoint, () => value.of(node));
      return { plugin, name: value.name, of, onChanged: (listener) => value.onChanged(listener) };
    }),
    filter: dispatch.batch(scheduling.filter).map(filterOf),
    score: dispatch.batch(scheduling.score).map((tap) => scoreOf(tap, options.weightOf(tap.name))),
    ...when(dispatch, 'preEnqueue', scheduling.preEnqueue, (hook) => stepOf(dispatch, hook)),
    ...when(dispatch, 'preFilter', scheduling.preFilter, (hook) => stepOf(dispatch, hook)),
    ...when(dispatch, 'permit', scheduling.permit, (hook) => stepOf(dispatch, hook)),
    ...when(dispatch, 'preBind', scheduling.preBind, (hook) => stepOf(dispatch, hook)),
    ...when(dispatch, 'postFilter', scheduling.postFilter, (hook): SchedulingTaps['postFilter'] => async (input) => {
      const { answer, failure } = await dispatch.choose(hook, {}, input);
      if (failure) throw failure.error;
      return answer && { plugin: answer.plugin, eviction: answer.value };
    }),
    ...when(dispatch, 'reserve', scheduling.reserve, (hook): SchedulingTaps['reserve'] => async (placement) => {
      const { answers, failure } = await dispatch.series(hook, {}, placement);
      const undos = answers.map(({ plugin, value }) => ({ plugin, undo: value }));
      return failure ? { undos, failure: failure.error } : { undos };
    }),
    ...when(dispatch, 'bind', scheduling.bind, (hook): SchedulingTaps['bind'] => async (placement) => {
      const { answer, failure } = await dispatch.choose(hook, {}, placement);
      if (failure) throw failure.error;
      return answer && 'bound';
    }),
  };
}

/** Returns the step if its hook has taps. */
function when<S extends Shape, K extends keyof SchedulingTaps>(
  dispatch: Dispatch,
  key: K,
  hook: Hook<S>,
  make: (hook: Hook<S>) => SchedulingTaps[K],
): Partial<Pick<SchedulingTaps, K>> {
  return dispatch.has(hook) ? ({ [key]: make(hook) } as Partial<Pick<SchedulingTaps, K>>) : {};
}

function stepOf(dispatch: Dispatch, hook: Hook<StepShape>): Step {
  return async (placement) => {
    const { answers, failure } = await dispatch.series(hook, {}, placement, { endsAt: () => true });
    if (failure) throw failure.error;
    return answers.map(({ plugin, value }): StepRefusal => {
      if ('reject' in value) return { plugin, message: value.reject };
      return { plugin, message: `asked to wait ${value.waitMs} ms`, waitMs: value.waitMs };
    })[0];
  };
}

function filterOf(tap: HookedBatch<Filter>): FilterTap {
  const { reads, reasons } = tap.options;
  return { plugin: tap.plugin, reads, reasons, run: runOf(tap) };
}

function scoreOf(tap: HookedBatch<Score>, weight: number): ScoreTap {
  const { reads, scale } = tap.options;
  return { plugin: tap.plugin, reads, scale, weight, run: runOf(tap) };
}

/** Runs a tap. A tap in shadow mode runs, but its result is replaced: it accepts all nodes, or gives no points. */
function runOf<S extends Filter | Score>(tap: HookedBatch<S>): (input: BatchInput) => void {
  return (input) => {
    const error = tap.run(input as InputOf<S>);
    if (tap.shadow || (error && tap.failurePolicy === 'ignore')) input.out.fill(0);
    else if (error) throw error;
  };
}
