import { isTapError, type Awaitable, type Key } from '@tappaas/sdk';
import type { KindPath, ListPage, ListQuery, Served, Target } from '../ports/engine.js';
import type { Position, TokenBox } from './continue-token.js';
import { VersionedView } from './conversion.js';
import { caughtUp, refuseFuture, type EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import type { ObjectCache } from './object-cache.js';
import { PageMemory } from './page-memory.js';
import type { Found } from './registry.js';
import { resourceVersionOf, revisionOf } from './resource-version.js';
import { asScale } from './scale.js';
import { selectionOf } from './selection.js';
import type { StoredObject } from './stored-object.js';
import { findKind, keyOfTarget, namespaceOf, nameOf, notFound } from './target.js';
import type { CachePage } from './watch-cache.js';

/** How recent the result must be, and the signal that cancels waiting for it. */
export interface Freshness {
  readonly resourceVersion?: string;
  readonly signal: AbortSignal;
}

/** Maximum number of items per page, whatever limit was requested; a list without a limit is complete. */
export const pageItemsMax = 10_000;

/** Serves get and list from the watch caches. */
export class Reads {
  readonly #state: EngineState;
  readonly #tokens: () => TokenBox;
  readonly #views: VersionedView;
  readonly #memory = new PageMemory();
  readonly #keys = new WeakMap<Target, { readonly entry: Found['entry']; readonly key: string }>();

  constructor(state: EngineState, tokens: () => TokenBox, views: VersionedView) {
    this.#state = state;
    this.#tokens = tokens;
    this.#views = views;
  }

  /** @throws TAP_OBJECT_NOT_FOUND */
  get(target: Target, options: Freshness): Awaitable<Served> {
    const found = this.#readable(target, 'get');
    refusePart(found, target);
    const cache = this.#cacheAt(found, options.resourceVersion, options);
    return cache instanceof Promise ? cache.then((reached) => this.#one(reached, found, target)) : this.#one(cache, found, target);
  }

  catchUp(kind: KindPath, waiting: Freshness): Awaitable<unknown> {
    const found = this.#state.registry().find(kind);
    return found && this.#cacheAt(found, undefined, waiting);
  }

  /** Returns several objects of one kind, in the order of their keys. */
  getMany(kind: KindPath, keys: readonly Key[], options: Freshness): Awaitable<readonly (Served | undefined)[]> {
    const found = this.#readable({ kind }, 'get');
    const cache = this.#cacheAt(found, options.resourceVersion, options);
    return cache instanceof Promise ? cache.then((reached) => this.#several(reached, found, keys)) : this.#several(cache, found, keys);
  }

  list(query: ListQuery): Awaitable<ListPage> {
    const found = this.#readable(query.target, 'list');
    refuseContradictions(query);
    const position = query.continueToken === undefined ? undefined : this.#tokens().read(query.continueToken, bindingOf(query));
    const cache = this.#cacheAt(found, position ? '0' : query.resourceVersion, query);
    return cache instanceof Promise
      ? cache.then((reached) => this.#listed(reached, found, query, position))
      : this.#listed(cache, found, query, position);
  }

  #one(cache: ObjectCache, found: Found, target: Target): Served {
    const stored = cache.get(this.#keyOf(found, target))?.object;
    if (stored === undefined) throw notFound(found, nameOf(target));
    if (target.subresource === 'scale') return asScale(stored, found.entry, this.#state.store.epoch);
    return this.#view(stored, found);
  }

  /** Requests with the same request line share their target object, so its key is computed once. */
  #keyOf(found: Found, target: Target): string {
    const known = this.#keys.get(target);
    if (known?.entry === found.entry) return known.key;
    const key = keyOfTarget(found, target);
    this.#keys.set(target, { entry: found.entry, key });
    return key;
  }

  #several(cache: ObjectCache, found: Found, keys: readonly Key[]): readonly (Served | undefined)[] {
    const { version } = found;
    return keys.map((key) => {
      const stored = cache.get(keyOfTarget(found, { kind: version.served, ...key }))?.object;
      return stored && this.#view(stored, found);
    });
  }

  #listed(cache: ObjectCache, found: Found, query: ListQuery, position: Position | undefined): ListPage {
    return this.#memory.page(cache, found.version, query, (known) => this.#made(cache, found, query, position, known));
  }

  #made(cache: ObjectCache, found: Found, query: ListQuery, position: Position | undefined, known?: ListPage['items']): ListPage {
    const page = this.#page(cache, found, query, position);
    const rest: Position | undefined = page.after === undefined ? undefined : this.#position(page.after, page.revision);
    return {
      items: known ?? page.items.map((entry) => this.#view(entry.object, found)),
      resourceVersion: resourceVersionOf(this.#state.store.epoch, page.revision),
      ...(rest && { continueToken: this.#tokens().write(rest, bindingOf(query)) }),
      tokenAfter: (index) => this.#tokens().write(this.#position(page.items[index]?.key ?? '', page.revision), bindingOf(query)),
      ...(page.remaining !== undefined && page.after !== undefined && { remainingItemCount: page.remaining }),
    };
  }

  #readable(target: Target, verb: string): Found {
    const found = findKind(this.#state.registry(), target);
    if (found.entry.verbs.has(verb)) return found;
    throw resourceErrors.TAP_REQUEST_METHOD({ message: `${target.kind.plural}: ${verb} is not served` });
  }

  #view(stored: StoredObject, found: Found): Served {
    return this.#views.at(stored, found.version, this.#state.store.epoch);
  }

  #position(after: string, revision?: number): Position {
    return { after, epoch: this.#state.store.epoch, ...(revision !== undefined && { revision }) };
  }

  /**
   * Returns the cache as `resourceVersion` requires: caught up, as it is ("0"), or at least at that version. Usually the cache is there
   * already, and the caller's signal is not even created.
   */
  #cacheAt({ entry }: Found, resourceVersion: string | undefined, waiting: Freshness): Awaitable<ObjectCache> {
    const { store } = this.#state;
    const cache = this.#state.cache(entry);
    if (resourceVersion === undefined || resourceVersion === '') {
      const newest = store.currentRevision();
      return typeof newest === 'number' && cache.revision >= newest ? cache : caughtUp(this.#state, entry, waiting.signal);
    }
    const revision = resourceVersion === '0' ? 0 : revisionOf(resourceVersion, store.epoch);
    if (cache.revision >= revision && cache.revision >= 0) return cache;
    return this.#waitFor(cache, revision, resourceVersion, waiting.signal);
  }

  async #waitFor(cache: ObjectCache, revision: number, resourceVersion: string, signal: AbortSignal): Promise<ObjectCache> {
    await refuseFuture(this.#state.store, revision, resourceVersion);
    await cache.waitFor(revision, signal);
    return cache;
  }

  #page(cache: ObjectCache, { entry }: Found, query: ListQuery, position: Position | undefined): CachePage<StoredObject> {
    const namespace = entry.isNamespaced && query.target.namespace !== undefined ? namespaceOf(query.target) : undefined;
    const revision = position ? position.revision : exactRevision(query, this.#state.store.epoch);
    const isFromBefore = position !== undefined && position.epoch !== this.#state.store.epoch;
    if (isFromBefore) throw this.#expired(query, position.after);
    const itemsMax = query.limit === undefined || query.limit === 0 ? undefined : Math.min(query.limit, pageItemsMax);
    try {
      return cache.list({
        ...selectionOf(entry, namespace, query),
        ...(position && { after: position.after }),
        ...(itemsMax !== undefined && { itemsMax }),
        ...(revision !== undefined && { revision }),
      });
    } catch (error) {
      if (isTapError(error, 'TAP_STORE_COMPACTED')) throw this.#expired(query, position?.after);
      throw error;
    }
  }

  /** For a list with a token, the error carries a new token that continues from the same place at the current revision. */
  #expired(query: ListQuery, after: string | undefined): Error {
    const message = 'the resourceVersion of this list is too old: its history is gone';
    if (after === undefined) return resourceErrors.TAP_OBJECT_EXPIRED({ message });
    const continueToken = this.#tokens().write(this.#position(after), bindingOf(query));
    return resourceErrors.TAP_OBJECT_EXPIRED({ message, data: { continueToken } });
  }
}

/** @throws TAP_OBJECT_NOT_FOUND for a subresource that is not served here */
export function refusePart({ entry }: Found, { subresource = '' }: Target): void {
  const isServed = subresource === '' || (subresource === 'status' && entry.hasStatus) || (subresource === 'scale' && entry.scale);
  if (!isServed) throw resourceErrors.TAP_OBJECT_NOT_FOUND({ message: `${entry.plural}: there is no subresource ${subresource}` });
}

function bindingOf({ target, labelSelector, fieldSelector }: ListQuery): Readonly<Record<string, string | undefined>> {
  const { group, version, plural } = target.kind;
  return { group, version, plural, namespace: target.namespace, labelSelector, fieldSelector };
}

/** Returns the revision of a list that must be exact; as in Kubernetes, a limit without a match rule means exact as well. */
function exactRevision(query: ListQuery, epoch: number): number | undefined {
  const { resourceVersion = '', resourceVersionMatch, limit } = query;
  if (resourceVersion === '' || resourceVersion === '0') return undefined;
  const isExact = resourceVersionMatch === 'Exact' || (resourceVersionMatch === undefined && limit !== undefined && limit > 0);
  return isExact ? revisionOf(resourceVersion, epoch) : undefined;
}

function refuseContradictions({ limit, continueToken, resourceVersion = '', resourceVersionMatch }: ListQuery): void {
  const refuse = (field: string, message: string): never => {
    throw resourceErrors.TAP_REQUEST_INVALID({ message: `${field}: ${message}`, field });
  };
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) refuse('limit', `expected a whole number from 0, found ${limit}`);
  if (continueToken !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    refuse('resourceVersion', 'not allowed beside continue, which stands for a version already');
  }
  if (resourceVersionMatch === undefined) return;
  if (continueToken !== undefined) refuse('resourceVersionMatch', 'not allowed beside continue');
  if (resourceVersion === '') refuse('resourceVersionMatch', 'not allowed without resourceVersion');
  if (resourceVersionMatch === 'Exact' && resourceVersion === '0')
    refuse('resourceVersionMatch', 'Exact is not allowed for resourceVersion "0"');
}
