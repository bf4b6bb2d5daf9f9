import type { Context } from '@tappaas/sdk';
import type { Scope } from '../hooks/dispatch.js';
import { failureOf, Failure, timeoutOf } from './blame.js';
import { CallContext } from './call-context.js';
import type { Guard } from './guard.js';
import { followFrame, runningFrame, type Frame } from './identity.js';
import type { PluginScope } from './plugin-scope.js';
import type { TraceSpan } from '../tracing/tracer.js';
import type { WheelEntry } from './timer-wheel.js';

/** Called exactly once with the result of a call. */
export type Done<T> = (failure: Failure | undefined, value: T | undefined) => void;

/** One guarded asynchronous call: the frame of its work, its entry in the timer wheel, and the settling of its result. */
export class Call<T> implements Frame, WheelEntry {
  readonly plugin: string;
  readonly point: string;
  readonly owner: PluginScope;
  readonly caller: string | undefined;
  dueTick = -1;
  previous: WheelEntry | undefined = undefined;
  next: WheelEntry | undefined = undefined;
  readonly #guard: Guard;
  readonly #context: CallContext;
  /** Its span in the trace; undefined when the surrounding work is not traced. */
  readonly #span: TraceSpan | undefined;
  readonly #parent: Call<unknown> | undefined;
  readonly #startMs: number;
  readonly #startedAtMs: number;
  /** Whether the limit is that of the plugin rather than the deadline of the whole request. */
  readonly #ownLimit: boolean;
  /** Number of calls of other plugins that this one waits for. */
  #waitsFor = 0;
  #done: Done<T> | undefined;
  #input: unknown;

  constructor(guard: Guard, scope: Scope | undefined, done: Done<T>) {
    this.#guard = guard;
    this.owner = guard.owner;
    this.plugin = guard.plugin;
    this.point = guard.point;
    this.#done = done;
    const caller = runningFrame();
    this.caller = caller?.plugin;
    const parent: Call<unknown> | undefined = caller instanceof Call ? caller : undefined;
    this.#parent = parent;
    const outer = parent && parent.#context;
    this.#startedAtMs = this.owner.clock.nowMs();
    const ownDueAtMs = this.#startedAtMs + guard.limitMs;
    const dueAtMs = Math.min(ownDueAtMs, scope?.deadlineAtMs ?? Infinity, outer?.dueAtMs ?? Infinity);
    this.#ownLimit = dueAtMs === ownDueAtMs;
    this.#span = ((parent && parent.#span) ?? guard.tracer.current)?.child();
    this.#context = new CallContext(this.owner, scope ?? outer?.scope, dueAtMs, guard.survivesStop, this.#span);
    this.#startMs = guard.nowMs();
  }

  /** The scope of the running call; a call that it makes inherits it. */
  static runningScope(): Scope | undefined {
    const running = runningFrame();
    return running instanceof Call ? (running as Call<unknown>).#context.scope : undefined;
  }

  begin<I>(run: (input: I, context: Context) => T | PromiseLike<T>, input: I): void {
    this.owner.inFlight += 1;
    if (this.#parent) this.#parent.#waitsFor += 1;
    this.#input = input;
    if (this.#context.dueAtMs <= this.#startedAtMs) {
      this.expire();
      return;
    }
    let value: T | PromiseLike<T>;
    try {
      value = followFrame(this, run, input, this.#context);
      if (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function') {
        this.#wait(value);
        return;
      }
    } catch (thrown) {
      this.#rejected(thrown);
      return;
    }
    this.#answered(value as T);
  }

  /** Called by the timer wheel at the deadline; a later result of the plugin is discarded. */
  expire(): void {
    const done = this.#done;
    const guard = this.#guard;
    const context = this.#context;
    if (done === undefined) return;
    const limitMs = context.dueAtMs - this.#startedAtMs;
    const failure = timeoutOf(this.plugin, this.point, limitMs, this.#ownLimit, this.#waitsFor > 0);
    context.expire(failure.error);
    this.#done = undefined;
    this.#leave();
    this.#tell(guard.fail(failure, this.#startMs, context.scope));
    done(failure, undefined);
  }

  #wait(promise: PromiseLike<T>): void {
    const { dueAtMs } = this.#context;
    if (dueAtMs !== Infinity) this.#guard.wheel.insert(this, dueAtMs - this.#startedAtMs);
    promise.then(
      (value) => this.#answered(value),
      (thrown: unknown) => this.#rejected(thrown),
    );
  }

  #answered(value: T): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#guard.wheel.remove(this);
    this.#leave();
    const result = this.#guard.finish(value, this.#input, this.#guard.nowMs() - this.#startMs, this.#context.scope);
    const failure = result instanceof Failure ? result : undefined;
    if (this.#span !== undefined) this.#tell(failure);
    done(failure, failure === undefined ? (result as T) : undefined);
  }

  #rejected(thrown: unknown): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#guard.wheel.remove(this);
    this.#leave();
    const failure = this.#guard.fail(failureOf(thrown, this.plugin, this.point), this.#startMs, this.#context.scope);
    this.#tell(failure);
    done(failure, undefined);
  }

  /** Ends the span. It has the error's code but not its message, which may contain data of a caller. */
  #tell(failure: Failure | undefined): void {
    this.#span?.end({
      name: this.point,
      startMs: this.#startedAtMs,
      endMs: this.#startedAtMs + this.#guard.nowMs() - this.#startMs,
      attributes: { 'tappaas.plugin': this.plugin },
      ...(failure !== undefined && { error: failure.error.code }),
    });
  }

  #leave(): void {
    if (this.#parent) this.#parent.#waitsFor -= 1;
    const { owner } = this;
    owner.inFlight -= 1;
    if (owner.inFlight === 0) owner.onIdle?.();
  }
}
