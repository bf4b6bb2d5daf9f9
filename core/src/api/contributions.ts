/** Contributions of plugins and other stages besides kinds; the kernel already guards them, attributes them and gives them contexts. */
import type { Caller, HttpAnswer, HttpRequest, Key } from '@tappaas/sdk';
import type { ServedKind } from '../ports/engine.js';

/** The context of a call into a handler. */
export interface Call {
  readonly caller: Caller;
  readonly requestId: string;
  /** Aborts at the deadline, when the client disconnects, and at shutdown. */
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
}

/** A raw route at `/plugins/{instance}{path}`; `:name` in the path is a parameter. */
export interface ServedRoute {
  readonly instance: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: `/${string}`;
  readonly bodyBytesMax: number;
  /** `self`: the handler authenticates from the raw bytes, so it is reached without a caller. */
  readonly auth: 'caller' | 'self';
  /** Whether access is checked for `/plugins/-{path}`, whatever the instance is called. Default: false. */
  readonly isWellKnown?: boolean;
  /** For pages that people visit: path below the instance where they start again after a refusal. */
  readonly beginAgainAt?: `/${string}`;
  readonly handle: (request: HttpRequest, call: Omit<Call, 'caller'> & { readonly caller?: Caller }) => Promise<HttpAnswer>;
}

/** The request for an action. */
export interface ActionRequest {
  readonly key: Key;
  readonly input: unknown;
  readonly dryRun: boolean;
  /** The resourceVersion that the object must have; otherwise the action fails with TAP_OBJECT_PRECONDITION. */
  readonly expectedVersion?: string;
  /** Deduplicates retries of the same request; fails with TAP_REQUEST_HEADER_INVALID where keys are not supported. */
  readonly idempotencyKey?: string;
}

/** A verb of a kind: `POST …/{plural}/{name}/{action}`. */
export interface ServedAction {
  readonly engine: string;
  readonly group: string;
  readonly plural: string;
  readonly name: string;
  readonly description: string;
  /** JSON Schemas of objects. */
  readonly input: object;
  readonly output: object;
  /** Continues as an Operation, which keeps the idempotency key of its request. */
  readonly isLong: boolean;
  readonly handle: (request: ActionRequest, call: Call) => Promise<ActionAnswer>;
}

/** `operation`: path of the Operation that continues the action; the answer is then 202 with its Location. */
export interface ActionAnswer {
  readonly output: object;
  readonly operation?: string;
}

/** A field that a plugin adds to a kind in GraphQL. */
export interface ServedField {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object: its properties are the arguments. */
  readonly args: object;
  readonly type: object;
  readonly costPerObject: number;
  /** One call for all objects; entry i of the answer belongs to object i. */
  readonly resolve: (objects: readonly object[], args: Readonly<Record<string, unknown>>, call: Call) => Promise<readonly unknown[]>;
}

/** A subresource that a plugin serves, such as `pods/log`. */
export interface ServedSubresource {
  readonly engine: string;
  readonly group: string;
  readonly plural: string;
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly handle: (request: HttpRequest & { readonly key: Key }, call: Call) => Promise<HttpAnswer>;
}

/** Columns and rows of `Table` output; cells are in the order of the columns. */
export interface TableContent {
  readonly columnDefinitions: readonly object[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Makes the table of objects of one kind. */
export type TableFor = (kind: ServedKind, objects: readonly object[]) => TableContent;

/** One line of `/readyz?verbose`. */
export interface ReadyCheck {
  readonly name: string;
  readonly check: () => boolean | Promise<boolean>;
  /** A warning for operators that does not make the check fail. */
  readonly note?: () => string | undefined;
}
