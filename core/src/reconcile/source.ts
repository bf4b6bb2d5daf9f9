/** The part of an object that a cache needs; the rest is up to its readers. */
export interface CachedObject {
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

/** One change of a watch, or a bookmark: there were no changes up to a revision. */
export type SourceEvent<T> =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T }
  | { readonly type: 'bookmark'; readonly revision: string };

/**
 * Provides a cache with its objects: from the engine in this process, or from a cluster over HTTP.
 *
 * A failure with `httpStatus` 410 means that the revision is gone and everything must be listed again; `retryAfterMs` is obeyed.
 */
export interface Source<T> {
  /** Lists all objects at one revision, which includes everything acknowledged before the call. */
  list(options: { readonly signal: AbortSignal }): Promise<{ readonly items: Iterable<T>; readonly revision: string }>;
  /** Yields changes after `fromRevision`, in order; ends by itself after about `timeoutMs`. */
  watch(options: {
    readonly fromRevision: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<SourceEvent<T>>;
}

/** Returns `namespace/name`, or the name alone for cluster-scoped objects; the form of keys in queues. */
export function keyOf(object: CachedObject): string {
  const { namespace, name = '' } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
