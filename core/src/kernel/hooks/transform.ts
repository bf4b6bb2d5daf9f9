import { AsyncSeriesWaterfallHook, SyncWaterfallHook } from 'tapable';
import { Failure } from '../guard/blame.js';
import { changedPaths } from './changed-paths.js';
import type { Attribution, Scope, TapFailure, Thread, TransformResult } from './dispatch.js';
import { freezePlain } from './frozen.js';
import type { Tap } from './tap.js';

export type TransformHook = AsyncSeriesWaterfallHook<[unknown, TransformCall]>;
export type SyncTransformHook = SyncWaterfallHook<[unknown, TransformCall]>;

/** Ends a chain early, in the only way that hooks support. */
class ChainEnd extends Error {}

type AnyThread = Thread<unknown, unknown>;

/** One value passing through the taps: the changes of each, and the failure that ended it. */
class TransformCall {
  readonly scope: Scope | undefined;
  value: unknown;
  readonly #thread: AnyThread;
  readonly #changes: Attribution[] = [];
  #failure: TapFailure | undefined;

  constructor(thread: AnyThread, scope: Scope | undefined) {
    this.#thread = thread;
    this.scope = scope;
    this.value = freezePlain(thread.value);
  }

  inputFor(tap: Tap): unknown {
    return freezePlain(this.#thread.input(this.value, tap.plugin));
  }

  /** Applies a tap's answer; one that is equal, failed or in shadow mode changes nothing. @throws ChainEnd */
  take(tap: Tap, answered: unknown): unknown {
    if (answered instanceof Failure) this.#failed(tap, answered);
    else if (answered !== undefined) this.#changed(tap, answered);
    if (this.#failure !== undefined) throw new ChainEnd();
    return this.value;
  }

  result(): TransformResult<unknown> {
    const { value } = this;
    const changes = this.#changes;
    const failure = this.#failure;
    return failure === undefined ? { value, changes } : { value, changes, failure };
  }

  #failed(tap: Tap, failure: Failure): void {
    if (tap.shadow) tap.shadow('failed', { error: failure.error.message });
    else if (tap.failurePolicy === 'fail') this.#failure = { plugin: tap.plugin, error: failure.error };
  }

  #changed(tap: Tap, answered: unknown): void {
    const thread = this.#thread;
    const after = freezePlain(thread.take === undefined ? answered : thread.take(this.value, answered, tap.plugin));
    const paths = (thread.diff ?? changedPaths)(this.value, after);
    if (paths.length === 0) return;
    if (tap.shadow) {
      tap.shadow('changed', { paths: paths.join(' ') });
      return;
    }
    this.#changes.push({ plugin: tap.plugin, paths });
    this.value = after;
  }
}

export function compileTransform(taps: readonly Tap[]): TransformHook {
  const hook: TransformHook = new AsyncSeriesWaterfallHook(['value', 'call']);
  for (const tap of taps) {
    hook.tapAsync(tap.name, (_value, call, done) => {
      tap.guard.invoke(tap.run, call.inputFor(tap), call.scope, (failure, value) => {
        try {
          done(null, call.take(tap, failure ?? value));
        } catch (error) {
          done(error as Error);
        }
      });
    });
  }
  return hook;
}

export function callTransform(hook: TransformHook, thread: AnyThread, scope: Scope | undefined): Promise<TransformResult<unknown>> {
  return new Promise((resolve, reject) => {
    const call = new TransformCall(thread, scope);
    hook.callAsync(call.value, call, (error) => {
      if (error && !(error instanceof ChainEnd)) reject(error);
      else resolve(call.result());
    });
  });
}

export function compileSyncTransform(taps: readonly Tap[]): SyncTransformHook {
  const hook: SyncTransformHook = new SyncWaterfallHook(['value', 'call']);
  for (const tap of taps) {
    hook.tap(tap.name, (_value, call) => call.take(tap, tap.guard.invokeSync(tap.run, call.inputFor(tap), tap.immediateContext)));
  }
  return hook;
}

export function callSyncTransform(hook: SyncTransformHook, thread: AnyThread): TransformResult<unknown> {
  const call = new TransformCall(thread, undefined);
  try {
    hook.call(call.value, call);
  } catch (error) {
    if (!(error instanceof ChainEnd)) throw error;
  }
  return call.result();
}
