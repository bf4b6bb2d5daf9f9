import { randomUUID } from 'node:crypto';
import type { Clock, ResourceStore, TapError } from '@tappaas/sdk';
import { noAdmission, type Admission } from './admission-port.js';
import type { TokenBox } from './continue-token.js';
import { VersionedView } from './conversion.js';
import type { EngineState } from './engine-state.js';
import { resourceErrors } from './errors.js';
import { loadTokenBox, makeNamespaces } from './first-start.js';
import { keySpace } from './key-space.js';
import type { KindEntry, KindPath, KindRegistration, ServedKind } from './kind-entry.js';
import { decodeStored, openObjectCache, type ObjectCache } from './object-cache.js';
import { Reads, type ListPage, type ListQuery, type Served } from './reads.js';
import { createRegistry, kindEntry, type Registry } from './registry.js';
import type { Sealer } from './stored-object.js';
import type { Target } from './target.js';
import type { OpenWatchCache } from './watch-cache.js';
import { Watches, type WatchEvent, type WatchQuery } from './watch.js';
import { Writes } from './writes.js';
import type { Write, WriteOptions, WriteResult } from './write-options.js';

/** What an engine is made from; neighbours arrive as functions. */
export interface ResourceEngineOptions {
  /** `platform`, or the name under `/clusters/`: part of every store key, so permanent. */
  readonly name: string;
  readonly store: ResourceStore;
  readonly openWatchCache: OpenWatchCache;
  readonly clock: Clock;
  readonly random: () => number;
  readonly kinds: readonly KindRegistration[];
  readonly admission?: Admission;
  /** Hides what is confidential at rest. Absent: confidential kinds are refused. */
  readonly sealer?: Sealer;
  /** Namespaces that a first start makes. */
  readonly firstNamespaces?: readonly string[];
  readonly onProblem?: (kind: string, problem: TapError) => void;
}

/** One API server's worth of resources: kinds, objects, revisions, watches. */
export interface ResourceEngine {
  readonly name: string;
  kinds(): readonly ServedKind[];
  find(path: KindPath): ServedKind | undefined;
  get(target: Target, options: { readonly resourceVersion?: string; readonly signal: AbortSignal }): Promise<Served>;
  list(query: ListQuery): Promise<ListPage>;
  watch(query: WatchQuery): AsyncIterable<readonly WatchEvent[]>;
  write(write: Write, options: WriteOptions): Promise<WriteResult>;
  /** Resolves when every cache has its first list. */
  start(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Makes an engine; nothing is read or written before `start`. */
export function createResourceEngine(options: ResourceEngineOptions): ResourceEngine {
  return new Engine(options);
}

class Engine implements ResourceEngine {
  readonly name: string;
  readonly #options: ResourceEngineOptions;
  readonly #state: EngineState;
  readonly #caches = new Map<string, ObjectCache>();
  readonly #reads: Reads;
  readonly #watches: Watches;
  readonly #writes: Writes;
  #registry: Registry;
  #tokens: TokenBox | undefined;

  constructor(options: ResourceEngineOptions) {
    this.#options = options;
    this.name = options.name;
    const keys = keySpace(options.name);
    this.#registry = createRegistry(options.kinds.map((kind) => kindEntry(kind, keys)));
    this.#state = this.#makeState(keys);
    const views = new VersionedView();
    this.#reads = new Reads(this.#state, () => this.#tokenBox(), views);
    this.#watches = new Watches(this.#state, views);
    this.#writes = new Writes(this.#state, this.#reads, views);
  }

  #makeState(keys: EngineState['keys']): EngineState {
    const { name, store, clock, random, admission = noAdmission, sealer, firstNamespaces = [] } = this.#options;
    return {
      name,
      store,
      clock,
      keys,
      admission,
      sealer,
      random,
      uuid: randomUUID,
      registry: () => this.#registry,
      cache: (entry) => this.#cache(entry),
      protects: (entry, name) => entry.group === '' && entry.kind === 'Namespace' && firstNamespaces.includes(name),
      decode: (entry, stored) => decodeStored(entry, stored, store.epoch, sealer),
    };
  }

  kinds(): readonly ServedKind[] {
    return this.#registry.served;
  }

  find(path: KindPath): ServedKind | undefined {
    return this.#registry.find(path)?.version.served;
  }

  get(target: Target, options: { readonly resourceVersion?: string; readonly signal: AbortSignal }): Promise<Served> {
    return this.#reads.get(target, options);
  }

  list(query: ListQuery): Promise<ListPage> {
    return this.#reads.list(query);
  }

  watch(query: WatchQuery): AsyncIterable<readonly WatchEvent[]> {
    return this.#watches.watch(query);
  }

  write(write: Write, options: WriteOptions): Promise<WriteResult> {
    return this.#writes.write(write, options);
  }

  async start(signal: AbortSignal): Promise<void> {
    const stored = this.#registry.entries.filter((entry) => entry.virtual === undefined);
    await Promise.all(stored.map((entry) => this.#cache(entry).waitFor(0, signal)));
    this.#tokens = await loadTokenBox(this.#state);
    await makeNamespaces(this.#state, this.#options.firstNamespaces ?? [], signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#caches.values()].map((cache) => cache.close()));
    this.#caches.clear();
  }

  #tokenBox(): TokenBox {
    if (this.#tokens) return this.#tokens;
    throw resourceErrors.TAP_ENGINE_NOT_STARTED({ message: `engine ${this.name} has not started` });
  }

  #cache(entry: KindEntry): ObjectCache {
    const known = this.#caches.get(entry.prefix);
    if (known) return known;
    const { store, clock, openWatchCache: open, onProblem = () => {} } = this.#options;
    const cache = openObjectCache(entry, { store, clock, open, decode: this.#state.decode, onProblem });
    this.#caches.set(entry.prefix, cache);
    return cache;
  }
}
