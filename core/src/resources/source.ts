import type { Awaitable, Clock } from '@tappaas/sdk';
import type { KindPath, ListPage, ListQuery, Served, WatchEvent, WatchQuery } from '../ports/engine.js';

/** One change of a watch, or a bookmark: there were no changes up to a revision. */
export type SourceEvent<T> =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T }
  | { readonly type: 'bookmark'; readonly revision: string };

/** Where the engine keeps an object; `lean` is the object as the source returned it, if that differs. */
export interface Place<T> {
  readonly object: T;
  readonly lean?: T;
}

/** Provides a controller's cache with the objects of a kind, without a network in between. */
export interface Source<T> {
  list(options: { readonly signal: AbortSignal }): Promise<{ readonly items: Iterable<T>; readonly revision: string }>;
  /** Yields changes after `fromRevision`; ends by itself after about `timeoutMs`. */
  watch(options: {
    readonly fromRevision: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<SourceEvent<T>>;
  /** Returns the place where the engine keeps an object of this source; a cache that refers to it needs no memory for the object itself. */
  placeOf(object: T): Place<T>;
}

/** The reading part of an engine. */
export interface Readable {
  list(query: ListQuery): Awaitable<ListPage>;
  watch(query: WatchQuery): AsyncIterable<readonly WatchEvent[]>;
}

const types = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' } as const;

/** Makes a source for the objects of a kind, without their managed fields. */
export function engineSource<T>(engine: Readable, clock: Clock, kind: KindPath): Source<T> {
  const places = new WeakMap<object, Served>();
  const project = (served: Served): T => {
    const object = leanOf(served);
    places.set(object, served);
    return object as T;
  };
  return {
    async list({ signal }) {
      const { items, resourceVersion } = await engine.list({ target: { kind }, signal });
      return { items: each(items, project), revision: resourceVersion };
    },
    async *watch({ fromRevision, timeoutMs, signal }) {
      const end = new AbortController();
      const signals = AbortSignal.any([signal, end.signal]);
      clock.sleep(timeoutMs, signals).then(() => end.abort(), noop);
      const query = { target: { kind }, resourceVersion: fromRevision, bookmarks: true, signal: signals };
      try {
        for await (const events of engine.watch(query)) for (const event of events) yield toSource(event, project);
      } finally {
        end.abort();
      }
    },
    placeOf: (object) => (places.get(object as object) as Place<T> | undefined) ?? { object },
  };
}

const noop = (): void => {};

const leanOf = ({ lean, object }: Served): object => lean ?? object;

/** Converts items one at a time, so that they need not all be in memory at once. */
function each<T>(items: readonly Served[], project: (served: Served) => T): Iterable<T> {
  return {
    *[Symbol.iterator]() {
      for (const served of items) yield project(served);
    },
  };
}

function toSource<T>({ type, served }: WatchEvent, project: (served: Served) => T): SourceEvent<T> {
  if (type === 'BOOKMARK') return { type: 'bookmark', revision: served.resourceVersion };
  return { type: types[type], object: project(served) };
}
