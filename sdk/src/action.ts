import type { Static, TObject, TSchema } from 'typebox';
import type { RequestContext } from './context.js';
import type { AnyKind, ObjectOf } from './kinds.js';
import type { Immutable } from './values.js';

/** What an action is given besides the object. */
export interface ActionContext extends RequestContext {
  /** Progress of a `long` action's Operation, a step at a time: at 100 the step has ended. Nobody sees it of others. */
  progress(step: string, percent: number): void;
}

/**
 * A verb of a kind. One definition gives `POST …/{plural}/{name}/{action}` (verb `create` on `{plural}/{action}`), a GraphQL mutation
 * and `tappaas {kind} {action} NAME`. With `long` the answer is 202 and an Operation: `handle` goes on in the background for an hour at
 * most, with the caller's rights; its output becomes the operation's result, and its signal aborts when somebody cancels the operation.
 * Nothing else ends it: two actions on one object, and an action and a change of it, run beside each other.
 * A dry run of a long action is answered like any other. The same request with the same `Idempotency-Key` begins a long action once; other
 * actions refuse a key. `If-Match` is looked at before `handle` is asked. The input is checked against its schema, which is closed, before `handle` is asked.
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

/** A GraphQL field of a kind. Nullable always: a failure nulls the field, not the query. One call per query with all objects; 1 s. */
export interface Field<K extends AnyKind, A extends TObject, T extends TSchema> {
  readonly on: K;
  readonly name: string;
  readonly description: string;
  readonly args: A;
  readonly type: T;
  /** Points per object towards the query's cost limit. */
  readonly costPerObject: number;
  resolve(
    objects: readonly Immutable<ObjectOf<K>>[],
    args: Immutable<Static<A>>,
    context: RequestContext,
  ): Promise<readonly (Static<T> | undefined)[]>;
}
