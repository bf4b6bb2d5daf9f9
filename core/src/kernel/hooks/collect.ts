import { AsyncParallelHook, SyncHook } from 'tapable';
import { Failure } from '../guard/blame.js';
import type { Answer, Answers, Scope, TapFailure } from './dispatch.js';
import { freezePlain } from './frozen.js';
import type { Tap } from './tap.js';

export type CollectHook = AsyncParallelHook<[CollectCall]>;
export type SyncCollectHook = SyncHook<[CollectCall]>;

/** One call of all taps in parallel, which collects all answers in tap order. */
class CollectCall {
  readonly input: unknown;
  readonly scope: Scope | undefined;
  readonly #answers: (Answer<unknown> | undefined)[] = [];
  readonly #failures: (TapFailure | undefined)[] = [];

  constructor(input: unknown, scope: Scope | undefined) {
    this.input = freezePlain(input);
    this.scope = scope;
  }

  take(tap: Tap, index: number, answered: unknown): void {
    if (!(answered instanceof Failure)) {
      if (answered !== undefined) this.#answers[index] = { plugin: tap.plugin, value: freezePlain(answered) };
    } else if (tap.failurePolicy === 'fail') {
      this.#failures[index] = { plugin: tap.plugin, error: answered.error };
    }
  }

  result(): Answers<unknown> {
    return {
      answers: this.#answers.filter((answer) => answer !== undefined),
      failures: this.#failures.filter((failure) => failure !== undefined),
    };
  }
}

export function compileCollect(taps: readonly Tap[]): CollectHook {
  const hook: CollectHook = new AsyncParallelHook(['call']);
  for (const [index, tap] of taps.entries()) {
    hook.tapAsync(tap.name, (call, done) => {
      tap.guard.invoke(tap.run, call.input, call.scope, (failure, value) => {
        call.take(tap, index, failure ?? value);
        done();
      });
    });
  }
  return hook;
}

export function callCollect(hook: CollectHook, input: unknown, scope: Scope | undefined): Promise<Answers<unknown>> {
  return new Promise((resolve) => {
    const call = new CollectCall(input, scope);
    hook.callAsync(call, () => resolve(call.result()));
  });
}

export function compileSyncCollect(taps: readonly Tap[]): SyncCollectHook {
  const hook: SyncCollectHook = new SyncHook(['call']);
  for (const [index, tap] of taps.entries()) {
    hook.tap(tap.name, (call) => call.take(tap, index, tap.guard.invokeSync(tap.run, call.input, tap.immediateContext, call.scope)));
  }
  return hook;
}

export function callSyncCollect(hook: SyncCollectHook, input: unknown, scope: Scope | undefined): Answers<unknown> {
  const call = new CollectCall(input, scope);
  hook.call(call);
  return call.result();
}
