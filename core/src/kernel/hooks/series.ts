import { AsyncSeriesHook } from 'tapable';
import type { Answer, Scope, Series, TapFailure } from './dispatch.js';
import { freezePlain } from './frozen.js';
import type { Tap } from './tap.js';

export type SeriesHook = AsyncSeriesHook<[SeriesCall]>;

interface SeriesCall {
  readonly input: unknown;
  readonly scope: Scope | undefined;
  readonly endsAt: ((value: unknown) => boolean) | undefined;
  readonly answers: Answer<unknown>[];
  failure: TapFailure | undefined;
}

/** Ends a series early, in the only way that hooks support. */
const ended = (): Error => new Error('the series has ended');

export function compileSeries(taps: readonly Tap[]): SeriesHook {
  const hook: SeriesHook = new AsyncSeriesHook(['call']);
  for (const tap of taps) {
    hook.tapAsync(tap.name, (call, done) => {
      tap.guard.invoke(tap.run, call.input, call.scope, (failure, value) => {
        if (failure !== undefined) {
          if (tap.failurePolicy === 'fail') call.failure = { plugin: tap.plugin, error: failure.error };
          done(call.failure === undefined ? null : ended());
          return;
        }
        if (value !== undefined) call.answers.push({ plugin: tap.plugin, value: guardedFunction(tap, value) });
        done(value !== undefined && call.endsAt?.(value) ? ended() : null);
      });
    });
  }
  return hook;
}

export const compileReverseSeries = (taps: readonly Tap[]): SeriesHook => compileSeries(taps.toReversed());

export function callSeries(
  hook: SeriesHook,
  input: unknown,
  scope: Scope | undefined,
  endsAt: ((value: unknown) => boolean) | undefined,
): Promise<Series<unknown>> {
  return new Promise((resolve) => {
    const call: SeriesCall = { input: freezePlain(input), scope, endsAt, answers: [], failure: undefined };
    hook.callAsync(call, () => {
      const { answers, failure } = call;
      resolve(failure === undefined ? { answers } : { answers, failure });
    });
  });
}

/** Wraps the undo function of a tap in the tap's guard. */
function guardedFunction(tap: Tap, value: unknown): unknown {
  if (typeof value !== 'function') return value;
  const undo = async (): Promise<void> => {
    await (value as () => unknown)();
  };
  return () =>
    new Promise<void>((resolve, reject) => {
      tap.guard.invoke(undo, undefined, undefined, (failure) => {
        if (failure === undefined) resolve();
        else reject(failure.error);
      });
    });
}
