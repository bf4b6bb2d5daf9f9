import { isTapError } from '@tappaas/sdk';
import type { Position, TokenBox } from './continue-token.js';
import { VersionedView } from './conversion.js';
import { caughtUp, refuseFuture, type EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import type { ObjectCache } from './object-cache.js';
import type { Found } from './registry.js';
import { resourceVersionOf, revisionOf } from './resource-version.js';
import { asScale } from './scale.js';
import { selectionOf, type Filter } from './selection.js';
import type { StoredObject } from './stored-object.js';
import { findKind, keyOfTarget, namespaceOf, nameOf, notFound, type Target } from './target.js';
import type { CachePage } from './watch-cache.js';

/** An object as it is sent: the bytes are serialised once per change. */
export interface Served {
  readonly object: object;
  readonly bytes: Uint8Array;
  readonly resourceVersion: string;
}

/** A list as it is asked for. */
export interface ListQuery extends Filter {
  readonly target: Target;
  readonly limit?: number;
  readonly continueToken?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly signal: AbortSignal;
}

/** One page of a list. */
export interface ListPage {
  readonly items: readonly Served[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
  readonly remainingItemCount?: number;
}

/** Items of one page, whatever limit was asked for; a list without a limit is whole. */
export const pageItemsMax = 10_000;

/** Answers get and list from the watch caches. */
export class Reads {
  readonly #state: EngineState;
  readonly #tokens: () => TokenBox;
  readonly #views: VersionedView;

  constructor(state: EngineState, tokens: () => TokenBox, views: VersionedView) {
    this.#state = state;
    this.#tokens = tokens;
    this.#views = views;
  }

  /** @throws TAP_OBJECT_NOT_FOUND */
  async get(target: Target, options: { readonly resourceVersion?: string; readonly signal: AbortSignal }): Promise<Served> {
    const found = this.#readable(target, 'get');
    refusePart(found, target);
    const key = keyOfTarget(found, target);
    const cache = await this.#cacheAt(found, options.resourceVersion, options.signal);
    const stored = cache.get(key)?.object;
    if (stored === undefined) throw notFound(found, nameOf(target));
    if (target.subresource === 'scale') return asScale(stored, found.entry, this.#state.store.epoch);
    return this.#view(stored, found);
  }

  async list(query: ListQuery): Promise<ListPage> {
    const found = this.#readable(query.target, 'list');
    refuseContradictions(query);
    const binding = bindingOf(query);
    const position = query.continueToken === undefined ? undefined : this.#tokens().read(query.continueToken, binding);
    const cache = await this.#cacheAt(found, position ? '0' : query.resourceVersion, query.signal);
    const page = this.#page(cache, found, query, position);
    const rest: Position | undefined = page.after === undefined ? undefined : this.#position(page.after, page.revision);
    return {
      items: page.items.map((entry) => this.#view(entry.object, found)),
      resourceVersion: resourceVersionOf(this.#state.store.epoch, page.revision),
      ...(rest && { continueToken: this.#tokens().write(rest, binding) }),
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

  /** The cache as `resourceVersion` demands: caught up, as it is ("0"), or at least at a version. */
  async #cacheAt({ entry }: Found, resourceVersion: string | undefined, signal: AbortSignal): Promise<ObjectCache> {
    const { store } = this.#state;
    if (resourceVersion === undefined || resourceVersion === '') return caughtUp(this.#state, entry, signal);
    const cache = this.#state.cache(entry);
    const revision = resourceVersion === '0' ? 0 : revisionOf(resourceVersion, store.epoch);
    if (cache.revision >= revision && cache.revision >= 0) return cache;
    await refuseFuture(store, revision, resourceVersion);
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

  /** With a token, the answer carries another one that goes on from the same place as of now. */
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

/** The revision of a list that must be exact; a limit without a match rule means exact too, as in Kubernetes. */
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
