import type { AdmissionOperation, Denial, For, Hook, Shape, TapError } from '@tappaas/sdk';

/** Input and output of a tap at `hook` when its options are unknown. */
export type InputOf<S extends Shape> = For<S, S['options']>['input'];
export type OutputOf<S extends Shape> = Exclude<Awaited<For<S, S['options']>['output']>, void | undefined>;

/** Selects the taps to call. A tap that names kinds is called only for those, on its engine (default: the platform's, `''`). */
export interface Selector {
  readonly engine?: string;
  readonly kind?: { readonly group: string; readonly kind: string };
  readonly operation?: AdmissionOperation;
  /** Key of a store, for taps that name stores. */
  readonly store?: string;
}

/** The request or run on whose behalf plugins are called: one deadline for all of them, and the signal of the caller. */
export interface Scope {
  /** Milliseconds since the epoch on the platform's clock. */
  readonly deadlineAtMs?: number;
  readonly signal?: AbortSignal;
  /** The tenant concerned, if it is exactly one. */
  readonly tenant?: string | undefined;
}

/** The failure of a tap with failure policy `fail`: it failed, timed out, was skipped by its breaker, or its plugin is not running. */
export interface TapFailure {
  /** Instance id. */
  readonly plugin: string;
  readonly error: TapError;
}

/** An answer and the plugin that gave it. */
export interface Answer<T> {
  readonly plugin: string;
  readonly value: T;
}

/** The changes of one tap of a transform: JSON pointers, never values. */
export interface Attribution {
  readonly plugin: string;
  readonly paths: readonly string[];
}

export interface GateResult {
  readonly denials: readonly (Denial & { readonly plugin: string })[];
  readonly failures: readonly TapFailure[];
}

export interface TransformResult<V> {
  /** The value after all taps that did not fail; results of failed taps are ignored. */
  readonly value: V;
  readonly changes: readonly Attribution[];
  /** The first failure with policy `fail`, which ends the chain. */
  readonly failure?: TapFailure;
}

/** How a transform passes its value through the taps. */
export interface Thread<I, V> {
  readonly value: V;
  /** Makes the input of a tap from the current value; may hide parts that this plugin must not see. */
  input(value: V, plugin: string): I;
  /** Makes the new value from a tap's answer; default: the answer itself. Restores what `input` hid. */
  take?(before: V, answered: unknown, plugin: string): V;
  /** Returns the paths that differ; default: JSON pointers to the fields of plain objects. */
  readonly diff?: (before: V, after: V) => readonly string[];
}

export interface Answers<T> {
  readonly answers: readonly Answer<T>[];
  readonly failures: readonly TapFailure[];
}

export interface Choice<T> {
  readonly answer?: Answer<T>;
  readonly failure?: TapFailure;
}

export interface Series<T> {
  /** The answers of the taps, in execution order. Functions among them (undo) are guarded like their taps. */
  readonly answers: readonly Answer<T>[];
  readonly failure?: TapFailure;
}

/** A tap of a batch hook as a plain function; never throws. */
export interface BatchTap<S extends Shape> {
  readonly plugin: string;
  /** `<instance>` or `<instance>/<tap name>`. */
  readonly name: string;
  readonly options: S['options'];
  readonly failurePolicy: 'fail' | 'ignore';
  /** In shadow mode the call is made and recorded, but its result must not be used. */
  readonly shadow: boolean;
  run(input: InputOf<S>): TapError | undefined;
}

/**
 * Calls hooks on behalf of the stages: always on the current generation, and never throwing because of a plugin.
 *
 * A dispatch finishes on the generation on which it began, even if a reload swaps meanwhile.
 */
export interface Dispatch {
  /** Whether any tap would be called; cheap, so that a stage can avoid building unneeded input. */
  has(hook: Hook<Shape>, selector?: Selector): boolean;
  /** Instance ids of the taps that would be called and declare side effects on dry runs. */
  withSideEffects(hook: Hook<Shape>, selector: Selector): readonly string[];
  /** Calls all taps in parallel and returns every denial. `viewFor` may hide parts of the input that a plugin must not see. */
  gate<S extends Shape>(
    hook: Hook<S>,
    selector: Selector,
    input: InputOf<S>,
    scope?: Scope,
    viewFor?: (plugin: string, input: InputOf<S>) => InputOf<S>,
  ): Promise<GateResult>;
  /** Calls the taps one after another; each may return a new value. */
  transform<S extends Shape, V>(
    hook: Hook<S>,
    selector: Selector,
    thread: Thread<InputOf<S>, V>,
    scope?: Scope,
  ): Promise<TransformResult<V>>;
  /** As {@link transform}, for hooks with synchronous taps, such as `reconcile.render`. */
  transformSync<S extends Shape, V>(hook: Hook<S>, selector: Selector, thread: Thread<InputOf<S>, V>): TransformResult<V>;
  /** Calls the taps in order until one answers. */
  choose<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<Choice<OutputOf<S>>>;
  /** Calls all taps in parallel and returns all answers. */
  collect<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<Answers<OutputOf<S>>>;
  collectSync<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Answers<OutputOf<S>>;
  /** Calls the taps in order (or in reverse); ends at the first failure, or after an answer for which `endsAt` returns true. */
  series<S extends Shape>(
    hook: Hook<S>,
    selector: Selector,
    input: InputOf<S>,
    options?: { readonly reverse?: boolean; readonly endsAt?: (value: OutputOf<S>) => boolean; readonly scope?: Scope },
  ): Promise<Series<OutputOf<S>>>;
  /** Notifies the synchronous taps of a telemetry hook; returns failures with policy `fail` (audit). */
  observe<S extends Shape>(hook: Hook<S>, input: InputOf<S>): readonly TapFailure[];
  /** Notifies asynchronous observers (`secrets.accessed`) and waits for them. */
  observeAsync<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<readonly TapFailure[]>;
  /** Returns the taps of a batch hook in order; the same array until the next generation. */
  batch<S extends Shape>(hook: Hook<S>): readonly BatchTap<S>[];
}
