import type { AnyKind, Key, ObjectOf, Resource } from './kinds.js';
import type { Immutable, Strings } from './values.js';

/** A part of a value at any depth, also of the items of its lists. */
type PartOf<T> = T extends readonly (infer I)[] ? readonly PartOf<I>[] : T extends object ? { readonly [P in keyof T]?: PartOf<T[P]> } : T;

/**
 * The fields that an apply owns: a part of the spec for the platform's kinds, any part of the object for Kubernetes' kinds. Omitted fields
 * stay with their owners, or get their default; the platform refuses the object if a required field is then missing.
 */
export type ApplyFields<O> =
  O extends Resource<infer S, unknown>
    ? { readonly spec?: PartOf<S>; readonly labels?: Strings; readonly annotations?: Strings }
    : PartOf<Omit<O, 'apiVersion' | 'kind'>>;

/** What `list` returns: at most `itemsMax` objects; pages are fetched while iterating. */
export interface ListQuery {
  readonly namespace?: string;
  /** A label selector in kubectl's syntax. */
  readonly labels?: string;
  /** A field selector over declared fields. */
  readonly fields?: string;
  readonly itemsMax: number;
}

/** Conditions of a delete; a mismatch is TAP_OBJECT_CONFLICT. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** A change of a watched object: its new state, or for `deleted` its last state. */
export interface ObjectChange<O> {
  readonly type: 'put' | 'deleted';
  readonly object: O;
}

/**
 * Reads and writes objects. Reads come from the watch cache and see your own writes.
 *
 * @throws TAP_OBJECT_NOT_FOUND, TAP_OBJECT_CONFLICT, TAP_OBJECT_FORBIDDEN, TAP_OBJECT_INVALID, TAP_OBJECT_DENIED
 */
export interface Resources {
  get<K extends AnyKind>(kind: K, key: Key): Promise<Immutable<ObjectOf<K>> | undefined>;
  list<K extends AnyKind>(kind: K, query: ListQuery): AsyncIterable<Immutable<ObjectOf<K>>>;
  /**
   * Delivers all objects, then changes: the first batch holds every existing object, and may be empty; later ones follow in order. After
   * losing the connection to the store it continues with the difference, so nothing is missed, but an object that changed several times
   * meanwhile is delivered once. Ends when `signal` aborts or the platform stops; any other end is an error. Needs the permission `watch`.
   */
  watch<K extends AnyKind>(
    kind: K,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<readonly ObjectChange<Immutable<ObjectOf<K>>>[]>;
  /** Creates an object; its metadata may contain `generateName` and owner references. @throws TAP_OBJECT_EXISTS */
  create<K extends AnyKind>(kind: K, object: object): Promise<Immutable<ObjectOf<K>>>;
  /** Server-side apply with this plugin as field manager; fields that it applied before and omits now are removed. */
  apply<K extends AnyKind>(kind: K, key: Key, fields: ApplyFields<ObjectOf<K>>): Promise<Immutable<ObjectOf<K>>>;
  /**
   * JSON merge patch; with `resourceVersion` in it, only if the object has not changed meanwhile. `subresource` restricts it to status or
   * scale. Changing the owners of an object, here or by `apply`, also needs the right to delete it: it is deleted when none of its owners
   * exists.
   */
  patch<K extends AnyKind>(
    kind: K,
    key: Key,
    patch: object,
    options?: { readonly subresource?: 'status' | 'scale' },
  ): Promise<Immutable<ObjectOf<K>>>;
  delete(kind: AnyKind, key: Key, preconditions?: Preconditions): Promise<void>;
}
