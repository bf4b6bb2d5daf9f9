import { administratorsGroup, type Clock, type KubernetesObject } from '@tappaas/sdk';
import type { Target, Write } from '../../ports/engine.js';
import type { ApiResource, ObjectKey } from '../../cluster/api-resource.js';
import {
  ClusterClient,
  type CallOptions,
  type DeleteOptions,
  type ListOptions,
  type ObjectList,
  type WatchOptions,
  type WriteOptions,
} from '../../cluster/client.js';
import type { WatchEvent } from '../../cluster/watch-event.js';
import type { ResourceEngine } from '../../resources/engine.js';

const caller = { name: 'system:tappaas', groups: [administratorsGroup] };
const eventTypes = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' } as const;
const watchMsDefault = 300_000;

type Selecting = Pick<ListOptions, 'namespace' | 'labels' | 'fields'>;

/**
 * A client of a cluster whose API is an engine in this process, with the calls that rendering controllers make. Calls that are not
 * overridden would go over the network and fail.
 */
export class EngineClient extends ClusterClient {
  readonly #engine: ResourceEngine;
  readonly #clock: Clock;

  constructor(engine: ResourceEngine, clock: Clock) {
    const unreachable = () => Promise.reject(new Error(`cluster ${engine.name} is reached in this process only`));
    super({ connect: unreachable, clock, backoff: () => 0, userAgent: () => 'tappaas' });
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Serves discovery of one group and version, the only thing that is read by path. */
  override async read(path: string): Promise<unknown> {
    const served = this.#engine.kinds().filter(({ group, version }) => path === `/${group === '' ? 'api' : `apis/${group}`}/${version}`);
    return { resources: served.map(({ plural, kind, scope }) => ({ name: plural, kind, namespaced: scope === 'Namespaced' })) };
  }

  override async get<T = KubernetesObject>(resource: ApiResource, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    const { object } = await this.#engine.get(targetOf(resource, key), { signal: signalOf(options) });
    return object as T;
  }

  override async list<T = KubernetesObject>(resource: ApiResource, options: ListOptions = {}): Promise<ObjectList<T>> {
    const { items, resourceVersion } = await this.#engine.list({ ...selecting(resource, options), signal: signalOf(options) });
    return { items: items.map(({ object }) => object as T), revision: resourceVersion };
  }

  override async *watch<T = KubernetesObject>(resource: ApiResource, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    const { fromRevision, timeoutMs = watchMsDefault } = options;
    const end = new AbortController();
    const signal = AbortSignal.any([signalOf(options), end.signal]);
    this.#clock.sleep(timeoutMs, signal).then(
      () => end.abort(),
      () => {},
    );
    const from = fromRevision === undefined ? {} : { resourceVersion: fromRevision };
    const query = { ...selecting(resource, options), ...from, bookmarks: true, signal };
    try {
      for await (const events of this.#engine.watch(query)) {
        for (const { type, served } of events) {
          if (type === 'BOOKMARK') yield { type: 'bookmark', revision: served.resourceVersion };
          else yield { type: eventTypes[type], object: served.object as T };
        }
      }
    } finally {
      end.abort();
    }
  }

  override async create<T = KubernetesObject>(
    resource: ApiResource,
    object: object,
    options: WriteOptions & { namespace?: string } = {},
  ): Promise<T> {
    const { namespace = (object as Partial<KubernetesObject>).metadata?.namespace } = options;
    const target = targetOf(resource, namespace === undefined ? {} : { namespace });
    return this.#write<T>({ verb: 'create', target, body: bytesOf(object), mediaType: 'json' }, options);
  }

  override async apply<T = KubernetesObject>(
    resource: ApiResource,
    object: KubernetesObject,
    options: WriteOptions & { fieldManager: string; force: boolean },
  ): Promise<T> {
    const { name = '', namespace } = object.metadata;
    const target = targetOf(resource, namespace === undefined ? { name } : { namespace, name });
    return this.#write<T>({ verb: 'patch', target, body: bytesOf(object), patchType: 'apply', force: options.force }, options);
  }

  override async delete(resource: ApiResource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagation } = options;
    const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    const deletion = { preconditions, ...(propagation === undefined ? {} : { propagationPolicy: propagation }) };
    await this.#write({ verb: 'delete', target: targetOf(resource, key), options: deletion }, options);
  }

  async #write<T>(write: Write, options: WriteOptions): Promise<T> {
    const { fieldManager = 'tappaas', dryRun = false } = options;
    const signal = signalOf(options);
    const { served } = await this.#engine.write(write, {
      caller,
      requestId: 'cluster',
      signal,
      dryRun,
      fieldValidation: 'Strict',
      fieldManager,
    });
    return served.object as T;
  }
}

function targetOf({ group, version, plural, namespaced }: ApiResource, { namespace, name }: Partial<ObjectKey>): Target {
  return {
    kind: { group, version, plural },
    ...(namespaced && namespace !== undefined ? { namespace } : {}),
    ...(name === undefined ? {} : { name }),
  };
}

function selecting(resource: ApiResource, { namespace, labels, fields }: Selecting) {
  return {
    target: targetOf(resource, namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labelSelector: labels }),
    ...(fields === undefined ? {} : { fieldSelector: fields }),
  };
}

const signalOf = ({ signal }: { readonly signal?: AbortSignal }): AbortSignal => signal ?? new AbortController().signal;
const bytesOf = (object: object): Uint8Array => new TextEncoder().encode(JSON.stringify(object));
