import { type Awaitable, platformEngine } from '@tappaas/sdk';
import { after } from '../after.js';
import { beginPart } from '../audit-trail.js';
import { allowed, ask, asReview, forbidden, permit } from '../authorization.js';
import type { Target } from '../../ports/engine.js';
import type { Exchange } from '../request/exchange.js';
import type { RequestInfo } from '../request/request-info.js';
import type { AuditedSubject, AuditTrail } from '../../ports/audit.js';
import type { Verdict } from '../../ports/access.js';
import type { Authorize } from '../stages.js';
import { publicError } from '../answer/status.js';
import type { GraphqlParts } from './ports.js';

/** Describes the access that one part of an operation needs, as a REST verb and target. */
export interface RequestedAccess {
  readonly verb: string;
  readonly target: Target;
}

/** The outcome of an access: the status that REST would have answered with. */
export interface AccessOutcome {
  readonly status: number;
  readonly subject?: AuditedSubject;
  /** Called only when the audit policy records response bodies. */
  readonly body?: () => Uint8Array | string;
}

/** The outcome of an access that failed. */
export interface FailedAccess {
  readonly error: unknown;
  readonly subject?: AuditedSubject;
}

/** The exchange and ports that authorizing and auditing an access need. */
export interface AccessParts extends Pick<GraphqlParts, 'authorize' | 'audit' | 'clock'> {
  readonly exchange: Exchange;
  readonly annotations: ReadonlyMap<string, string>;
}

/** Authorizes one part of an operation. @throws TAP_REQUEST_FORBIDDEN */
export function permitPart({ authorize, exchange }: AccessParts, requested: RequestedAccess): Awaitable<Verdict> {
  return permit(authorize, infoOf(requested), exchange.caller);
}

/** Begins an audit event that records `recorded`; the returned entry authorizes `requested` and completes the event. */
export function beginEntry(parts: AccessParts, requested: RequestedAccess, recorded = requested): Awaitable<AuditEntry> {
  const { audit, exchange, clock } = parts;
  const { path, query } = exchange.path;
  const beganAtMs = clock.nowMs();
  const trail = beginPart(audit, exchange, { info: infoOf(recorded), beganAtMs, path, query, isPart: true });
  return after(trail, (begun) => new AuditEntry(parts, requested, begun, beganAtMs));
}

/** One audit event in progress. */
class AuditEntry {
  readonly #parts: AccessParts;
  readonly #requested: RequestedAccess;
  readonly #trail: AuditTrail;
  readonly #beganAtMs: number;
  #decision: Verdict | undefined;

  constructor(parts: AccessParts, requested: RequestedAccess, trail: AuditTrail, beganAtMs: number) {
    this.#parts = parts;
    this.#requested = requested;
    this.#trail = trail;
    this.#beganAtMs = beganAtMs;
  }

  /** Authorizes the access; the event records the last decision. @throws TAP_REQUEST_FORBIDDEN */
  permit(): Awaitable<Verdict> {
    return this.#permit(this.#parts.authorize);
  }

  /** Authorizes again an access already in progress. @throws TAP_REQUEST_FORBIDDEN */
  permitStill(): Awaitable<Verdict> {
    return this.#permit(asReview(this.#parts.authorize));
  }

  #permit(authorize: Authorize): Awaitable<Verdict> {
    const { exchange } = this.#parts;
    const info = infoOf(this.#requested);
    return after(ask(authorize, info, exchange.caller), (verdict) => {
      this.#decision = verdict;
      return allowed(verdict, info, exchange.caller);
    });
  }

  /** Records a denial even though the authorizer allowed the access, and returns the error to throw. */
  deny(reason: string): Error {
    this.#decision = { decision: 'deny', reason };
    return forbidden(this.#parts.exchange.caller, infoOf(this.#requested), reason);
  }

  /** Records that the access began to stream, because it may end only hours later. */
  streaming(): void {
    this.#trail.streaming?.({ ...this.#standing(), status: 200 });
  }

  end(outcome: AccessOutcome | FailedAccess, sent?: Uint8Array): Awaitable<void> {
    const { wants = 'nothing' } = this.#trail;
    const { subject, ...recorded } = 'error' in outcome ? this.#failure(outcome) : { ...outcome, errorCode: undefined };
    const { status, errorCode } = recorded;
    return this.#trail.end({
      ...this.#standing(),
      status,
      errorCode,
      durationMs: this.#parts.clock.nowMs() - this.#beganAtMs,
      ...(subject !== undefined && { subject }),
      ...(wants !== 'nothing' && sent !== undefined && { requestBody: sent }),
      ...(wants === 'both' && 'body' in recorded && { responseBody: recorded.body?.() }),
    });
  }

  #failure({ error, subject }: FailedAccess) {
    const { code, spec } = publicError(error, this.#parts.exchange.requestId);
    return { status: spec.httpStatus, errorCode: code, subject };
  }

  #standing() {
    const { annotations, exchange } = this.#parts;
    return { decision: this.#decision, impersonated: exchange.impersonated, annotations };
  }
}

function infoOf({ verb, target }: RequestedAccess): RequestInfo {
  return { engine: platformEngine, path: '', verb, target };
}
