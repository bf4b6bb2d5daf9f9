import type { Awaitable, Caller, Column, Key, TapError } from '@tappaas/sdk';

/** Identifies a served kind as in a request path. */
export interface KindPath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** The data about a kind in one served version for discovery, OpenAPI and routing. */
export interface ServedKind extends KindPath {
  readonly kind: string;
  readonly singular: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Verbs served on the kind itself; virtual kinds such as access reviews support only `create`. */
  readonly verbs: readonly string[];
  /** `status`, `scale`, plugin subresources and actions, with their verbs. */
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
  /** Fields that identify an object's owner; absent: objects have no owner. */
  readonly owner?: { readonly user?: string; readonly tenant: string };
  /** Whether the objects are the same for all tenants, so that their callers may read them; absent: callers with a tenant are refused. */
  readonly isShared?: true;
  /** Creating an object, or changing its spec, begins an Operation, which answers name. */
  readonly beginsOperations?: boolean;
}

/** A subresource in discovery; `kind` is that of its body if it differs from the object's own. */
export interface ServedSubresource {
  readonly name: string;
  readonly verbs: readonly string[];
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  /** By verb, what something other than the engine answers. */
  readonly parts?: Readonly<Record<string, PartDescription>>;
}

/** How a verb of a subresource is answered when the engine does not answer it; schemas are OpenAPI v3, made when they are asked for. */
export type PartDescription = ActionPart | HandlerPart | ConversationPart;

/** An action: its input is checked, and with `isLong` it goes on as an Operation. */
export interface ActionPart {
  readonly is: 'action';
  readonly description: string;
  readonly isLong: boolean;
  readonly schemas: () => { readonly input: object; readonly output: object };
}

/** A handler of a plugin that reads query and body itself; what it says of them is for readers. Nothing said: anything may come. */
export interface HandlerPart {
  readonly is: 'handler';
  readonly documentation?: () => {
    readonly description: string;
    /** Schema of an object: its properties are the parameters. */
    readonly query?: object;
    readonly body?: object;
    /** Absent: it only refuses. */
    readonly answer?: { readonly status: number; readonly mediaType: string; readonly schema: object };
    /** What `$ref`s of these schemas lead to. */
    readonly components: Readonly<Record<string, object>>;
  };
}

/** A conversation over a WebSocket. */
export interface ConversationPart {
  readonly is: 'conversation';
  readonly protocols: readonly string[];
  readonly documentation: () => { readonly description?: string; readonly query?: object };
}

/** One object, or the collection when `name` is absent. */
export interface Target {
  readonly kind: KindPath;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The caller of a write, and its conditions. */
export interface WriteOptions {
  readonly caller: Caller;
  readonly requestId: string;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  readonly fieldManager: string;
  /** From `If-Match`; the write fails with 412 when the object has another resourceVersion or does not exist. */
  readonly ifMatch?: string;
  /** `If-Match: *`: fails with 412 when the object does not exist. */
  readonly mustExist?: boolean;
  /** `If-None-Match: *`: fails with 412 when the object exists. */
  readonly ifNoneMatch?: boolean;
  readonly idempotencyKey?: string;
  /** Called before an apply creates a missing object, because permission to patch does not imply create. Throws to refuse. */
  readonly authorizeCreate?: () => Promise<void>;
  /**
   * Called before an existing object gets other owners, which could delete it: permission to update does not imply delete. Throws to
   * refuse.
   */
  readonly authorizeOwners?: () => Promise<void>;
  /** Called before a repeated create is answered with later changes of others to its object. Throws to refuse. */
  readonly authorizeGet?: (target: Target) => Promise<void>;
  /** Called with all objects of a collection before the first is deleted. Throws to refuse. */
  readonly authorizeDeletes?: (targets: readonly Target[]) => Promise<void>;
  /** Called with the object's number of keys before most of the work; the write waits for the promise. Throws to refuse. */
  readonly weigh?: (keys: number) => Promise<void> | undefined;
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

/** A write. Bodies are raw bytes, which the engine decodes strictly in order to detect duplicate keys and excessive depth. */
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
  /** Apply only: takes over fields that other managers own. */
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

/** An object as it is sent; its bytes are serialized once per change. */
export interface Served {
  readonly object: object;
  /** The object without its managed fields; absent where it has none. */
  readonly lean?: object;
  readonly bytes: Uint8Array;
  readonly resourceVersion: string;
}

/** The result of a write. For `deleted` objects the response is a Status, for others the object. */
export interface WriteResult {
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'deleting';
  readonly served: Served;
  readonly warnings: readonly string[];
  /** The Operation that the write began; it continues after the response. */
  readonly operation?: Target;
}

/** Selectors in kubectl's notation. */
export interface Filter {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Selects objects whose indexed field has one of the values; further pages need the same filter. */
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
  /** Makes a token that continues after one of the items. */
  readonly tokenAfter: (index: number) => string;
}

export interface WatchQuery extends Filter {
  readonly target: Target;
  /** Starts after this version; absent or "0": starts with the existing objects, unless `sendInitialEvents` says otherwise. */
  readonly resourceVersion?: string;
  /** Whether existing objects are sent first, regardless of the version; absent: as the version implies. */
  readonly sendInitialEvents?: boolean;
  readonly bookmarks: boolean;
  readonly signal: AbortSignal;
}

/**
 * A bookmark's `served` has only kind, apiVersion and resourceVersion, and after initial events their annotation. `initial` is set for
 * existing objects, which come in key order: their resourceVersions do not indicate the progress of the watch; only the last one has it.
 */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly served: Served;
  readonly initial?: { readonly reached?: string };
}

/** One reason of several why an object was refused; also used for field conflicts of an apply. */
export interface Cause {
  /** Absent or empty for the object as a whole. */
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
 * The error of an engine: a TapError with all causes and the object it is about. The API returns these as the details of the Status;
 * `data.continueToken` of an expired list becomes the `continue` of its metadata.
 */
export type EngineError = TapError & { readonly causes?: readonly Cause[]; readonly about?: About };

/** A resource engine as used by the API; all its errors are EngineErrors. */
export interface EnginePort {
  readonly name: string;
  /** Returns the same array until a registration changes; discovery and OpenAPI are serialized once per array. */
  kinds(): readonly ServedKind[];
  find(path: KindPath): ServedKind | undefined;
  /** Reads from the watch cache; `resourceVersion` "" or absent is a consistent read, "0" accepts the cached state. */
  get(target: Target, options: { readonly resourceVersion?: string; readonly signal: AbortSignal }): Awaitable<Served>;
  /** Reads several objects of one kind, in the order of their keys. */
  getMany(kind: KindPath, keys: readonly Key[], options: { readonly signal: AbortSignal }): Awaitable<readonly (Served | undefined)[]>;
  list(query: ListQuery): Awaitable<ListPage>;
  /** Yields batches of events in order; throws TAP_STORE_COMPACTED or TAP_STORE_SLOW_CONSUMER, which become an ERROR event (410). */
  watch(query: WatchQuery): AsyncIterable<readonly WatchEvent[]>;
  write(write: Write, options: WriteOptions): Promise<WriteResult>;
}
