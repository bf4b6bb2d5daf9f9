import type { Awaitable } from '../values.js';

/**
 * One stored key with the revisions at which it was made and last changed; `version` counts its puts, from 1.
 *
 * What a store hands out is shared: nobody changes `value`.
 */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease?: string;
}

/**
 * A condition of a transaction. `modRevision` and `createRevision` 0 mean that the key must not exist; `lease` must be alive.
 * A leader's write carries `{ key: leaseKey, createRevision }`, which is what fences it.
 */
export type Guard =
  | { readonly key: string; readonly modRevision: number }
  | { readonly key: string; readonly createRevision: number }
  | { readonly lease: string };

/**
 * An effect of a transaction; a key may stand in one change only.
 *
 * A put without `lease` detaches the key from one; deleting what is not there has no effect.
 */
export type Change = { readonly put: string; readonly value: Uint8Array; readonly lease?: string } | { readonly delete: string };

/**
 * A reservation made or given back in the transaction itself, so that quotas and unique names are exact across replicas.
 *
 * `counter` adds `amount` (negative gives back; a sum never falls below 0); taking, not giving back, fails when the sum would exceed `max`.
 * `unique` is taken for `holder` and fails when somebody else holds it; `release` gives it back if `holder` still has it.
 * Claims are no keys: ranges and watches never show them, and the same holder may take what it has.
 */
export type ClaimChange =
  | { readonly counter: string; readonly amount: number; readonly max?: number }
  | { readonly unique: string; readonly holder: string }
  | { readonly release: string; readonly holder: string };

/**
 * All or nothing, at one new revision; limits stand in {@link storeLimits}.
 *
 * Guards are checked first, then claims, each in order. Changes are made in order; claims of one transaction add up.
 */
export interface Transaction {
  readonly guards?: readonly Guard[];
  readonly claims?: readonly ClaimChange[];
  readonly changes: readonly Change[];
}

/**
 * A failed guard or claim is data, not an error: it says which one (its index) and what stands there, and uses no revision.
 *
 * A success without effect (nothing put, deleted or claimed) uses none either and answers with the newest.
 */
export type TransactionResult =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly revision: number; readonly failedGuard: number; readonly current?: KeyValue }
  | { readonly ok: false; readonly revision: number; readonly failedClaim: number; readonly holder?: string; readonly sum?: number };

/** Keys from `start` (included) to `end` (excluded) in byte order of their UTF-8 form, at `revision` or at the newest. */
export interface RangeQuery {
  readonly start: string;
  readonly end: string;
  readonly itemsMax: number;
  readonly revision?: number;
}

/**
 * One page; `revision` is what it was read at, `more` says that keys beyond the last item exist, `count` how many keys match in all.
 *
 * A page ends early, after at least one item, when its values reach `storeLimits.pageBytesMax`.
 */
export interface RangeResult {
  readonly revision: number;
  readonly items: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

/** A change as a watcher sees it. A deletion has no `current`; `previous` is what stood there before, if the watch asked for it. */
export interface StoreEvent {
  readonly key: string;
  readonly revision: number;
  readonly current?: KeyValue;
  readonly previous?: KeyValue;
}

/** All matching events of one or more whole revisions in order, or none: then it is a progress mark that all up to `revision` was told. */
export interface WatchBatch {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

/** What to watch: the same key interval as a range, from `fromRevision` on (included), which may lie in the future. */
export interface WatchQuery {
  readonly start: string;
  readonly end: string;
  readonly fromRevision: number;
  /** Events that may wait for the reader before the watch is cut with TAP_STORE_SLOW_CONSUMER. Default 10,000. */
  readonly bufferedEventsMax?: number;
  /** Asks for a progress mark at least this often while nothing matches. Default: none. */
  readonly progressEveryMs?: number;
  /** Asks for `previous` in events; costs the store a read for each. Default: false. */
  readonly previous?: boolean;
}

/** An open watch: iterate it once; `close` ends the iteration, and so does closing the store. */
export interface Watch extends AsyncIterable<WatchBatch> {
  /**
   * Asks for a batch, if need be an empty one, as soon as everything up to the newest revision of now was told.
   *
   * This is how a cache learns without delay that it has passed a revision at which nothing of its own changed.
   */
  requestProgress(): void;
  close(): void;
}

/** A lease: its keys are deleted in one transaction, in key order, when it was not renewed for `ttlMs`, never earlier. */
export interface Lease {
  readonly id: string;
  readonly ttlMs: number;
}

/** How the store is, for readiness and for people. */
export interface StoreHealth {
  readonly state: 'ok' | 'read-only' | 'unavailable';
  readonly message: string;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly sizeBytes: number;
}

/**
 * Where the platform keeps what it knows: a revisioned key-value store with etcd's semantics.
 *
 * One global, strictly increasing, dense revision per successful transaction. An acknowledged transaction is durable; nothing
 * that is not durable is ever read or watched. Every implementation passes `conformance.store`.
 *
 * @source etcd API guarantees, https://etcd.io/docs/v3.6/learning/api_guarantees/
 */
export interface ResourceStore {
  /** Raised by a restore or a change of store; the API's resourceVersion is `epoch × 2^40 + revision`. */
  readonly epoch: number;
  /** The newest readable revision, without a round trip; consistent reads wait until caches have passed it. @throws TAP_STORE_UNAVAILABLE */
  currentRevision(): Awaitable<number>;
  /** The key at `revision` or now. @throws TAP_STORE_COMPACTED (data.revision: the oldest to be had), TAP_STORE_FUTURE_REVISION */
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  /** One page of a key interval. @throws TAP_STORE_COMPACTED, TAP_STORE_FUTURE_REVISION */
  range(query: RangeQuery): Promise<RangeResult>;
  /**
   * @throws TAP_STORE_READ_ONLY, TAP_STORE_TOO_LARGE, TAP_STORE_INVALID, TAP_STORE_LEASE_GONE (a put names a dead lease),
   * TAP_STORE_UNAVAILABLE (nothing happened), TAP_STORE_OUTCOME_UNKNOWN (only when it truly is unknown)
   */
  transact(transaction: Transaction): Promise<TransactionResult>;
  /**
   * Opening never throws. Iterating throws TAP_STORE_COMPACTED (data.revision: the oldest to watch from) or TAP_STORE_SLOW_CONSUMER
   * (data.revision: the last one told).
   */
  watch(query: WatchQuery): Watch;
  grantLease(ttlMs: number): Promise<Lease>;
  /** Starts the time to live anew. @throws TAP_STORE_LEASE_GONE */
  keepLeaseAlive(id: string): Promise<void>;
  /** Deletes the lease and its keys in one transaction. @throws TAP_STORE_LEASE_GONE */
  revokeLease(id: string): Promise<void>;
  /**
   * Forgets what was superseded or deleted at or before `revision`: reads at it and watches from the one after it go on.
   *
   * @throws TAP_STORE_COMPACTED when that has been done, TAP_STORE_FUTURE_REVISION
   */
  compact(revision: number): Promise<void>;
  /** Everything at one revision, as an opaque stream that `restore` of the same implementation takes. */
  snapshot(): AsyncIterable<Uint8Array>;
  /**
   * Replaces everything by a snapshot, raises the epoch and cuts every watch with TAP_STORE_COMPACTED.
   *
   * It uses one revision, beyond all that this store or the snapshot ever told, and everything before it is compacted. Keys keep their
   * revisions, leases start their time to live anew. @throws TAP_STORE_CORRUPT, leaving what was there
   */
  restore(snapshot: AsyncIterable<Uint8Array>): Promise<void>;
  health(): StoreHealth;
  /** Waits for acknowledged work, ends watches; later calls throw TAP_STORE_UNAVAILABLE. */
  close(): Promise<void>;
}

export { storeErrors } from './store-errors.js';
