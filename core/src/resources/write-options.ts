import type { Caller, Guard } from '@tappaas/sdk';
import type { FieldValidation } from './intake.js';
import type { Served } from './reads.js';
import type { Target } from './target.js';

/** Who asks for a write, and under which conditions. */
export interface WriteOptions {
  readonly caller: Caller;
  readonly requestId: string;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly fieldManager: string;
  /** The write fails with 412 when the object has another resourceVersion. */
  readonly ifMatch?: string;
  /** Fails with 412 when the object exists. */
  readonly ifNoneMatch?: boolean;
  readonly idempotencyKey?: string;
  /** Asked before an apply creates what it finds missing: who may patch may not thereby create. Refuses by throwing. */
  readonly authorizeCreate?: () => Promise<void>;
  /** Asked before a repeated create is answered with what others have made of its object since. Refuses by throwing. */
  readonly authorizeGet?: (target: Target) => Promise<void>;
  /** Asked with all objects of a collection before the first of them is deleted. Refuses by throwing. */
  readonly authorizeDeletes?: (targets: readonly Target[]) => Promise<void>;
  /** Told how many keys the object has, before most of the work with it; the write waits for it. Refuses by throwing. */
  readonly weigh?: (keys: number) => Promise<void> | undefined;
  /** A leader's fence: conditions that hold in the write's own transaction, or nothing is written. */
  readonly guards?: readonly Guard[];
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

/** meta.k8s.io DeleteOptions. */
export interface DeleteOptions {
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** A write; bodies are raw bytes, decoded strictly here, so that duplicate keys and depth are seen. */
export type Write = CreateOrUpdate | PatchWrite | DeleteWrite | DeleteCollection;

export interface CreateOrUpdate {
  readonly verb: 'create' | 'update';
  readonly target: Target;
  readonly body: Uint8Array;
  readonly mediaType: 'json' | 'yaml';
}

export interface PatchWrite {
  readonly verb: 'patch';
  readonly target: Target;
  readonly body: Uint8Array;
  readonly patchType: PatchType;
  /** Apply only: takes over fields that others own. */
  readonly force: boolean;
}

export interface DeleteWrite {
  readonly verb: 'delete';
  readonly target: Target;
  readonly options: DeleteOptions;
}

export interface DeleteCollection {
  readonly verb: 'deletecollection';
  readonly target: Target;
  readonly options: DeleteOptions;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** What became of a write. */
export interface WriteResult {
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'deleting';
  readonly served: Served;
  readonly warnings: readonly string[];
  /** The Operation that the write has begun: it goes on after the answer. */
  readonly operation?: Target;
}
