import type { KubernetesObject } from '@tappaas/sdk';
import type { ApiResource } from './api-resource.js';
import type { ClusterClient, ListOptions, ObjectList } from './client.js';
import type { WatchEvent } from './watch-event.js';

/** The source of a cache: a list at one revision, and the changes after it. */
export interface ClusterSource<T> {
  list(options: { readonly signal: AbortSignal }): Promise<ObjectList<T>>;
  watch(options: { readonly fromRevision: string; readonly timeoutMs: number; readonly signal: AbortSignal }): AsyncIterable<WatchEvent<T>>;
}

/** Makes the source for the objects of one resource, limited by namespace and selectors; `shape` selects what the cache keeps. */
export function clusterSource<T = KubernetesObject>(
  client: Pick<ClusterClient, 'list' | 'watch'>,
  resource: ApiResource,
  query: Pick<ListOptions, 'namespace' | 'labels' | 'fields' | 'pageItems' | 'itemsMax'> = {},
  shape?: (item: T) => T,
): ClusterSource<T> {
  const { namespace, labels, fields } = query;
  const narrowed = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(fields === undefined ? {} : { fields }),
  };
  return {
    list: ({ signal }) => client.list<T>(resource, { ...query, signal, ...(shape && { shape }) }),
    watch: (options) => client.watch<T>(resource, { ...narrowed, ...options }),
  };
}
