import { AsyncSeriesBailHook } from 'tapable';
import type { Choice, Scope } from './dispatch.js';
import { freezePlain } from './frozen.js';
import type { Tap } from './tap.js';

interface ChooseCall {
  readonly input: unknown;
  readonly scope: Scope | undefined;
}

export type ChooseHook = AsyncSeriesBailHook<[ChooseCall], Choice<unknown>>;

export function compileChoose(taps: readonly Tap[]): ChooseHook {
  const hook: ChooseHook = new AsyncSeriesBailHook(['call']);
  for (const tap of taps) {
    hook.tapAsync(tap.name, (call, done) => {
      tap.guard.invoke(tap.run, call.input, call.scope, (failure, value) => {
        if (failure === undefined) done(null, value === undefined ? undefined : { answer: { plugin: tap.plugin, value } });
        else done(null, tap.failurePolicy === 'fail' ? { failure: { plugin: tap.plugin, error: failure.error } } : undefined);
      });
    });
  }
  return hook;
}

/** Calls the taps in order; the first answer, or the first failure with policy `fail`, ends the call. */
export function callChoose(hook: ChooseHook, input: unknown, scope: Scope | undefined): Promise<Choice<unknown>> {
  return new Promise((resolve) => {
    hook.callAsync({ input: freezePlain(input), scope }, (_error, choice) => resolve(choice ?? {}));
  });
}
