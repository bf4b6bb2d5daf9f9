import type { Hook, Shape } from '@tappaas/sdk';
import { batchTaps } from './batch.js';
import { callChoose, compileChoose } from './choose.js';
import { callCollect, callSyncCollect, compileCollect, compileSyncCollect } from './collect.js';
import type { Answers, BatchTap, Choice, Dispatch, GateResult, InputOf, OutputOf, Scope, Selector, Series } from './dispatch.js';
import type { TapFailure, Thread, TransformResult } from './dispatch.js';
import { callGate, compileGate } from './gate.js';
import type { Generation } from './generation.js';
import { callAsyncObserve, callObserve, compileAsyncObserve, compileObserve } from './observe.js';
import { callSeries, compileReverseSeries, compileSeries } from './series.js';
import type { Tap } from './tap.js';
import { callSyncTransform, callTransform, compileSyncTransform, compileTransform } from './transform.js';

type AnyThread = Thread<unknown, unknown>;

const noAnswers: Answers<never> = Object.freeze({ answers: [], failures: [] });
const allowed: GateResult = Object.freeze({ denials: [], failures: [] });
const anything: Selector = Object.freeze({});

const pluginsWithSideEffects = (taps: readonly Tap[]): readonly string[] =>
  taps.filter(({ options }) => options.sideEffects === 'some').map(({ plugin }) => plugin);

/** Calls hooks on the generation that is current when the call begins. */
export class Dispatcher implements Dispatch {
  #current: Generation;

  constructor(first: Generation) {
    this.#current = first;
  }

  get generation(): Generation {
    return this.#current;
  }

  /** Swaps the generation atomically: later calls use `next`, calls in flight finish on theirs. */
  swap(next: Generation): Generation {
    const before = this.#current;
    this.#current = next;
    return before;
  }

  has(hook: Hook<Shape>, selector: Selector = anything): boolean {
    const { taps } = this.#current.line(hook);
    return selector === anything ? taps.length > 0 : this.#matchesAny(hook, selector);
  }

  withSideEffects(hook: Hook<Shape>, selector: Selector): readonly string[] {
    return this.#current.line(hook).for(selector, pluginsWithSideEffects, '|side-effects') ?? [];
  }

  gate<S extends Shape>(
    hook: Hook<S>,
    selector: Selector,
    input: InputOf<S>,
    scope?: Scope,
    viewFor?: (plugin: string, input: InputOf<S>) => InputOf<S>,
  ): Promise<GateResult> {
    const compiled = this.#current.line(hook).for(selector, compileGate);
    if (compiled === undefined) return Promise.resolve(allowed);
    return this.#during(callGate(compiled, input, scope, viewFor));
  }

  transform<S extends Shape, V>(
    hook: Hook<S>,
    selector: Selector,
    thread: Thread<InputOf<S>, V>,
    scope?: Scope,
  ): Promise<TransformResult<V>> {
    const compiled = this.#current.line(hook).for(selector, compileTransform);
    if (compiled === undefined) return Promise.resolve({ value: thread.value, changes: [] });
    return this.#during(callTransform(compiled, thread as AnyThread, scope) as Promise<TransformResult<V>>);
  }

  transformSync<S extends Shape, V>(hook: Hook<S>, selector: Selector, thread: Thread<InputOf<S>, V>): TransformResult<V> {
    const compiled = this.#current.line(hook).for(selector, compileSyncTransform);
    if (compiled === undefined) return { value: thread.value, changes: [] };
    return callSyncTransform(compiled, thread as AnyThread) as TransformResult<V>;
  }

  choose<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<Choice<OutputOf<S>>> {
    const compiled = this.#current.line(hook).for(selector, compileChoose);
    if (compiled === undefined) return Promise.resolve({});
    return this.#during(callChoose(compiled, input, scope) as Promise<Choice<OutputOf<S>>>);
  }

  collect<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<Answers<OutputOf<S>>> {
    const compiled = this.#current.line(hook).for(selector, compileCollect);
    if (compiled === undefined) return Promise.resolve(noAnswers);
    return this.#during(callCollect(compiled, input, scope) as Promise<Answers<OutputOf<S>>>);
  }

  collectSync<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Answers<OutputOf<S>> {
    const compiled = this.#current.line(hook).for(selector, compileSyncCollect);
    return compiled === undefined ? noAnswers : (callSyncCollect(compiled, input, scope) as Answers<OutputOf<S>>);
  }

  series<S extends Shape>(
    hook: Hook<S>,
    selector: Selector,
    input: InputOf<S>,
    options: { readonly reverse?: boolean; readonly endsAt?: (value: OutputOf<S>) => boolean; readonly scope?: Scope } = {},
  ): Promise<Series<OutputOf<S>>> {
    const line = this.#current.line(hook);
    const compiled = options.reverse ? line.for(selector, compileReverseSeries, '|reverse') : line.for(selector, compileSeries);
    if (compiled === undefined) return Promise.resolve({ answers: [] });
    const endsAt = options.endsAt as ((value: unknown) => boolean) | undefined;
    return this.#during(callSeries(compiled, input, options.scope, endsAt) as Promise<Series<OutputOf<S>>>);
  }

  observe<S extends Shape>(hook: Hook<S>, input: InputOf<S>): readonly TapFailure[] {
    const compiled = this.#current.line(hook).for(anything, compileObserve);
    return compiled === undefined ? noAnswers.failures : callObserve(compiled, input);
  }

  observeAsync<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<readonly TapFailure[]> {
    const compiled = this.#current.line(hook).for(selector, compileAsyncObserve);
    if (compiled === undefined) return Promise.resolve(noAnswers.failures);
    return this.#during(callAsyncObserve(compiled, input, scope));
  }

  batch<S extends Shape>(hook: Hook<S>): readonly BatchTap<S>[] {
    return (this.#current.line(hook).for(anything, batchTaps) ?? []) as readonly BatchTap<S>[];
  }

  #matchesAny(hook: Hook<Shape>, selector: Selector): boolean {
    return this.#current.line(hook).for(selector, (taps) => taps.length, '|count') !== undefined;
  }

  /** Keeps the generation alive until the call has ended. */
  async #during<T>(call: Promise<T>): Promise<T> {
    const generation = this.#current;
    generation.enter();
    try {
      return await call;
    } finally {
      generation.leave();
    }
  }
}
