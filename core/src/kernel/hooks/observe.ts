import { AsyncParallelHook, SyncHook } from 'tapable';
import { Failure } from '../guard/blame.js';
import type { Scope, TapFailure } from './dispatch.js';
import { freezePlain } from './frozen.js';
import type { Tap } from './tap.js';

interface ObserveCall {
  readonly input: unknown;
  readonly scope: Scope | undefined;
  failures: TapFailure[] | undefined;
}

export type ObserveHook = SyncHook<[ObserveCall]>;
export type AsyncObserveHook = AsyncParallelHook<[ObserveCall]>;

const nothingFailed: readonly TapFailure[] = Object.freeze([]);

export function compileObserve(taps: readonly Tap[]): ObserveHook {
  const hook: ObserveHook = new SyncHook(['call']);
  for (const tap of taps) {
    hook.tap(tap.name, (call) => {
      const answered = tap.guard.invokeSync(tap.run, call.input, undefined);
      if (answered instanceof Failure) note(call, tap, answered);
    });
  }
  return hook;
}

/** Notifies all taps synchronously. The input is frozen only shallowly, because log fields can be anything and belong to the caller. */
export function callObserve(hook: ObserveHook, input: unknown): readonly TapFailure[] {
  const call: ObserveCall = { input: Object.freeze(input), scope: undefined, failures: undefined };
  hook.call(call);
  return call.failures ?? nothingFailed;
}

export function compileAsyncObserve(taps: readonly Tap[]): AsyncObserveHook {
  const hook: AsyncObserveHook = new AsyncParallelHook(['call']);
  for (const tap of taps) {
    hook.tapAsync(tap.name, (call, done) => {
      tap.guard.invoke(tap.run, call.input, call.scope, (failure) => {
        if (failure !== undefined) note(call, tap, failure);
        done();
      });
    });
  }
  return hook;
}

export function callAsyncObserve(hook: AsyncObserveHook, input: unknown, scope: Scope | undefined): Promise<readonly TapFailure[]> {
  return new Promise((resolve) => {
    const call: ObserveCall = { input: freezePlain(input), scope, failures: undefined };
    hook.callAsync(call, () => resolve(call.failures ?? nothingFailed));
  });
}

function note(call: ObserveCall, tap: Tap, failure: Failure): void {
  if (tap.failurePolicy === 'fail') (call.failures ??= []).push({ plugin: tap.plugin, error: failure.error });
}
