import type { ClaimChange, Guard, KeyValue, Lease, StoreEvent, TransactionResult } from '@tappaas/sdk';
import type { storeErrors } from '@tappaas/sdk';
import type { EncodedOperations } from './operation-codec.js';
import type { EncodedResults } from './result-codec.js';

/** The data that the writer's thread is started with. */
export interface WriterData {
  readonly directory: string;
  readonly checkpointBytes: number;
  readonly sizeBytesMax?: number | undefined;
  readonly failpoints?: SharedArrayBuffer | undefined;
}

/** A put (`length` bytes of the message's values) or, with `length` −1, a deletion. */
export interface WireChange {
  readonly key: string;
  readonly length: number;
  readonly lease?: string | undefined;
}

/** A write: processed in order and acknowledged only when durable. */
export type WireOperation =
  | {
      readonly kind: 'transact';
      readonly guards: readonly Guard[];
      readonly claims: readonly ClaimChange[];
      readonly changes: readonly WireChange[];
    }
  | { readonly kind: 'grant'; readonly ttlMs: number }
  | { readonly kind: 'revoke'; readonly lease: string }
  | { readonly kind: 'compact'; readonly revision: number };

/** A request that is answered individually, identified by a number. */
export type WireQuery =
  | { readonly kind: 'get'; readonly key: string; readonly revision: number | undefined }
  | {
      readonly kind: 'range';
      readonly start: string;
      readonly end: string;
      readonly itemsMax: number;
      readonly revision: number | undefined;
    }
  | { readonly kind: 'events'; readonly start: string; readonly end: string; readonly afterRevision: number; readonly previous: boolean }
  | { readonly kind: 'snapshot'; readonly snapshot: number }
  | { readonly kind: 'snapshot-chunk'; readonly snapshot: number }
  | { readonly kind: 'snapshot-end'; readonly snapshot: number }
  | { readonly kind: 'restore'; readonly file: string }
  | { readonly kind: 'probe' };

/** A message to the writer's thread; messages are processed in order. `values` contains the values of all puts, one after the other. */
export type Request =
  | { readonly kind: 'write'; readonly operations: EncodedOperations; readonly values: ArrayBuffer }
  | { readonly kind: 'query'; readonly id: number; readonly query: WireQuery }
  | { readonly kind: 'previous'; readonly wanted: boolean }
  | { readonly kind: 'close' };

/** An error of the store, in the form that is sent between threads. */
export interface WireError {
  readonly code: keyof typeof storeErrors;
  readonly message: string;
  readonly data?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The result for one key: a version of 0 is a deletion, a revision of 0 means no change. */
export interface WireStamp {
  readonly createRevision: number;
  readonly version: number;
  readonly previous?: KeyValue | undefined;
}

/** The result of one operation. */
export type WireResult =
  | { readonly kind: 'done'; readonly revision: number; readonly stamps: readonly WireStamp[] }
  | { readonly kind: 'refused'; readonly result: Extract<TransactionResult, { ok: false }> }
  | { readonly kind: 'granted'; readonly lease: Lease }
  /** `keys` are the keys of the lease, deleted at `revision`. */
  | { readonly kind: 'revoked'; readonly revision: number; readonly keys: readonly string[]; readonly stamps: readonly WireStamp[] }
  | { readonly kind: 'compacted'; readonly revision: number }
  | { readonly kind: 'failed'; readonly error: WireError };

/** The present state of the store. */
export interface WireState {
  readonly epoch: number;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly leases: readonly Lease[];
  readonly sizeBytes: number;
}

/** Events after a revision. `complete`: nothing newer had been committed when they were read. */
export interface WireEvents {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
  readonly complete: boolean;
}

/** The result of a batch: one result per operation, in order. */
export interface Written {
  readonly results: readonly WireResult[];
  readonly revision: number;
  readonly sizeBytes: number;
  /** The disk failed: nothing of the batch has happened, or its outcome is unknown. */
  readonly broken?: WireError | undefined;
}

/** A message from the writer's thread, in order. */
export type Reply =
  | { readonly kind: 'opened'; readonly state: WireState }
  | ({ readonly kind: 'written'; readonly results: EncodedResults } & Omit<Written, 'results'>)
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  /** Housekeeping failed on a full or failing disk. */
  | { readonly kind: 'broken'; readonly error: WireError }
  | { readonly kind: 'closed'; readonly error?: WireError | undefined };
