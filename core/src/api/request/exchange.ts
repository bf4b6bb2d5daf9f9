import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessDecision, Caller, Identity } from '@tappaas/sdk';
import { Annotations } from './annotations.js';
import { apiErrors } from '../errors.js';
import type { RequestInfo } from './request-info.js';
import type { RequestPath } from './request-path.js';
import type { AuditedSubject, AuditTrail } from '../../ports/audit.js';
import type { RequestSpan } from '../../ports/tracing.js';
import type { Narrowing } from '../../ports/access.js';
import type { Seat } from '../stages.js';

/** Part of a stream that access was asked about by itself. */
export interface StreamPart {
  /** Asks again, and ends the part when it is no longer allowed. */
  checkAccess(): Promise<void>;
}

/** One request and its answer on their way through the chain; each stage fills in what it has found out. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly receivedAtMs: number;
  path: RequestPath = { path: '', query: '', segments: [] };
  info: RequestInfo = { engine: '', path: '', verb: '' };
  identity: Identity | undefined;
  /** Why it is refused, known before audit was told of it. */
  refusal: unknown;
  /** A header asks to act as somebody else. */
  isImpersonating = false;
  /** The impersonated caller, if the request impersonates one. */
  impersonated: Caller | undefined;
  /** What the caller may see of a collection, where that is not all of it. */
  narrowed: Narrowing | undefined;
  seat: Seat | undefined;
  /** What access has said, once it was asked. */
  decision: AccessDecision | undefined;
  /** Where the request is traced. */
  span: RequestSpan | undefined;
  /** What audit keeps of the request, once it was told of it. */
  trail: AuditTrail | undefined;
  /** Set once the connection has become a WebSocket: 101, or what its failure would have been answered with. */
  upgradeStatus: number | undefined;
  /** The object that a write was about, as it is now: a create learns its name only there. */
  subject: AuditedSubject | undefined;
  /** That its body has, as far as flow control was told. */
  keys = 0;
  /** Kept where the trail wants it. */
  requestBody: Uint8Array | undefined;
  responseBody: Uint8Array | string | undefined;
  /** Ended when this passes: a request with a failure, a stream in order. */
  deadlineMs: number;
  isStream = false;
  /** Header names and values in turn, sent with whatever is answered. */
  readonly extraHeaders: string[] = [];
  /** The usual headers that a plugin's handler sends its own of. */
  replacedHeaders: ReadonlySet<string> | undefined;
  errorCode: string | undefined;
  /** A person may be looking: where they begin again when it is refused. */
  beginAgainAt: string | undefined;
  /** The client waits for `100 Continue` before it sends the body. */
  awaitsContinue = false;
  /** Its body is being read, which an abort ends. */
  isReading = false;
  #aborter: AbortController | undefined;
  #parsedQuery: URLSearchParams | undefined;
  #notedAnnotations: Annotations | undefined;
  #ownParts: Set<StreamPart> | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, requestId: string, receivedAtMs: number, deadlineMs: number) {
    this.request = request;
    this.response = response;
    this.requestId = requestId;
    this.receivedAtMs = receivedAtMs;
    this.deadlineMs = deadlineMs;
  }

  /** Who acts. @throws TAP_REQUEST_UNAUTHENTICATED when nobody has been found. */
  get caller(): Caller {
    return this.impersonated ?? this.authenticated;
  }

  /** Who has asked, whomever it acts as. @throws TAP_REQUEST_UNAUTHENTICATED when nobody has been found. */
  get authenticated(): Caller {
    const caller = this.identity?.caller;
    if (caller === undefined) throw apiErrors.TAP_REQUEST_UNAUTHENTICATED({ message: 'the request has no caller' });
    return caller;
  }

  /** Facts for audit, such as `graphql.operation`; bounded, and made when first asked for. */
  get annotations(): Map<string, string> {
    return (this.#notedAnnotations ??= new Annotations());
  }

  /** What goes on within a stream, such as the subscriptions of a socket; whoever adds to it bounds it. */
  get parts(): Set<StreamPart> {
    return (this.#ownParts ??= new Set());
  }

  /** The annotations, if anybody has noted some. */
  get noted(): ReadonlyMap<string, string> | undefined {
    return this.#notedAnnotations;
  }

  get query(): URLSearchParams {
    return (this.#parsedQuery ??= new URLSearchParams(this.path.query));
  }

  /** Made when first asked for, so that reads answered from memory pay nothing for it. */
  get signal(): AbortSignal {
    this.#aborter ??= new AbortController();
    return this.#aborter.signal;
  }

  abort(reason: Error): void {
    this.#aborter ??= new AbortController();
    this.#aborter.abort(reason);
    if (this.isReading) this.request.destroy();
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}
