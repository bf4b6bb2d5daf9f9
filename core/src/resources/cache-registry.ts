import { resourceErrors } from './errors.js';
import type { KindEntry } from './kind-entry.js';
import { openObjectCache, type CacheMaker, type ObjectCache } from './object-cache.js';

interface RegisteredCache {
  readonly cache: ObjectCache;
  /** Describes the kind as cached; a kind in another form needs another cache. */
  readonly form: string;
}

/** The caches of one engine: one per stored kind, kept across reloads as long as the kind's indexes stay the same. */
export class CacheRegistry {
  readonly #maker: CacheMaker;
  #caches = new Map<string, RegisteredCache>();

  constructor(maker: CacheMaker) {
    this.#maker = maker;
  }

  /** Returns undefined before the first use and after the last. */
  find(entry: KindEntry): ObjectCache | undefined {
    return this.#caches.get(entry.prefix)?.cache;
  }

  /** @throws TAP_ENGINE_NOT_STARTED before the first and after the last use */
  of(entry: KindEntry): ObjectCache {
    const known = this.find(entry);
    if (known) return known;
    throw resourceErrors.TAP_ENGINE_NOT_STARTED({ message: `${entry.plural}: the engine has not started, or has stopped` });
  }

  /**
   * Prepares the caches for these kinds beside those in use, then switches over and closes the unused ones.
   *
   * @throws the signal's reason, leaving everything as it was
   */
  async replace(entries: readonly KindEntry[], signal: AbortSignal, swap: () => void): Promise<void> {
    const next = new Map<string, RegisteredCache>();
    const opened: ObjectCache[] = [];
    for (const entry of entries) {
      const known = this.#caches.get(entry.prefix);
      const form = formOf(entry);
      const cache = known?.form === form ? known.cache : openObjectCache(entry, this.#maker);
      if (cache !== known?.cache) opened.push(cache);
      next.set(entry.prefix, { cache, form });
    }
    try {
      await Promise.all([...next.values()].map(({ cache }) => cache.waitFor(0, signal)));
    } catch (error) {
      await Promise.all(opened.map((cache) => cache.close()));
      throw error;
    }
    const kept = new Set([...next.values()].map(({ cache }) => cache));
    const unused = [...this.#caches.values()].filter(({ cache }) => !kept.has(cache));
    this.#caches = next;
    swap();
    await Promise.all(unused.map(({ cache }) => cache.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#caches.values()].map(({ cache }) => cache.close()));
    this.#caches.clear();
  }
}

const formOf = ({ fields, isConfidential }: KindEntry): string => JSON.stringify([[...fields.keys()].sort(), isConfidential]);
