import { attachDefinition } from '../definitions.js';

/**
 * The types of one hook point. `input` and `output` may depend on the options given (`this['given']`), which is how `kinds` and `reads`
 * type the handler.
 */
export interface Shape {
  readonly given: unknown;
  readonly options: object;
  readonly input: unknown;
  readonly output: unknown;
  readonly context: unknown;
}

/** A shape with the options of a tap. */
export type For<S extends Shape, O> = S & { readonly given: O };

/** A typed hook point, the first argument of `host.tap`. */
export interface Hook<S extends Shape> {
  readonly name: string;
  readonly contract: number;
  readonly '~shape'?: S;
}

/** Options of every tap. `before` and `after` name plugin ids; one that is not loaded is ignored. */
export interface TapOptions {
  /** Distinguishes several taps of one plugin at one hook. */
  readonly name?: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly timeoutMs?: number;
  readonly failurePolicy?: 'fail' | 'ignore';
}

/**
 * How the kernel runs the taps of a hook.
 *
 * gate: every tap is called, every denial reported. transform: each tap may return a new value. choose: the first result counts.
 * collect: all results. observe: taps are notified, without a result. batch: one synchronous call over many candidates. series: in order,
 * stops at an error.
 */
export type HookKind = 'gate' | 'transform' | 'choose' | 'collect' | 'observe' | 'batch' | 'series';

/** The declaration behind a {@link Hook}, for the kernel and the reference. */
export interface HookDeclaration {
  readonly name: string;
  readonly contract: number;
  readonly kind: HookKind;
  /** Synchronous taps can be measured but not interrupted. */
  readonly synchronous: boolean;
  readonly deadlineMs: number;
  /** What happens when a tap fails or its plugin is not running. */
  readonly onFailure: 'deny' | 'fail' | 'requeue' | 'ignore' | 'back-off' | 'unknown' | 'retry';
  readonly runsOn: 'every-replica' | 'leader';
  readonly description: string;
}

/** Declares a typed hook. */
export function defineHook<S extends Shape>(declaration: HookDeclaration): Hook<S> {
  return Object.freeze(attachDefinition({ name: declaration.name, contract: declaration.contract }, 'hook', Object.freeze(declaration)));
}
