import type { ListPage, ListQuery } from '../ports/engine.js';
import type { KindVersionEntry } from './kind-entry.js';
import type { ObjectCache } from './object-cache.js';

const pagesMax = 32;
const itemsMax = 1_000;

interface Remembered {
  readonly changedRevision: number;
  revision: number;
  page: ListPage;
}

interface Shelf {
  readonly cache: ObjectCache;
  readonly pages: Map<string, Remembered>;
}

/**
 * Caches recent pages of current lists. While nothing of the kind has changed, a page keeps the same items array, by which the API
 * recognizes that its bytes are the same too. At most 32 pages per version of a kind, of up to 1,000 items each.
 */
export class PageMemory {
  readonly #shelves = new WeakMap<KindVersionEntry, Shelf>();

  /** Returns the cached page, or makes it; a cached page at a newer revision keeps its items. */
  page(cache: ObjectCache, version: KindVersionEntry, query: ListQuery, make: (items?: ListPage['items']) => ListPage): ListPage {
    const key = keyOf(query);
    if (key === undefined) return make();
    const pages = this.#pagesOf(cache, version);
    const known = pages.get(key);
    if (known !== undefined && known.changedRevision === cache.changedRevision) {
      if (known.revision !== cache.revision) known.page = make(known.page.items);
      known.revision = cache.revision;
      return known.page;
    }
    const page = make();
    pages.delete(key);
    if (page.items.length > itemsMax) return page;
    pages.set(key, { changedRevision: cache.changedRevision, revision: cache.revision, page });
    const oldest = pages.size > pagesMax ? pages.keys().next().value : undefined;
    if (oldest !== undefined) pages.delete(oldest);
    return page;
  }

  #pagesOf(cache: ObjectCache, version: KindVersionEntry): Shelf['pages'] {
    const known = this.#shelves.get(version);
    if (known?.cache === cache) return known.pages;
    const pages = new Map<string, Remembered>();
    this.#shelves.set(version, { cache, pages });
    return pages;
  }
}

/**
 * A key that is unique per query. Selectors are part of it because they restrict a tenant's view, and a page must never be served to
 * another tenant. Namespaces contain no space, so the short form of most queries never equals a long one; lengths mark where a selector
 * ends.
 */
function keyOf(query: ListQuery): string | undefined {
  const { target, limit, labelSelector, fieldSelector, fieldValues, resourceVersion, continueToken } = query;
  // Queries for the children of some parents rarely repeat with the same parents.
  if (fieldValues !== undefined) return undefined;
  if (continueToken !== undefined || (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0')) return undefined;
  const { namespace = '' } = target;
  if (limit === undefined && labelSelector === undefined && fieldSelector === undefined) return namespace;
  return `${namespace} ${limit ?? ''} ${labelSelector?.length ?? ''} ${labelSelector ?? ''} ${fieldSelector ?? ''}`;
}
