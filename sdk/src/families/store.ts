import type { Awaitable } from '../values.js';

/**
 * One stored key with the revisions of its creation and last change; `version` counts its puts, from 1.
 *
 * Stores hand out shared objects: do not modify `value`.
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
 * An effect of a transaction; a key may occur in one change only.
 *
 * A put without `lease` detaches the key from its lease; deleting a missing key has no effect.
 */
export type Change = { readonly put: string; readonly value: Uint8Array; readonly lease?: string } | { readonly delete: string };

/**
 * A reservation made or released in the transaction itself, so that quotas and unique names are exact across replicas.
 *
 * `counter` adds `amount` (a negative amount releases; the sum never falls below 0); a positive amount fails if the sum would exceed `max`.
 * `unique` is taken for `holder` and fails if another holder has it; `release` releases it if `holder` still has it.
 * Claims are not keys: ranges and watches never show them. A holder may take again what it already holds.
 */
export type ClaimChange =
  | { readonly counter: string; readonly amount: number; readonly max?: number }
  | { readonly unique: string; readonly holder: string }
  | { readonly release: string; readonly holder: string };

/**
 * Applied all or nothing, at one new revision; for the limits see {@link storeLimits}.
 *
 * Guards are checked first, then claims, each in order. Changes are made in order; claims of one transaction add up.
 */
export interface Transaction {
  readonly guards?: readonly Guard[];
  readonly claims?: readonly ClaimChange[];
  readonly changes: readonly Change[];
}

/**
 * The result of a transaction. A failed guard or claim is data, not an error: the result names its index and the present state, and no
 * revision is used.
 *
 * A success without effect (nothing put, deleted or claimed) uses no revision either and returns the newest one.
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
 * One page; `revision` is the revision it was read at, `more` whether keys beyond the last item exist, `count` how many keys match in all.
 *
 * A page ends early, after at least one item, when its values reach `storeLimits.pageBytesMax`.
 */
export interface RangeResult {
  readonly revision: number;
  readonly items: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

/** A change as a watcher sees it. A deletion has no `current`; `previous` is the state before the change, if the watch asked for it. */
export interface StoreEvent {
  readonly key: string;
  readonly revision: number;
  readonly current?: KeyValue;
  readonly previous?: KeyValue;
}

/** All matching events of one or more whole revisions, in order. Without events, a progress mark: all up to `revision` was delivered. */
export interface WatchBatch {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

/** What to watch: a key interval as in a range, from `fromRevision` on (included), which may lie in the future. */
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
   * Requests a batch, if need be an empty one, as soon as everything up to the present newest revision was delivered.
   *
   * This is how a cache learns without delay that it has passed a revision at which none of its keys changed.
   */
  requestProgress(): void;
  close(): void;
}

/** A lease: when it is not renewed for `ttlMs`, never earlier, its keys are deleted in one transaction, in key order. */
export interface Lease {
  readonly id: string;
  readonly ttlMs: number;
}

/** The state of the store, for readiness checks and for operators. */
export interface StoreHealth {
  readonly state: 'ok' | 'read-only' | 'unavailable';
  readonly message: string;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly sizeBytes: number;
}

/**
 * The platform's database: a revisioned key-value store with etcd's semantics.
 *
 * One global, strictly increasing, dense revision per successful transaction. An acknowledged transaction is durable; reads and watches
 * never return data that is not durable. Every implementation passes `conformance.store`.
 *
 * @source etcd API guarantees, https://etcd.io/docs/v3.6/learning/api_guarantees/
 */
export interface ResourceStore {
  /** Increased by a restore or a change of store; the API's resourceVersion is `epoch × 2^40 + revision`. */
  readonly epoch: number;
  /** The newest readable revision, without a round trip; consistent reads wait until caches have it. @throws TAP_STORE_UNAVAILABLE */
  currentRevision(): Awaitable<number>;
  /** The key at `revision` or now. @throws TAP_STORE_COMPACTED (data.revision: the oldest available), TAP_STORE_FUTURE_REVISION */
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  /** One page of a key interval. @throws TAP_STORE_COMPACTED, TAP_STORE_FUTURE_REVISION */
  range(query: RangeQuery): Promise<RangeResult>;
  /**
   * Checks the guards and claims and makes the changes, all or nothing.
   *
   * @throws TAP_STORE_READ_ONLY, TAP_STORE_TOO_LARGE, TAP_STORE_INVALID, TAP_STORE_LEASE_GONE (a put names a dead lease),
   * TAP_STORE_UNAVAILABLE (nothing happened), TAP_STORE_OUTCOME_UNKNOWN (only when the outcome really is unknown)
   */
  transact(transaction: Transaction): Promise<TransactionResult>;
  /**
   * Opens a watch; opening never throws. Iterating throws TAP_STORE_COMPACTED (data.revision: the oldest one to watch from) or
   * TAP_STORE_SLOW_CONSUMER (data.revision: the last one delivered).
   */
  watch(query: WatchQuery): Watch;
  grantLease(ttlMs: number): Promise<Lease>;
  /** Restarts the lease's time to live. @throws TAP_STORE_LEASE_GONE */
  keepLeaseAlive(id: string): Promise<void>;
  /** Deletes the lease and its keys in one transaction. @throws TAP_STORE_LEASE_GONE */
  revokeLease(id: string): Promise<void>;
  /**
   * Discards values superseded or deleted at or before `revision`: reads at `revision` and watches from the next one still work.
   *
   * @throws TAP_STORE_COMPACTED if that was already done, TAP_STORE_FUTURE_REVISION
   */
  compact(revision: number): Promise<void>;
  /** The whole store at one revision, as an opaque stream for `restore` of the same implementation. */
  snapshot(): AsyncIterable<Uint8Array>;
  /**
   * Replaces the whole store by a snapshot, increases the epoch and ends every watch with TAP_STORE_COMPACTED.
   *
   * It uses one revision, above all that this store or the snapshot ever returned, and everything before it is compacted. Keys keep their
   * revisions; the time to live of leases restarts. @throws TAP_STORE_CORRUPT, leaving the store unchanged
   */
  restore(snapshot: AsyncIterable<Uint8Array>): Promise<void>;
  health(): StoreHealth;
  /** Waits for acknowledged work and ends watches; later calls throw TAP_STORE_UNAVAILABLE. */
  close(): Promise<void>;
}

export { storeErrors } from './store-errors.js';
