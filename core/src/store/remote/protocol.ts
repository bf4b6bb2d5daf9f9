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

/** What the client asks of the process that has the store, by name. */
export interface StoreCalls {
  /** The newest revision; answered once everything up to it was told, perhaps with a lease. */
  reached(): Promise<Reached>;
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  range(query: RangeQuery): Promise<RangeResult>;
  transact(transaction: Transaction): Promise<TransactionResult>;
  /** The next whole revisions after one; answered once everything up to their last was told. */
  history(query: WatchQuery, afterRevision: number): Promise<WatchBatch>;
  grantLease(ttlMs: number): Promise<Lease>;
  keepLeaseAlive(id: string): Promise<void>;
  revokeLease(id: string): Promise<void>;
  compact(revision: number): Promise<void>;
  /** Begins a snapshot; its number names it. */
  snapshotBegin(): Promise<number>;
  snapshotChunk(snapshot: number): Promise<Uint8Array | undefined>;
  snapshotEnd(snapshot: number): Promise<void>;
  restoreBegin(): Promise<void>;
  restoreChunk(chunk: Uint8Array): Promise<void>;
  /** `whole` false: the snapshot broke off, so nothing is restored. */
  restoreEnd(whole: boolean): Promise<void>;
}

/** The name of a call. */
export type StoreMethod = keyof StoreCalls;

/** The newest revision there was, and whether it is the newest until it is recalled, for {@link readLeaseMs} from the question on. */
export interface Reached {
  readonly revision: number;
  readonly isLeased: boolean;
}

/** A call on its way to the store, or a lease that has come back; a write gives it back, too. */
export type ToServer =
  | { readonly id: number; readonly method: StoreMethod; readonly parameters: readonly unknown[] }
  | { readonly returned: true };

/** Where a store stands: at the beginning, and after a restore. */
export interface Standing {
  readonly epoch: number;
  readonly revision: number;
}

/** What comes from the store: what has happened, in order, and answers to calls. */
export type ToClient =
  | { readonly standing: Standing }
  | { readonly told: WatchBatch & { readonly events: readonly StoreEvent[] } }
  | { readonly health: StoreHealth }
  | { readonly recall: true }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError };
