import type { AnyKind, Key, ObjectOf, Resource } from './kinds.js';
import type { Immutable, Strings } from './values.js';

/** A part of a value at any depth, of the items of its lists, too. */
type PartOf<T> = T extends readonly (infer I)[] ? readonly PartOf<I>[] : T extends object ? { readonly [P in keyof T]?: PartOf<T[P]> } : T;

/**
 * The fields that an apply owns: a part of the spec for the platform's kinds, any part of the object for Kubernetes' kinds. What is left out
 * stays with whoever owns it, or has its default; what is missing altogether is refused by the platform.
 */
export type ApplyFields<O> =
  O extends Resource<infer S, unknown>
    ? { readonly spec?: PartOf<S>; readonly labels?: Strings; readonly annotations?: Strings }
    : PartOf<Omit<O, 'apiVersion' | 'kind'>>;

/** What `list` answers; at most `itemsMax` objects, pages are fetched while iterating. */
export interface ListQuery {
  readonly namespace?: string;
  /** A label selector as kubectl writes it. */
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

/** What a watch tells of an object: as it is now, or as it was last when it is gone. */
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
   * Tells what there is, then what changes: the first batch holds every object there is, none included; later ones come in order. After
   * a loss of the connection to the store it goes on with the difference, so nothing is missed, but an object that changed several times
   * meanwhile is told once. Ends when `signal` aborts or the platform stops; every other end is an error. Needs the permission `watch`.
   */
  watch<K extends AnyKind>(
    kind: K,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<readonly ObjectChange<Immutable<ObjectOf<K>>>[]>;
  /** Creates an object; metadata may carry `generateName` and owner references. @throws TAP_OBJECT_EXISTS */
  create<K extends AnyKind>(kind: K, object: object): Promise<Immutable<ObjectOf<K>>>;
  /** Server-side apply as this plugin; fields it applied before and leaves out now are removed. */
  apply<K extends AnyKind>(kind: K, key: Key, fields: ApplyFields<ObjectOf<K>>): Promise<Immutable<ObjectOf<K>>>;
  /**
   * JSON merge patch; with `resourceVersion` in it, only if nothing changed meanwhile. `subresource` narrows it to status or scale. To give an object
   * other owners, here or by `apply`, the right to delete it is needed as well: it is deleted when none of them is there.
   */
  patch<K extends AnyKind>(
    kind: K,
    key: Key,
    patch: object,
    options?: { readonly subresource?: 'status' | 'scale' },
  ): Promise<Immutable<ObjectOf<K>>>;
  delete(kind: AnyKind, key: Key, preconditions?: Preconditions): Promise<void>;
}
