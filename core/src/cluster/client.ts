import { isTapError, type KubernetesObject } from '@tappaas/sdk';
import { apiVersionOf, resourcePath, type ApiResource, type ObjectKey } from './api-resource.js';
import { Discovery } from './discovery.js';
import { clusterErrors } from './errors.js';
import { readLines } from './lines.js';
import { watchEvent, type WatchEvent } from './watch-event.js';
import { Transport, type TransportOptions, type WireRequest } from './transport.js';

export interface ClusterClientOptions extends TransportOptions {
  /** For one call including all its attempts, unless the call has its own. Default 30,000. */
  readonly deadlineMs?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly subresource?: string;
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  readonly labels?: string;
  readonly fields?: string;
  /** Objects per request. Default 500. */
  readonly pageItems?: number;
  /** A list of more objects fails. Default 1,000,000. */
  readonly itemsMax?: number;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labels?: string;
  readonly fields?: string;
  readonly fromRevision?: string;
  /** The server ends the watch after about this time. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions extends CallOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan';
  readonly graceSeconds?: number;
}

export interface LogOptions extends CallOptions {
  readonly container?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
}

/** Options of a complete list. */
export interface ShapedListOptions<T> extends ListOptions {
  /** Selects the part of an object to keep, so that the rest is released with its page. Default: all of it. */
  readonly shape?: (item: T) => T;
}

/** A page of a list, or all of it. */
export interface ObjectList<T> {
  readonly items: T[];
  readonly revision: string;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

export function createClusterClient(options: ClusterClientOptions): ClusterClient {
  return new ClusterClient(options);
}

/** An API server starts a watch immediately, even without events; later than this it has a problem. */
const watchOpenMs = 10_000;

/** A client of one API server. All calls throw TAP_OBJECT_* and TAP_CLUSTER_* errors of errors.ts, or the reason of their signal. */
export class ClusterClient {
  readonly discovery: Discovery;
  readonly #transport: Transport;
  readonly #deadlineMs: number;

  constructor(options: ClusterClientOptions) {
    this.#transport = new Transport(options);
    this.#deadlineMs = options.deadlineMs ?? 30_000;
    this.discovery = new Discovery(options.clock, (path) => this.read(path));
  }

  /** Aborts everything in flight; later calls throw TAP_CLUSTER_CLOSED. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Reads any path below the server's base, such as `/version`. */
  read(path: string, options: CallOptions = {}): Promise<unknown> {
    return this.#send({ method: 'GET', path, what: `get ${path}`, repeatable: true }, options);
  }

  /** Returns undefined when there is no such object. */
  async find<T = KubernetesObject>(resource: ApiResource, key: ObjectKey, options: CallOptions = {}): Promise<T | undefined> {
    try {
      return await this.get<T>(resource, key, options);
    } catch (error) {
      if (isTapError(error, 'TAP_OBJECT_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  get<T = KubernetesObject>(resource: ApiResource, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    return this.#onObject<T>('GET', 'get', resource, key, { repeatable: true }, options);
  }

  /** Lists all objects, fetched page by page at one revision. */
  async list<T = KubernetesObject>(resource: ApiResource, options: ShapedListOptions<T> = {}): Promise<ObjectList<T>> {
    const { itemsMax = 1_000_000, shape } = options;
    const items: T[] = [];
    let revision = '';
    for await (const page of this.pages<T>(resource, options)) {
      for (const item of page.items) items.push(shape === undefined ? item : shape(item));
      revision = page.revision;
      if (items.length > itemsMax) {
        const message = `list ${resource.plural}: more than ${itemsMax} objects`;
        throw clusterErrors.TAP_CLUSTER_ANSWER_TOO_LARGE({ message });
      }
    }
    return { items, revision };
  }

  /** @throws TAP_OBJECT_EXPIRED when reading the pages takes longer than the server keeps their revision */
  async *pages<T = KubernetesObject>(resource: ApiResource, options: ListOptions = {}): AsyncGenerator<ObjectList<T>> {
    const { namespace, labels, fields, pageItems = 500 } = options;
    const path = resourcePath(resource, namespace === undefined ? {} : { namespace });
    let next: string | undefined;
    do {
      const query = { labelSelector: labels, fieldSelector: fields, limit: pageItems, continue: next };
      const body = await this.#send({ method: 'GET', path, query, what: `list ${resource.plural}`, repeatable: true }, options);
      const page = body as { items?: T[] | null; metadata?: { resourceVersion?: string; continue?: string } };
      const items = page.items ?? [];
      for (const item of items) complete(item as { apiVersion?: string; kind?: string }, resource);
      yield { items, revision: page.metadata?.resourceVersion ?? '' };
      next = page.metadata?.continue;
    } while (next !== undefined && next !== '');
  }

  /** Yields changes after a revision, with bookmarks, until the server or the signal ends it. Does not reconnect. */
  async *watch<T = KubernetesObject>(resource: ApiResource, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    const { namespace, labels, fields, fromRevision, timeoutMs, signal } = options;
    const what = `watch ${resource.plural}`;
    const query = {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector: labels,
      fieldSelector: fields,
      resourceVersion: fromRevision,
      timeoutSeconds: timeoutMs === undefined ? undefined : Math.ceil(timeoutMs / 1_000),
    };
    const path = resourcePath(resource, namespace === undefined ? {} : { namespace });
    const deadlineMs = Math.min(watchOpenMs, this.#deadlineMs);
    const request = { method: 'GET', path, query, what, repeatable: true, deadlineMs } as const;
    const stream = await this.#transport.open(signal === undefined ? request : { ...request, signal });
    for await (const line of readLines(stream, what)) if (line !== '') yield watchEvent<T>(line, what);
  }

  create<T = KubernetesObject>(resource: ApiResource, object: object, options: WriteOptions & { namespace?: string } = {}): Promise<T> {
    const metadata = (object as Partial<KubernetesObject>).metadata;
    const namespace = options.namespace ?? metadata?.namespace;
    const target = namespace === undefined ? {} : { namespace };
    const path = resourcePath(resource, target);
    const what = `create ${label(resource, { ...target, name: metadata?.name ?? `${metadata?.generateName ?? ''}*` })}`;
    const body = JSON.stringify(object);
    return this.#send({ method: 'POST', path, query: writeQuery(options), body, what, repeatable: false }, options) as Promise<T>;
  }

  /** Replaces an object; its resourceVersion, if present, must be the latest. */
  update<T = KubernetesObject>(resource: ApiResource, key: ObjectKey, object: object, options: WriteOptions = {}): Promise<T> {
    const body = JSON.stringify(object);
    return this.#onObject<T>('PUT', 'update', resource, key, { body, query: writeQuery(options), repeatable: false }, options);
  }

  /** A merge patch without resourceVersion is retried when its response was lost; others are not. */
  patch<T = KubernetesObject>(
    resource: ApiResource,
    key: ObjectKey,
    patch: object,
    options: WriteOptions & { type?: keyof typeof patchTypes } = {},
  ): Promise<T> {
    const { type = 'merge' } = options;
    const conditional = (patch as Partial<KubernetesObject>).metadata?.resourceVersion !== undefined;
    const body = JSON.stringify(patch);
    const repeatable = type === 'merge' && !conditional;
    const sent = { body, contentType: patchTypes[type], query: writeQuery(options), repeatable };
    return this.#onObject<T>('PATCH', 'patch', resource, key, sent, options);
  }

  /** Server-side apply: the manager comes to own the object's fields, and fields of its previous apply that are now missing are removed. */
  apply<T = KubernetesObject>(
    resource: ApiResource,
    object: KubernetesObject,
    options: WriteOptions & { fieldManager: string; force: boolean },
  ): Promise<T> {
    const { name = '', namespace, resourceVersion } = object.metadata;
    const key = namespace === undefined ? { name } : { namespace, name };
    const query = { ...writeQuery(options), force: options.force };
    const body = JSON.stringify(object);
    const sent = { body, contentType: 'application/apply-patch+yaml', query, repeatable: resourceVersion === undefined };
    return this.#onObject<T>('PATCH', 'apply', resource, key, sent, options);
  }

  /** @throws TAP_OBJECT_CONFLICT when the object has another uid or resourceVersion, TAP_OBJECT_NOT_FOUND */
  async delete(resource: ApiResource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagation, graceSeconds } = options;
    const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
    const body = JSON.stringify({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions,
      propagationPolicy: propagation,
      gracePeriodSeconds: graceSeconds,
    });
    // Without a precondition, a retry might delete a new object with the same name.
    await this.#onObject('DELETE', 'delete', resource, key, { body, goneIsDone: true, repeatable: preconditions !== undefined }, options);
  }

  /** Binds a pod to a node. @throws TAP_OBJECT_CONFLICT when it is bound already, TAP_CLUSTER_OUTCOME_UNKNOWN: read the pod first */
  async bind(key: ObjectKey & { readonly uid?: string }, node: string, options: CallOptions = {}): Promise<void> {
    const { uid, ...target } = key;
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { ...target, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    });
    const path = resourcePath(pods, target, 'binding');
    await this.#send({ method: 'POST', path, body, what: `bind ${label(pods, target)} to ${node}`, repeatable: false }, options);
  }

  /** Yields a container's log as the bytes it wrote. */
  async *logs(key: ObjectKey, options: LogOptions = {}): AsyncGenerator<Uint8Array> {
    const { signal, deadlineMs = this.#deadlineMs, ...query } = options;
    const what = `read the log of ${label(pods, key)}`;
    const path = resourcePath(pods, key, 'log');
    const request = { method: 'GET', path, query, what, repeatable: true, deadlineMs, accept: '*/*' } as const;
    yield* await this.#transport.open(signal === undefined ? request : { ...request, signal });
  }

  #onObject<T>(
    method: WireRequest['method'],
    verb: string,
    resource: ApiResource,
    key: ObjectKey,
    sent: Pick<WireRequest, 'body' | 'contentType' | 'query' | 'repeatable' | 'goneIsDone'>,
    options: CallOptions & { subresource?: string },
  ): Promise<T> {
    const path = resourcePath(resource, key, options.subresource);
    const what = `${verb} ${label(resource, key)}${options.subresource === undefined ? '' : ` (${options.subresource})`}`;
    return this.#send({ ...sent, method, path, what }, options) as Promise<T>;
  }

  #send(request: Omit<WireRequest, 'deadlineMs' | 'signal'>, options: CallOptions): Promise<unknown> {
    const { signal, deadlineMs = this.#deadlineMs } = options;
    return this.#transport.send(signal === undefined ? { ...request, deadlineMs } : { ...request, deadlineMs, signal });
  }
}

const pods: ApiResource = Object.freeze({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true });

function label({ plural }: ApiResource, { namespace, name }: ObjectKey): string {
  return `${plural} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function writeQuery({ fieldManager, dryRun }: WriteOptions): NonNullable<WireRequest['query']> {
  return { fieldManager, dryRun: dryRun === true ? 'All' : undefined };
}

/** Adds apiVersion and kind, which items of a list omit. */
function complete(item: { apiVersion?: string; kind?: string }, resource: ApiResource): void {
  item.apiVersion ??= apiVersionOf(resource);
  item.kind ??= resource.kind;
}
