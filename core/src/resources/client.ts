import type {
  AnyKind,
  Awaitable,
  Caller,
  Guard,
  Immutable,
  Key,
  ListQuery,
  ObjectChange,
  ObjectOf,
  Preconditions,
  Resources,
} from '@tappaas/sdk';
import type { PatchWrite, Served, Target } from '../ports/engine.js';
import type { Narrowing } from '../ports/access.js';
import { resourceErrors } from './errors.js';
import { followed, type FollowedObject } from './following.js';
import type { KindEntry } from './kind-entry.js';
import type { Reads } from './reads.js';
import type { Source } from './source.js';
import { redacted } from './redaction.js';
import type { Registry } from './registry.js';
import { isJsonObject, type JsonObject } from './schema/json-value.js';
import { namespaceOf } from './target.js';
import type { WriteOptions } from './write-options.js';
import type { Writes } from './writes.js';

/** The access that a client needs for a call, in the terms of an access review. */
export interface Access {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Options of a client, with the caller it acts for. */
export interface ClientOptions {
  readonly caller: Caller;
  readonly fieldManager: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** Called before every call; throws to refuse. A narrowing returned for a list is added to its selectors. */
  readonly authorize: (access: Access) => Awaitable<Narrowing | undefined | void>;
  /** Whether the data of confidential kinds is shown. */
  readonly showsSecrets: boolean;
  /** Fence of a leader, evaluated for every write. */
  readonly guards?: () => readonly Guard[];
}

/** The parts of an engine that a client uses. */
export interface ClientEngine {
  readonly registry: () => Registry;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly source: (kind: AnyKind) => Source<FollowedObject>;
}

const pageItems = 500;

/** Makes a client for objects in this process, with the same rules as the HTTP API; it does not show managed fields. */
export function createClient(engine: ClientEngine, options: ClientOptions): Resources {
  return new Client(engine, options);
}

interface Place {
  readonly entry: KindEntry;
  readonly target: Target;
  readonly narrowed: Narrowing;
}

class Client implements Resources {
  readonly #engine: ClientEngine;
  readonly #options: ClientOptions;

  constructor(engine: ClientEngine, options: ClientOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  async get<K extends AnyKind>(kind: K, key: Key): Promise<Immutable<ObjectOf<K>> | undefined> {
    const place = await this.#place('get', kind, key);
    try {
      return this.#shown<K>(place.entry, await this.#engine.reads.get(place.target, { signal: this.#options.signal }));
    } catch (error) {
      if ((error as { readonly code?: string }).code === 'TAP_OBJECT_NOT_FOUND') return undefined;
      throw error;
    }
  }

  async *list<K extends AnyKind>(kind: K, query: ListQuery): AsyncIterable<Immutable<ObjectOf<K>>> {
    const { namespace, labels, fields, itemsMax } = query;
    const { entry, target, narrowed } = await this.#place('list', kind, namespace === undefined ? {} : { namespace });
    const labelSelector = both(labels, narrowed.labelSelector);
    const fieldSelector = both(fields, narrowed.fieldSelector);
    const filter = { ...(labelSelector !== undefined && { labelSelector }), ...(fieldSelector !== undefined && { fieldSelector }) };
    const { signal } = this.#options;
    let continueToken: string | undefined;
    for (let left = itemsMax; left > 0;) {
      const limit = Math.min(left, pageItems);
      const page = await this.#engine.reads.list({
        target,
        ...filter,
        limit,
        signal,
        ...(continueToken !== undefined && { continueToken }),
      });
      for (const served of page.items) yield this.#shown<K>(entry, served);
      left -= page.items.length;
      continueToken = page.continueToken;
      if (continueToken === undefined) return;
    }
  }

  async *watch<K extends AnyKind>(
    kind: K,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly ObjectChange<Immutable<ObjectOf<K>>>[], void, void> {
    const { entry } = await this.#place('watch', kind, {});
    const shown = (object: object) => this.#shown<K>(entry, { object });
    for await (const changes of followed(this.#engine.source(kind), AbortSignal.any([signal, this.#options.signal]))) {
      yield changes.map(({ type, object }) => ({ type, object: shown(object) }));
    }
  }

  async create<K extends AnyKind>(kind: K, object: object): Promise<Immutable<ObjectOf<K>>> {
    const { name, namespace } = metadataIn(object);
    const place = await this.#place('create', kind, { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) });
    const { entry, target } = place;
    const body = this.#body(kind, object);
    const { served } = await this.#engine.writes.write({ verb: 'create', target, body, mediaType: 'json' }, this.#writeOptions());
    return this.#shown<K>(entry, served);
  }

  async apply<K extends AnyKind>(kind: K, key: Key, fields: object): Promise<Immutable<ObjectOf<K>>> {
    const { entry, target } = await this.#place('patch', kind, key);
    const body = this.#body(kind, entry.isKubernetes ? fields : configurationOf(fields));
    const authorizeCreate = async (): Promise<void> => void (await this.#place('create', kind, key));
    return this.#patch<K>(
      entry,
      { verb: 'patch', target, body, patchType: 'apply', force: true },
      { ...this.#asksOwners(kind, key), authorizeCreate },
    );
  }

  async patch<K extends AnyKind>(
    kind: K,
    key: Key,
    patch: object,
    options: { readonly subresource?: 'status' | 'scale' } = {},
  ): Promise<Immutable<ObjectOf<K>>> {
    const { entry, target } = await this.#place('patch', kind, key, options.subresource);
    return this.#patch<K>(
      entry,
      { verb: 'patch', target, body: encode(patch), patchType: 'merge', force: false },
      this.#asksOwners(kind, key),
    );
  }

  async delete(kind: AnyKind, key: Key, preconditions?: Preconditions): Promise<void> {
    const { target } = await this.#place('delete', kind, key);
    const options = preconditions === undefined ? {} : { preconditions };
    await this.#engine.writes.write({ verb: 'delete', target, options }, this.#writeOptions());
  }

  async #patch<K extends AnyKind>(
    entry: KindEntry,
    write: PatchWrite,
    questions: Pick<WriteOptions, 'authorizeCreate' | 'authorizeOwners'>,
  ): Promise<Immutable<ObjectOf<K>>> {
    const { served } = await this.#engine.writes.write(write, { ...this.#writeOptions(), ...questions });
    return this.#shown<K>(entry, served);
  }

  #asksOwners(kind: AnyKind, key: Key): Pick<WriteOptions, 'authorizeOwners'> {
    return { authorizeOwners: async () => void (await this.#place('delete', kind, key)) };
  }

  async #place(verb: Access['verb'], kind: AnyKind, key: Partial<Key>, subresource?: string): Promise<Place> {
    const entry = this.#engine.registry().ofKind(kind.group, kind.kind);
    const version = entry?.versions.get(kind.version);
    if (entry === undefined || version === undefined) throw notServed(kind);
    const { group, plural } = entry;
    const path = { group, version: kind.version, plural };
    const target: Target = {
      kind: path,
      ...(key.name !== undefined && { name: key.name }),
      ...(entry.isNamespaced && key.namespace !== undefined && { namespace: key.namespace }),
      ...(subresource !== undefined && { subresource }),
    };
    if (verb !== 'list' && verb !== 'watch' && entry.isNamespaced) namespaceOf(target);
    const { kind: _, ...named } = target;
    const narrowed = (await this.#options.authorize({ verb, kind: entry.kind, ...path, ...named })) ?? {};
    return { entry, target, narrowed };
  }

  #body(kind: AnyKind, object: object): Uint8Array {
    const { group, version } = kind;
    return encode({ apiVersion: group === '' ? version : `${group}/${version}`, kind: kind.kind, ...object });
  }

  #shown<K extends AnyKind>(entry: KindEntry, served: Pick<Served, 'object' | 'lean'>): Immutable<ObjectOf<K>> {
    const isHidden = entry.isConfidential && !this.#options.showsSecrets;
    const object = (served.lean ?? served.object) as JsonObject;
    return (isHidden ? redacted(object) : object) as Immutable<ObjectOf<K>>;
  }

  #writeOptions(): WriteOptions {
    const { caller, fieldManager, requestId, signal, guards } = this.#options;
    return { caller, fieldManager, requestId, signal, dryRun: false, fieldValidation: 'Strict', ...(guards && { guards: guards() }) };
  }
}

function notServed({ group, kind, version }: AnyKind): Error {
  return resourceErrors.TAP_KIND_NOT_FOUND({ message: `kind ${kind} of group "${group}" is not served in version ${version}` });
}

/** An apply of one of our own kinds passes spec, labels and annotations as separate fields. */
function configurationOf(fields: object): object {
  const { spec, labels, annotations } = fields as { readonly spec?: unknown; readonly labels?: unknown; readonly annotations?: unknown };
  const metadata = { ...(labels !== undefined && { labels }), ...(annotations !== undefined && { annotations }) };
  return { metadata, ...(spec !== undefined && { spec }) };
}

function metadataIn(object: object): { readonly name?: string; readonly namespace?: string } {
  const { metadata } = object as { readonly metadata?: unknown };
  return isJsonObject(metadata) ? metadata : {};
}

/** Joins two selectors with a comma, so that both must match. */
const both = (own: string | undefined, added: string | undefined): string | undefined =>
  own === undefined || own === '' ? added : added === undefined ? own : `${own},${added}`;

const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
