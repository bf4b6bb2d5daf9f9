import type { ClaimChange, Guard, KeyValue, Lease, StoreEvent, TransactionResult } from '@tappaas/sdk';
import type { storeErrors } from '@tappaas/sdk';
import type { EncodedOperations } from './operation-codec.js';
import type { EncodedResults } from './result-codec.js';

/** What the writer's thread is started with. */
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

/** Something that is written: it takes its turn and is answered only when durable. */
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

/** What is answered out of line, by number. */
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

/** To the writer's thread, in order. `values` holds the values of all puts, one after the other. */
export type Request =
  | { readonly kind: 'write'; readonly operations: EncodedOperations; readonly values: ArrayBuffer }
  | { readonly kind: 'query'; readonly id: number; readonly query: WireQuery }
  | { readonly kind: 'previous'; readonly wanted: boolean }
  | { readonly kind: 'close' };

/** An error of the store's table on its way between threads. */
export interface WireError {
  readonly code: keyof typeof storeErrors;
  readonly message: string;
  readonly data?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** What became of one key: a version of 0 is a deletion, a revision of 0 is no change at all. */
export interface WireStamp {
  readonly createRevision: number;
  readonly version: number;
  readonly previous?: KeyValue | undefined;
}

/** The outcome of one operation. */
export type WireResult =
  | { readonly kind: 'done'; readonly revision: number; readonly stamps: readonly WireStamp[] }
  | { readonly kind: 'refused'; readonly result: Extract<TransactionResult, { ok: false }> }
  | { readonly kind: 'granted'; readonly lease: Lease }
  /** The keys it had are deleted at `revision`. */
  | { readonly kind: 'revoked'; readonly revision: number; readonly keys: readonly string[]; readonly stamps: readonly WireStamp[] }
  | { readonly kind: 'compacted'; readonly revision: number }
  | { readonly kind: 'failed'; readonly error: WireError };

/** Where the store stands. */
export interface WireState {
  readonly epoch: number;
  readonly revision: number;
  readonly compactedRevision: number;
  readonly leases: readonly Lease[];
  readonly sizeBytes: number;
}

/** What history has after a revision; `complete`: nothing newer was committed when it was read. */
export interface WireEvents {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
  readonly complete: boolean;
}

/** What became of a batch: one result for each operation, in their order. */
export interface Written {
  readonly results: readonly WireResult[];
  readonly revision: number;
  readonly sizeBytes: number;
  /** The disk refused: nothing of the batch has happened, or nobody knows whether it has. */
  readonly broken?: WireError | undefined;
}

/** From the writer's thread, in order. */
export type Reply =
  | { readonly kind: 'opened'; readonly state: WireState }
  | ({ readonly kind: 'written'; readonly results: EncodedResults } & Omit<Written, 'results'>)
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  /** Housekeeping met a full or failing disk. */
  | { readonly kind: 'broken'; readonly error: WireError }
  | { readonly kind: 'closed'; readonly error?: WireError | undefined };
