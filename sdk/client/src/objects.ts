import type { AnyKind, ApplyFields, Immutable, Key, ObjectOf, Preconditions, Strings } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import type { Devices } from './back-off.js';
import { ApiError } from './errors.js';
import { decoded, type ApiRequest, type Http } from './http.js';
import type { NewObject } from './new-object.js';
import { watchPath, type WatchEvent, type WatchOptions } from './watch.js';

/** Options of a write. */
export interface WriteOptions {
  /** Does everything except the write, including admission. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends WriteOptions {
  /**
   * An object is created once per key, however often the request is sent. Default: a random key, so that a broken connection is harmless.
   */
  readonly idempotencyKey?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** The manager that owns the fields. Default: `tappaas-client`. */
  readonly fieldManager?: string;
  /** Takes over fields of other managers instead of failing with 409. */
  readonly force?: boolean;
}

/** The objects to list or watch; without a namespace, those in all namespaces. */
export interface Selection {
  readonly namespace?: string;
  /** A label selector in kubectl's syntax. */
  readonly labels?: string;
  /** A field selector over declared fields. */
  readonly fields?: string;
}

type Stored<K extends AnyKind> = Immutable<ObjectOf<K>>;

interface Page<O> {
  readonly items: readonly O[];
  readonly metadata?: { readonly continue?: string };
}

const pageMax = 500;
const mediaTypes = { merge: 'application/merge-patch+json', apply: 'application/apply-patch+yaml' } as const;

/** The objects of one kind, typed by its handle. */
export class Objects<K extends AnyKind> {
  readonly #http: Http;
  readonly #kind: K;
  readonly #mount: string;
  readonly #devices: Devices;
  readonly #randomKey: () => string;

  constructor(http: Http, kind: K, options: { readonly engine?: string; readonly devices: Devices; readonly randomKey: () => string }) {
    this.#http = http;
    this.#kind = kind;
    this.#mount = options.engine === undefined ? '' : `/clusters/${segmentOf(options.engine)}`;
    this.#devices = options.devices;
    this.#randomKey = options.randomKey;
  }

  /** One object; undefined if it does not exist. @throws ApiError, also when the kind or the engine is not served; UnreachableError */
  get(key: Key, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Stored<K> | undefined> {
    return this.#ask<Stored<K>>(this.#path(key), { ...(signal && { signal }) });
  }

  /** All objects, fetched page by page. @throws ApiError, also when the kind or the engine is not served; UnreachableError */
  async *list(selection: Selection = {}, { signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Stored<K>> {
    let token: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(pageMax) });
      if (selection.labels !== undefined) query.set('labelSelector', selection.labels);
      if (selection.fields !== undefined) query.set('fieldSelector', selection.fields);
      if (token !== undefined) query.set('continue', token);
      const page = await this.#page(`${this.#path(selection)}?${query.toString()}`, signal);
      yield* page.items;
      token = page.metadata?.continue || undefined;
    } while (token !== undefined);
  }

  /** Creates an object; its metadata may contain `generateName`. @throws ApiError, for example with reason `AlreadyExists` */
  create(object: NewObject<K>, options: CreateOptions = {}): Promise<Stored<K>> {
    const { namespace } = object.metadata;
    const headers = { 'idempotency-key': options.idempotencyKey ?? this.#randomKey() };
    const body = JSON.stringify({ ...this.#head(), ...object });
    const path = `${this.#path(namespace === undefined ? {} : { namespace })}?${queryOf(options)}`;
    return this.#write(path, { method: 'POST', body, headers, isRepeatable: true }, options);
  }

  /** Server-side apply: sets the fields of the field manager, and leaves all others alone. @throws ApiError, 409 for a conflict */
  apply(key: Key, fields: ApplyFields<ObjectOf<K>>, options: ApplyOptions = {}): Promise<Stored<K>> {
    const { fieldManager = 'tappaas-client', force = false } = options;
    const { labels, annotations, metadata, ...rest } = fields as { labels?: Strings; annotations?: Strings; metadata?: object };
    const meta = { ...metadata, ...key, ...(labels && { labels }), ...(annotations && { annotations }) };
    const query = queryOf(options, { fieldManager, ...(force && { force: 'true' }) });
    const body = JSON.stringify({ ...this.#head(), ...rest, metadata: meta });
    return this.#write(
      `${this.#path(key)}?${query}`,
      { method: 'PATCH', body, contentType: mediaTypes.apply, isRepeatable: true },
      options,
    );
  }

  /** JSON merge patch; with `metadata.resourceVersion` in it, only if the object has not changed meanwhile. @throws ApiError */
  patch(key: Key, patch: object, options: WriteOptions & { readonly subresource?: 'status' | 'scale' } = {}): Promise<Stored<K>> {
    const part = options.subresource === undefined ? '' : `/${options.subresource}`;
    const request = { method: 'PATCH', body: JSON.stringify(patch), contentType: mediaTypes.merge } as const;
    return this.#write(`${this.#path(key)}${part}?${queryOf(options)}`, request, options);
  }

  /** Deletes an object; returns whether it existed. @throws ApiError, 409 when a precondition does not hold */
  async delete(key: Key, preconditions: Preconditions = {}, options: WriteOptions = {}): Promise<boolean> {
    const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions });
    const request = { method: 'DELETE', body, ...(options.signal && { signal: options.signal }) } as const;
    return (await this.#ask<object>(`${this.#path(key)}?${queryOf(options)}`, request)) !== undefined;
  }

  /**
   * Watches until the signal aborts, across broken connections: nothing is missed and nothing delivered twice. Without `since` it delivers
   * all objects first, then `SYNCED`.
   *
   * @throws ApiError if a retry would not help; ResumeError when the history after `since` is gone
   */
  watch(options: Selection & Pick<WatchOptions, 'since' | 'signal'>): AsyncGenerator<WatchEvent<Stored<K>>> {
    return watchPath<Stored<K>>(this.#http, this.#path(options), options, this.#devices);
  }

  async #page(path: string, signal: AbortSignal | undefined): Promise<Page<Stored<K>>> {
    try {
      return await this.#succeed<Page<Stored<K>>>(path, { ...(signal && { signal }) });
    } catch (error) {
      // The history of the page is gone; with the token in the error, the list continues with the present objects.
      const token = error instanceof ApiError && error.status === 410 ? error.continueToken : undefined;
      if (token === undefined || new URLSearchParams(path.split('?')[1]).get('continue') === token) throw error;
      const [place = '', query = ''] = path.split('?');
      const again = new URLSearchParams(query);
      again.set('continue', token);
      return this.#page(`${place}?${again.toString()}`, signal);
    }
  }

  #write(path: string, request: ApiRequest, { signal }: WriteOptions): Promise<Stored<K>> {
    return this.#succeed(path, { ...request, ...(signal && { signal }) });
  }

  async #succeed<T>(path: string, request: ApiRequest): Promise<T> {
    return decoded<T>(await this.#http.send(path, request));
  }

  /** Undefined when the platform says that there is no such object; any other 404 means that the path is wrong. */
  #ask<T>(path: string, request: ApiRequest): Promise<T | undefined> {
    return this.#succeed<T>(path, request).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'TAP_OBJECT_NOT_FOUND') return undefined;
      throw error;
    });
  }

  #head(): { readonly apiVersion: string; readonly kind: string } {
    const { group, version, kind } = this.#kind;
    return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
  }

  #path({ namespace, name }: { readonly namespace?: string; readonly name?: string }): string {
    const { group, version } = this.#kind;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const place = namespace === undefined ? '' : `/namespaces/${segmentOf(namespace)}`;
    return `${this.#mount}${root}${place}/${pluralOf(this.#kind)}${name === undefined ? '' : `/${segmentOf(name)}`}`;
  }
}

/** A name as a path segment; dots alone, even encoded, would lead to other objects, such as those of all namespaces. @throws TypeError */
function segmentOf(name: string): string {
  if (name === '.' || name === '..') throw new TypeError(`"${name}" is not a name of an object, a namespace or an engine`);
  return encodeURIComponent(name);
}

function pluralOf(kind: AnyKind): string {
  const definition = definitionOf(kind, 'kind') ?? definitionOf(kind, 'kubernetesKind');
  if (definition !== undefined) return definition.plural;
  throw new TypeError(
    `${kind.kind} of ${kind.group || 'the core group'} is not a handle of a kind: take one of @tappaas/sdk/kinds or make one with defineKind`,
  );
}

function queryOf({ dryRun }: WriteOptions, more: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({ ...more, ...(dryRun === true && { dryRun: 'All' }) }).toString();
}
