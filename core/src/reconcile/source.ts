/** What a cache must know about an object; everything else is the reader's business. */
export interface CachedObject {
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
}

/** One change as a watch tells it, or the news that there was none up to a revision. */
export type SourceEvent<T> =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T }
  | { readonly type: 'bookmark'; readonly revision: string };

/**
 * Where a cache gets its objects from: the engine in this process, or a cluster over HTTP.
 *
 * A failure with `httpStatus` 410 means that the revision is gone and everything has to be listed again; `retryAfterMs` is obeyed.
 */
export interface Source<T> {
  /** Everything there is, at one revision that includes all that was acknowledged before the call. */
  list(options: { readonly signal: AbortSignal }): Promise<{ readonly items: Iterable<T>; readonly revision: string }>;
  /** Changes after `fromRevision`, in order; ends by itself after about `timeoutMs`. */
  watch(options: {
    readonly fromRevision: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<SourceEvent<T>>;
}

/** `namespace/name`, or the name alone where there is no namespace; the form in which keys stand in queues. */
export function keyOf(object: CachedObject): string {
  const { namespace, name = '' } = object.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
