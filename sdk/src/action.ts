import type { Static, TObject, TSchema } from 'typebox';
import type { RequestContext } from './context.js';
import type { AnyKind, ObjectOf } from './kinds.js';
import type { Immutable } from './values.js';

/**
 * A verb of a kind. One definition gives `POST …/{plural}/{name}/{action}` (verb `create` on `{plural}/{action}`), a GraphQL mutation
 * and `tappaas {kind} {action} NAME`. With `long` the answer is 202 and an Operation.
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
    context: RequestContext,
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
