import type { Static, TObject, TSchema } from 'typebox';
import type { RequestContext } from './context.js';
import type { AnyKind, ObjectOf } from './kinds.js';
import type { Immutable } from './values.js';

/** The context of an action. */
export interface ActionContext extends RequestContext {
  /** Reports progress of a `long` action's Operation, step by step: at 100 the step has ended. Has no effect in other actions. */
  progress(step: string, percent: number): void;
}

/**
 * A verb of a kind. One definition adds `POST …/{plural}/{name}/{action}` (verb `create` on `{plural}/{action}`), a GraphQL mutation and
 * `tappaas {kind} {action} NAME`.
 *
 * With `long` the response is 202 and an Operation: `handle` continues in the background for at most an hour, with the caller's rights; its
 * output becomes the operation's result, and its signal aborts when the operation is cancelled. Nothing else ends it: two actions on one
 * object, or an action and a change of the object, run concurrently. A dry run of a long action is answered like that of any other action.
 *
 * The same request with the same `Idempotency-Key` starts a long action once; other actions refuse a key. `If-Match` and the input, whose
 * schema is closed, are checked before `handle` is called.
 */
export interface Action<K extends AnyKind, I extends TObject, O extends TObject> {
  readonly on: K;
  readonly name: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  readonly long?: boolean;
  handle(
    request: { readonly object: Immutable<ObjectOf<K>>; readonly input: Immutable<Static<I>>; readonly dryRun: boolean },
    context: ActionContext,
  ): Promise<Static<O>>;
}

/** A GraphQL field of a kind. Always nullable: a failure nulls the field, not the query. One call per query with all objects; 1 s. */
export interface Field<K extends AnyKind, A extends TObject, T extends TSchema> {
  readonly on: K;
  readonly name: string;
  readonly description: string;
  readonly args: A;
  readonly type: T;
  /** Points per object that count towards the query's cost limit. */
  readonly costPerObject: number;
  resolve(
    objects: readonly Immutable<ObjectOf<K>>[],
    args: Immutable<Static<A>>,
    context: RequestContext,
  ): Promise<readonly (Static<T> | undefined)[]>;
}
