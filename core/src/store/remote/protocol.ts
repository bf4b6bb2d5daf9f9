import type {
  KeyValue,
  Lease,
  RangeQuery,
  RangeResult,
  StoreEvent,
  StoreHealth,
  Transaction,
  TransactionResult,
  WatchBatch,
  WatchQuery,
} from '@tappaas/sdk';
import type { WireError } from './wire-error.js';

/** The calls that a client makes to the process that owns the store, by name. */
export interface StoreCalls {
  /** The newest revision, perhaps with a lease; answered once all events up to it have been sent. */
  reached(): Promise<Reached>;
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  range(query: RangeQuery): Promise<RangeResult>;
  transact(transaction: Transaction): Promise<TransactionResult>;
  /** The next whole revisions after one; answered once all events up to the last of them have been sent. */
  history(query: WatchQuery, afterRevision: number): Promise<WatchBatch>;
  grantLease(ttlMs: number): Promise<Lease>;
  keepLeaseAlive(id: string): Promise<void>;
  revokeLease(id: string): Promise<void>;
  compact(revision: number): Promise<void>;
  /** Begins a snapshot and returns its number. */
  snapshotBegin(): Promise<number>;
  snapshotChunk(snapshot: number): Promise<Uint8Array | undefined>;
  snapshotEnd(snapshot: number): Promise<void>;
  restoreBegin(): Promise<void>;
  restoreChunk(chunk: Uint8Array): Promise<void>;
  /** With `whole` false the snapshot was incomplete, and nothing is restored. */
  restoreEnd(whole: boolean): Promise<void>;
}

/** The name of a call. */
export type StoreMethod = keyof StoreCalls;

/**
 * The newest revision when the call was answered. With a lease it stays the newest for {@link readLeaseMs} from the call, or until
 * recalled.
 */
export interface Reached {
  readonly revision: number;
  readonly isLeased: boolean;
}

/** A call to the store, or the return of a lease; a write returns the lease as well. */
export type ToServer =
  | { readonly id: number; readonly method: StoreMethod; readonly parameters: readonly unknown[] }
  | { readonly returned: true };

/** Position of a store: sent at the beginning and after a restore. */
export interface Standing {
  readonly epoch: number;
  readonly revision: number;
}

/** Messages from the store: events in order, and results of calls. */
export type ToClient =
  | { readonly standing: Standing }
  | { readonly told: WatchBatch & { readonly events: readonly StoreEvent[] } }
  | { readonly health: StoreHealth }
  | { readonly recall: true }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError };
