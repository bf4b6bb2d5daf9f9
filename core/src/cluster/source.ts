import type { KubernetesObject } from '@tappaas/sdk';
import type { ApiResource } from './api-resource.js';
import type { ClusterClient, ListOptions, ObjectList } from './client.js';
import type { WatchEvent } from './watch-event.js';

/** What a cache follows: a list at one revision and the changes after it. */
export interface ClusterSource<T> {
  list(options: { readonly signal: AbortSignal }): Promise<ObjectList<T>>;
  watch(options: { readonly fromRevision: string; readonly timeoutMs: number; readonly signal: AbortSignal }): AsyncIterable<WatchEvent<T>>;
}

/** The objects of one resource, narrowed by namespace and selectors, as a source of a cache; `shape` is what the cache will keep of them. */
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
