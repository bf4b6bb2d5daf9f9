import type { Awaitable, Caller, Column, Key, TapError } from '@tappaas/sdk';

/** Names a served kind in a request path. */
export interface KindPath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** What discovery, OpenAPI and routing need to know of a kind at one served version. */
export interface ServedKind extends KindPath {
  readonly kind: string;
  readonly singular: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Verbs served on the kind itself; virtual kinds such as access reviews only know `create`. */
  readonly verbs: readonly string[];
  /** `status`, `scale`, plugin subresources and actions, with the verbs of each. */
  readonly subresources: readonly ServedSubresource[];
  /** Whole-object OpenAPI v3 schema; `$ref`s point to `#/components/schemas/…` of `components`. */
  readonly schemaName: string;
  readonly components: () => Readonly<Record<string, object>>;
  readonly columns: readonly Column[];
  /** Strategic merge patch is served for Kubernetes' own kinds only. */
  readonly strategicMerge: boolean;
  readonly deprecated?: { readonly since: string; readonly removedAfter: string; readonly instead: string };
  /** Set when the plugin that contributed the kind is not loaded: the kind is read only. */
  readonly orphaned: boolean;
  /** Fields that say whose an object is; absent: objects belong to nobody. */
  readonly owner?: { readonly user?: string; readonly tenant: string };
  /** The objects are the same for all tenants, whose callers may read them; absent: those are refused. */
  readonly isShared?: true;
}

/** A subresource in discovery; `kind` is that of its body where it is not the object's own. */
export interface ServedSubresource {
  readonly name: string;
  readonly verbs: readonly string[];
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
}

/** One object, or the collection when `name` is absent. */
export interface Target {
  readonly kind: KindPath;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Who asks for a write, and under which conditions. */
export interface WriteOptions {
  readonly caller: Caller;
  readonly requestId: string;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  readonly fieldManager: string;
  /** From `If-Match`; the write fails with 412 when the object has another resourceVersion, or is not there. */
  readonly ifMatch?: string;
  /** `If-Match: *`: fails with 412 when the object is not there. */
  readonly mustExist?: boolean;
  /** `If-None-Match: *`: fails with 412 when the object exists. */
  readonly ifNoneMatch?: boolean;
  readonly idempotencyKey?: string;
  /** Asked before an apply creates what it finds missing: who may patch may not thereby create. Refuses by throwing. */
  readonly authorizeCreate?: () => Promise<void>;
  /** Asked before an object that exists is given other owners, with which it would be deleted: who may update may not thereby delete. Refuses by throwing. */
  readonly authorizeOwners?: () => Promise<void>;
  /** Asked before a repeated create is answered with what others have made of its object since. Refuses by throwing. */
  readonly authorizeGet?: (target: Target) => Promise<void>;
  /** Asked with all objects of a collection before the first of them is deleted. Refuses by throwing. */
  readonly authorizeDeletes?: (targets: readonly Target[]) => Promise<void>;
  /** Told how many keys the object has, before most of the work with it; the write waits for it. Refuses by throwing. */
  readonly weigh?: (keys: number) => Promise<void> | undefined;
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

/** A write; bodies are the raw bytes, decoded strictly by the engine, so that duplicate keys and depth are seen. */
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

/** meta.k8s.io DeleteOptions. */
export interface DeleteOptions {
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** An object as it is sent: the bytes were serialised once per change. */
export interface Served {
  readonly object: object;
  /** The object without its managed fields; absent where it has none. */
  readonly lean?: object;
  readonly bytes: Uint8Array;
  readonly resourceVersion: string;
}

/** What became of a write. `deleted` objects are answered as a Status, others as the object. */
export interface WriteResult {
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'deleting';
  readonly served: Served;
  readonly warnings: readonly string[];
  /** The Operation that the write has begun: it goes on after the answer. */
  readonly operation?: Target;
}

/** Selectors as kubectl writes them. */
export interface Filter {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Those alone whose indexed field has one of the values; a page that goes on is asked for with the same. */
  readonly fieldValues?: { readonly field: string; readonly values: readonly string[] };
}

export interface ListQuery extends Filter {
  readonly target: Target;
  readonly limit?: number;
  readonly continueToken?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly signal: AbortSignal;
}

export interface ListPage {
  readonly items: readonly Served[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
  readonly remainingItemCount?: number;
  /** A token that goes on behind one of the items. */
  readonly tokenAfter: (index: number) => string;
}

export interface WatchQuery extends Filter {
  readonly target: Target;
  /** Begins behind that version; absent or "0": begins with what is there, unless `sendInitialEvents` says otherwise. */
  readonly resourceVersion?: string;
  /** Whether what is there is told first, whatever the version; absent: as the version says. */
  readonly sendInitialEvents?: boolean;
  readonly bookmarks: boolean;
  readonly signal: AbortSignal;
}

/**
 * A bookmark's `served` carries only kind, apiVersion and resourceVersion, and after initial events their annotation.
 * `initial` is set for what is there at the beginning, which comes in the order of keys: its resourceVersions say nothing of how far the
 * watch has come; the last one tells that.
 */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly served: Served;
  readonly initial?: { readonly reached?: string };
}

/** One reason among several why an object was refused; field conflicts of an apply are told in the same way. */
export interface Cause {
  /** Absent or empty: the object as a whole. */
  readonly field?: string;
  readonly reason: string;
  readonly message: string;
  /** Instance id of the plugin that objected. */
  readonly plugin?: string;
}

/** The object that an error is about. */
export interface About {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
}

/**
 * What an engine throws: a TapError, with every reason and the object it is about. The API tells them as the details of the Status;
 * `data.continueToken` of an expired list becomes the `continue` of its metadata.
 */
export type EngineError = TapError & { readonly causes?: readonly Cause[]; readonly about?: About };

/** A resource engine as the API sees it: everything it throws is an EngineError. */
export interface EnginePort {
  readonly name: string;
  /** The same array until a registration changes: discovery and OpenAPI are serialised once per array. */
  kinds(): readonly ServedKind[];
  find(path: KindPath): ServedKind | undefined;
  /** From the watch cache; `resourceVersion` "" or absent is a consistent read, "0" takes what is there. */
  get(target: Target, options: { readonly resourceVersion?: string; readonly signal: AbortSignal }): Awaitable<Served>;
  /** Several objects of one kind in one read, each at its key's place. */
  getMany(kind: KindPath, keys: readonly Key[], options: { readonly signal: AbortSignal }): Awaitable<readonly (Served | undefined)[]>;
  list(query: ListQuery): Awaitable<ListPage>;
  /** Batches of events in order; throws TAP_STORE_COMPACTED or TAP_STORE_SLOW_CONSUMER to be told as an ERROR event (410). */
  watch(query: WatchQuery): AsyncIterable<readonly WatchEvent[]>;
  write(write: Write, options: WriteOptions): Promise<WriteResult>;
}
