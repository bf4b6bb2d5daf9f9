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

/** A part of a stream with its own access check. */
export interface StreamPart {
  /** Checks access again, and ends the part if it is no longer allowed. */
  checkAccess(): Promise<void>;
}

/** One request and its answer in the chain; each stage adds its results. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly receivedAtMs: number;
  path: RequestPath = { path: '', query: '', segments: [] };
  info: RequestInfo = { engine: '', path: '', verb: '' };
  identity: Identity | undefined;
  /** Why the request is refused, if that is known before its audit event begins. */
  refusal: unknown;
  /** Whether a header asks to impersonate another user. */
  isImpersonating = false;
  /** The impersonated caller, if any. */
  impersonated: Caller | undefined;
  /** The part of a collection that the caller may see, if not all. */
  narrowed: Narrowing | undefined;
  seat: Seat | undefined;
  /** The access decision, once made. */
  decision: AccessDecision | undefined;
  /** The span of the request, if it is traced. */
  span: RequestSpan | undefined;
  /** The audit event of the request, once begun. */
  trail: AuditTrail | undefined;
  /** Set once the connection has become a WebSocket: 101, or the status that its failure would have been answered with. */
  upgradeStatus: number | undefined;
  /** The written object as stored; a create learns a generated name from it. */
  subject: AuditedSubject | undefined;
  /** Number of keys in the body, as reported to flow control. */
  keys = 0;
  /** Kept only if the audit event records it. */
  requestBody: Uint8Array | undefined;
  responseBody: Uint8Array | string | undefined;
  /** When the exchange is ended: a request with a failure, a stream in order. */
  deadlineMs: number;
  isStream = false;
  /** Header names and values in turn, added to any answer. */
  readonly extraHeaders: string[] = [];
  /** Names of the usual headers that a plugin's handler replaces. */
  replacedHeaders: ReadonlySet<string> | undefined;
  errorCode: string | undefined;
  /** For pages that people visit: where they start again after a refusal. */
  beginAgainAt: string | undefined;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  awaitsContinue = false;
  /** Whether the body is being read; an abort then destroys the request. */
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

  /** The acting caller. @throws TAP_REQUEST_UNAUTHENTICATED without an identity */
  get caller(): Caller {
    return this.impersonated ?? this.authenticated;
  }

  /** The authenticated caller, even if it impersonates another one. @throws TAP_REQUEST_UNAUTHENTICATED without an identity */
  get authenticated(): Caller {
    const caller = this.identity?.caller;
    if (caller === undefined) throw apiErrors.TAP_REQUEST_UNAUTHENTICATED({ message: 'the request has no caller' });
    return caller;
  }

  /** Facts for audit, such as `graphql.operation`; bounded, and created on first access. */
  get annotations(): Map<string, string> {
    return (this.#notedAnnotations ??= new Annotations());
  }

  /** Parts of a stream, such as the subscriptions of a socket; code that adds parts must bound their number. */
  get parts(): Set<StreamPart> {
    return (this.#ownParts ??= new Set());
  }

  /** The annotations, if there are any. */
  get noted(): ReadonlyMap<string, string> | undefined {
    return this.#notedAnnotations;
  }

  get query(): URLSearchParams {
    return (this.#parsedQuery ??= new URLSearchParams(this.path.query));
  }

  /** Created on first access, so that reads answered from memory do not pay for it. */
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
