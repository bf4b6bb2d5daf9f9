import type { AdmissionOperation, Denial, For, Hook, Shape, TapError } from '@tappaas/sdk';

/** What a tap at `hook` gets and answers when nothing is known of its options. */
export type InputOf<S extends Shape> = For<S, S['options']>['input'];
export type OutputOf<S extends Shape> = Exclude<Awaited<For<S, S['options']>['output']>, void | undefined>;

/** Which taps are asked. A tap that names kinds is asked only for those, on its engine (default: the platform's, `''`). */
export interface Selector {
  readonly engine?: string;
  readonly kind?: { readonly group: string; readonly kind: string };
  readonly operation?: AdmissionOperation;
  /** Key of a store, for taps that name stores. */
  readonly store?: string;
}

/** The request or run that calls plugins: one deadline for all of them, and the signal of a caller that went away. */
export interface Scope {
  /** Milliseconds since the epoch on the platform's clock. */
  readonly deadlineAtMs?: number;
  readonly signal?: AbortSignal;
  /** For whom it is asked, where that is one tenant. */
  readonly tenant?: string | undefined;
}

/** A tap that failed, timed out, was cut off by its breaker or whose plugin is not running, with failure policy `fail`. */
export interface TapFailure {
  /** Instance id. */
  readonly plugin: string;
  readonly error: TapError;
}

/** An answer and whose it is. */
export interface Answer<T> {
  readonly plugin: string;
  readonly value: T;
}

/** What one tap of a transform changed: JSON pointers, never values. */
export interface Attribution {
  readonly plugin: string;
  readonly paths: readonly string[];
}

export interface GateResult {
  readonly denials: readonly (Denial & { readonly plugin: string })[];
  readonly failures: readonly TapFailure[];
}

export interface TransformResult<V> {
  /** After every tap that did not fail; what a failed tap returned leaves no trace. */
  readonly value: V;
  readonly changes: readonly Attribution[];
  /** The first failure with policy `fail` ends the chain. */
  readonly failure?: TapFailure;
}

/** How a transform threads its value through the taps. */
export interface Thread<I, V> {
  readonly value: V;
  /** The tap's input for the value as it is now; may hide what this plugin must not see. */
  input(value: V, plugin: string): I;
  /** The new value for what a tap answered; default: the answer. Puts back what `input` hid. */
  take?(before: V, answered: unknown, plugin: string): V;
  /** Paths of what differs; default: the fields of plain objects, as JSON pointers. */
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
  /** What the taps answered, in the order they ran. Functions among them (undo) are guarded like their taps. */
  readonly answers: readonly Answer<T>[];
  readonly failure?: TapFailure;
}

/** One tap of a batch hook as a plain function; never throws. */
export interface BatchTap<S extends Shape> {
  readonly plugin: string;
  /** `<instance>` or `<instance>/<tap name>`. */
  readonly name: string;
  readonly options: S['options'];
  readonly failurePolicy: 'fail' | 'ignore';
  /** In shadow the call is made and recorded, and its result must not be used. */
  readonly shadow: boolean;
  run(input: InputOf<S>): TapError | undefined;
}

/**
 * Hook calls as the stages see them: always through the current generation, never a throw because of a plugin.
 *
 * A dispatch that has begun finishes on the generation it began with, also when a reload swaps meanwhile.
 */
export interface Dispatch {
  /** Says cheaply whether anybody would be asked, so that a stage need not build an input for nobody. */
  has(hook: Hook<Shape>, selector?: Selector): boolean;
  /** Instance ids of the taps that would be asked and declare that they have side effects also on dry runs. */
  withSideEffects(hook: Hook<Shape>, selector: Selector): readonly string[];
  /** All taps in parallel; every denial. `viewFor` may hide parts of the input that a plugin must not see. */
  gate<S extends Shape>(
    hook: Hook<S>,
    selector: Selector,
    input: InputOf<S>,
    scope?: Scope,
    viewFor?: (plugin: string, input: InputOf<S>) => InputOf<S>,
  ): Promise<GateResult>;
  /** One after the other; each may give a new value. */
  transform<S extends Shape, V>(
    hook: Hook<S>,
    selector: Selector,
    thread: Thread<InputOf<S>, V>,
    scope?: Scope,
  ): Promise<TransformResult<V>>;
  /** The same for hooks whose taps are synchronous, such as `reconcile.render`. */
  transformSync<S extends Shape, V>(hook: Hook<S>, selector: Selector, thread: Thread<InputOf<S>, V>): TransformResult<V>;
  /** In order until one answers. */
  choose<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<Choice<OutputOf<S>>>;
  /** All in parallel, all answers. */
  collect<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<Answers<OutputOf<S>>>;
  collectSync<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Answers<OutputOf<S>>;
  /** In order (or in reverse); ends at the first failure, or after an answer for which `endsAt` is true. */
  series<S extends Shape>(
    hook: Hook<S>,
    selector: Selector,
    input: InputOf<S>,
    options?: { readonly reverse?: boolean; readonly endsAt?: (value: OutputOf<S>) => boolean; readonly scope?: Scope },
  ): Promise<Series<OutputOf<S>>>;
  /** Tells the synchronous taps of a telemetry hook; failures with policy `fail` (audit) are answered. */
  observe<S extends Shape>(hook: Hook<S>, input: InputOf<S>): readonly TapFailure[];
  /** Tells asynchronous observers (`secrets.accessed`) and waits for them. */
  observeAsync<S extends Shape>(hook: Hook<S>, selector: Selector, input: InputOf<S>, scope?: Scope): Promise<readonly TapFailure[]>;
  /** The taps of a batch hook in order; the same array until the next generation. */
  batch<S extends Shape>(hook: Hook<S>): readonly BatchTap<S>[];
}
