import { randomUUID } from 'node:crypto';
import type { AnyKind, Awaitable, Clock, Key, Resources, ResourceStore, TapError } from '@tappaas/sdk';
import type {
  KindPath,
  ListPage,
  ListQuery,
  Served,
  ServedKind,
  Target,
  WatchEvent,
  WatchQuery,
  Write,
  WriteResult,
  EnginePort,
} from '../ports/engine.js';
import { noAdmission } from './no-admission.js';
import type { Admission } from '../ports/admission.js';
import { CacheRegistry } from './cache-registry.js';
import { rebuildClaims, type RebuiltClaims } from './claim-rebuilding.js';
import { createClient, type ClientOptions } from './client.js';
import type { TokenBox } from './continue-token.js';
import { VersionedView } from './conversion.js';
import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { loadTokenBox, makeNamespaces } from './first-start.js';
import { collectGarbage, type CollectorOptions } from './garbage/collector.js';
import { keySpace, objectKey, type KeySpace } from './key-space.js';
import type { KindRegistration } from './kind-entry.js';
import { KindMemory } from './kind-memory.js';
import { SharedLeases } from './shared-leases.js';
import { decodeStored } from './object-cache.js';
import { purgeObjects, type Purged } from './purge.js';
import { Reads } from './reads.js';
import { createRegistry, kindEntry, type Registry } from './registry.js';
import { engineSource, type Source } from './source.js';
import type { Attribution, Sealer } from './stored-object.js';
import { findKind, keyOfTarget, nameOf, notFound } from './target.js';
import type { OpenWatchCache } from './watch-cache.js';
import { Watches } from './watch.js';
import { Writes } from './writes.js';
import { WriteHandoff } from './write-handoff.js';
import type { WriteOptions } from './write-options.js';

/** Options of an engine; other stages are passed in as functions. */
export interface ResourceEngineOptions {
  /** `platform`, or the name under `/clusters/`. Part of every store key, so it can never change. */
  readonly name: string;
  readonly store: ResourceStore;
  readonly openWatchCache: OpenWatchCache;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly kinds: readonly KindRegistration[];
  /** Default: no taps are called. */
  readonly admission?: Admission;
  /** Seals confidential objects at rest. Without it, objects of confidential kinds cannot be stored. */
  readonly sealer?: Sealer;
  /** Namespaces that are created if missing and cannot be deleted. */
  readonly firstNamespaces?: readonly string[];
  /** Called when a cache cannot follow the store; the cache retries. */
  readonly onProblem?: (kind: string, problem: TapError) => void;
}

/** The resources of one API server: kinds, objects, revisions, watches. All its errors are TapErrors. */
export interface ResourceEngine extends EnginePort {
  /** Writes an object; `options` may include a leader's fence. */
  write(write: Write, options: WriteOptions): Promise<WriteResult>;
  /** Makes a client that reads and writes in this process with the rights that `authorize` grants. */
  client(options: ClientOptions): Resources;
  /** Returns an object from the cache, which may lag slightly; undefined while the kind is not served. */
  cached(kind: Pick<AnyKind, 'group' | 'kind'>, key: Key): object | undefined;
  /**
   * Waits until the cache of a kind contains everything acknowledged before the call; returns at once if it does, or if the kind is not
   * served.
   */
  catchUp(kind: KindPath, options: { readonly signal: AbortSignal }): Awaitable<unknown>;
  /** Returns the objects of a kind as the source of a controller's informer. @throws TAP_KIND_NOT_FOUND */
  source<T>(kind: AnyKind): Source<T>;
  /** Which plugins changed which fields of an object; paths, never values. @throws TAP_OBJECT_NOT_FOUND */
  attribution(target: Target): readonly Attribution[];
  /** Reads the store and creates the required objects; nothing is served before that. */
  start(signal: AbortSignal): Promise<void>;
  /** Replaces the served kinds. Requests that began with the old kinds finish with them. @throws leaving everything as it was */
  setKinds(kinds: readonly KindRegistration[], signal: AbortSignal): Promise<void>;
  /** Removes all objects of a kind whose plugin is not loaded, then the kind itself; if `signal` interrupts it, call it again. */
  purge(path: KindPath, signal: AbortSignal): Promise<Purged>;
  /** Updates the claims of all objects to what the plugins claim now. */
  rebuildClaims(signal: AbortSignal): Promise<RebuiltClaims>;
  /** Collects garbage until the signal aborts; must run on one replica only. */
  collectGarbage(options: CollectorOptions): Promise<void>;
  close(): Promise<void>;
}

/** Makes an engine; nothing is read or written before `start`. @throws TAP_KIND_DUPLICATE, TAP_KIND_INVALID */
export function createResourceEngine(options: ResourceEngineOptions): ResourceEngine {
  return new Engine(options);
}

class Engine implements ResourceEngine {
  readonly name: string;
  readonly #options: ResourceEngineOptions;
  readonly #keys: KeySpace;
  readonly #state: EngineState;
  readonly #memory: KindMemory;
  readonly #caches: CacheRegistry;
  readonly #listeners = new Set<() => void>();
  readonly #reads: Reads;
  readonly #watches: Watches;
  readonly #writes: Writes;
  #registered: readonly KindRegistration[];
  #registry: Registry;
  #tokens: TokenBox | undefined;

  constructor(options: ResourceEngineOptions) {
    this.#options = options;
    this.name = options.name;
    this.#keys = keySpace(options.name);
    this.#registered = options.kinds;
    this.#registry = createRegistry(options.kinds.map((kind) => kindEntry(kind, this.#keys)));
    this.#state = this.#makeState();
    const { store, clock, openWatchCache: open, onProblem = () => {} } = options;
    this.#caches = new CacheRegistry({ store, clock, open, decode: this.#state.decode, onProblem });
    this.#memory = new KindMemory(store, this.#keys);
    const views = new VersionedView();
    this.#reads = new Reads(this.#state, () => this.#tokenBox(), views);
    this.#watches = new Watches(this.#state, views);
    this.#writes = new Writes(this.#state, this.#reads, views);
  }

  #makeState(): EngineState {
    const { name, store, clock, random, admission = noAdmission, sealer, firstNamespaces = [] } = this.#options;
    const handoff = new WriteHandoff();
    return {
      name,
      store,
      clock,
      keys: this.#keys,
      admission,
      sealer,
      leases: new SharedLeases(store, clock),
      handoff,
      random,
      uuid: randomUUID,
      registry: () => this.#registry,
      onKinds: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
      cache: (entry) => this.#caches.of(entry),
      protects: (entry, object) => entry.group === '' && entry.kind === 'Namespace' && firstNamespaces.includes(object),
      decode: (entry, stored) => handoff.take(stored, store.epoch) ?? decodeStored(entry, stored, store.epoch, sealer),
    };
  }

  kinds(): readonly ServedKind[] {
    return this.#registry.served;
  }

  find(path: KindPath): ServedKind | undefined {
    return this.#registry.find(path)?.version.served;
  }

  get(target: Target, options: { readonly resourceVersion?: string; readonly signal: AbortSignal }): Awaitable<Served> {
    // Written out instead of using a helper, because a closure per read would be costly.
    try {
      return this.#reads.get(target, options);
    } catch (error) {
      return rejected(error);
    }
  }

  catchUp(kind: KindPath, options: { readonly signal: AbortSignal }): Awaitable<unknown> {
    return rejecting(() => this.#reads.catchUp(kind, options));
  }

  getMany(kind: KindPath, keys: readonly Key[], options: { readonly signal: AbortSignal }): Awaitable<readonly (Served | undefined)[]> {
    return rejecting(() => this.#reads.getMany(kind, keys, options));
  }

  list(query: ListQuery): Awaitable<ListPage> {
    return rejecting(() => this.#reads.list(query));
  }

  watch(query: WatchQuery): AsyncIterable<readonly WatchEvent[]> {
    return this.#watches.watch(query);
  }

  write(write: Write, options: WriteOptions): Promise<WriteResult> {
    return this.#writes.write(write, options);
  }

  client(options: ClientOptions): Resources {
    return createClient(
      { registry: this.#state.registry, reads: this.#reads, writes: this.#writes, source: (kind) => this.source(kind) },
      options,
    );
  }

  cached({ group, kind }: Pick<AnyKind, 'group' | 'kind'>, { namespace, name }: Key): object | undefined {
    const entry = this.#registry.ofKind(group, kind);
    if (entry === undefined || entry.virtual) return undefined;
    return this.#caches.find(entry)?.get(objectKey(entry.prefix, entry.isNamespaced ? namespace : undefined, name))?.object.object;
  }

  source<T>(kind: AnyKind): Source<T> {
    const version = this.#registry.ofKind(kind.group, kind.kind)?.versions.get(kind.version);
    if (version) return engineSource<T>(this, this.#options.clock, version.served);
    const message = `kind ${kind.kind} of group "${kind.group}" is not served in version ${kind.version} by engine ${this.name}`;
    throw resourceErrors.TAP_KIND_NOT_FOUND({ message });
  }

  attribution(target: Target): readonly Attribution[] {
    const found = findKind(this.#registry, target);
    const stored = this.#caches.of(found.entry).get(keyOfTarget(found, target))?.object;
    if (stored === undefined) throw notFound(found, nameOf(target));
    return stored.side.attribution;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#tokens = await loadTokenBox(this.#state);
    await this.setKinds(this.#registered, signal);
    await makeNamespaces(this.#state, this.#options.firstNamespaces ?? [], signal);
  }

  async setKinds(kinds: readonly KindRegistration[], signal: AbortSignal): Promise<void> {
    const orphans = await this.#memory.orphans(kinds);
    const registry = createRegistry([...kinds.map((kind) => kindEntry(kind, this.#keys)), ...orphans]);
    await this.#memory.remember(kinds);
    const stored = registry.entries.filter(({ virtual }) => virtual === undefined);
    await this.#caches.replace(stored, signal, () => {
      this.#registered = kinds;
      this.#registry = registry;
    });
    for (const listener of this.#listeners) listener();
  }

  async purge(path: KindPath, signal: AbortSignal): Promise<Purged> {
    const { entry } = findKind(this.#registry, { kind: path });
    const purged = await purgeObjects(this.#state, entry, signal);
    if (!purged.isComplete) return purged;
    await this.#memory.forget(entry);
    await this.setKinds(this.#registered, signal);
    return purged;
  }

  rebuildClaims(signal: AbortSignal): Promise<RebuiltClaims> {
    return rebuildClaims(this.#state, signal);
  }

  collectGarbage(options: CollectorOptions): Promise<void> {
    return collectGarbage(this.#state, options);
  }

  close(): Promise<void> {
    return this.#caches.close();
  }

  #tokenBox(): TokenBox {
    if (this.#tokens) return this.#tokens;
    throw resourceErrors.TAP_ENGINE_NOT_STARTED({ message: `engine ${this.name} has not started` });
  }
}

/** Returns a value synchronously where possible; a failure is always a rejection, so that callers handle it in one place. */
function rejecting<T>(read: () => Awaitable<T>): Awaitable<T> {
  try {
    return read();
  } catch (error) {
    return rejected(error);
  }
}

function rejected(error: unknown): Promise<never> {
  return Promise.reject(error instanceof Error ? error : new Error(String(error)));
}
