import type { AuditEvent, Logger } from '@tappaas/sdk';
import type { AuditedRequest, AuditedState, AuditTrail } from '../../ports/audit.js';
import type { AuditLog, Reservation } from './audit-log.js';
import { eventRow, rowText, type RecordedBodies } from './event-text.js';
import type { AuditLevel, AuditStage, Policy, Ruling } from './policy.js';
import { recordedBody } from './recorded-body.js';

/** Dependencies of the audit stage; the policy may change on a reload. */
export interface AuditStageParts {
  readonly nowMs: () => number;
  readonly policy: () => Policy;
  readonly recordsRefusals: () => boolean;
  readonly bodyBytesMax: () => number;
  /** Absent when no sink is configured. */
  readonly auditLog?: AuditLog;
  /** Whether plugins have audit taps. */
  readonly hasTaps: () => boolean;
  /** Passes an event to the taps. @throws when one of them fails */
  readonly emit: (event: AuditEvent) => void;
  readonly log: Logger;
}

/** The trail of a request, which does not wait for its end: the last lines are kept after the response. */
export interface RequestTrail extends Required<AuditTrail> {
  end(state: AuditedState): void;
}

const internalError = 'TAP_API_INTERNAL';
const refusals = new Set([401, 403, 429]);
const wanted = { None: 'nothing', Metadata: 'nothing', Request: 'request', RequestResponse: 'both' } as const;

/**
 * Makes the stage that records requests according to the policy: each at its end in any case, including 401, 403 and 429. A request starts
 * only once every sink has room for its lines, a blocking sink has kept its first line, and no tap has failed.
 */
export function createAuditStage(parts: AuditStageParts): (request: AuditedRequest) => RequestTrail | Promise<RequestTrail> {
  return (request) => {
    const ruling = parts.policy()(request);
    if (ruling.level === 'None' && !parts.recordsRefusals()) return unrecorded;
    const reservation = parts.auditLog?.reserve();
    if (reservation instanceof Promise) return reservation.then((room) => new Trail(parts, request, ruling, room).begin());
    return new Trail(parts, request, ruling, reservation).begin();
  };
}

const unrecorded: RequestTrail = { wants: 'nothing', streaming: () => undefined, end: () => undefined };

class Trail implements RequestTrail {
  readonly wants: RequestTrail['wants'];
  readonly #parts: AuditStageParts;
  readonly #request: AuditedRequest;
  readonly #ruling: Ruling;
  readonly #reservation: Reservation | undefined;

  constructor(parts: AuditStageParts, request: AuditedRequest, ruling: Ruling, reservation: Reservation | undefined) {
    this.wants = wanted[ruling.level];
    this.#parts = parts;
    this.#request = request;
    this.#ruling = ruling;
    this.#reservation = reservation;
  }

  begin(): this | Promise<this> {
    const { level, received } = this.#ruling;
    try {
      if (level === 'None') return this;
      const { auditLog } = this.#parts;
      const line = this.#record(level, 'RequestReceived', received);
      if (line === undefined) auditLog?.refuseWhileFailing();
      const kept = line === undefined ? undefined : auditLog?.whenStored(line);
      return kept === undefined
        ? this
        : kept.then(
            () => this,
            (error: unknown) => this.#refuse(error),
          );
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** A stream keeps no reservation for its end, because thousands of streams would leave no room for requests. */
  streaming(state: AuditedState): void {
    const { level, started } = this.#ruling;
    if (level !== 'None') this.#recordLate(level, 'ResponseStarted', started, state);
    this.#giveBack();
  }

  end(state: AuditedState): void {
    const { level, complete } = this.#ruling;
    const isRefused = refusals.has(state.status) && this.#parts.recordsRefusals();
    if (state.errorCode === internalError && level !== 'None') this.#recordLate(level, 'Panic', true, state);
    else if (level === 'None' && isRefused) this.#recordLate('Metadata', 'ResponseComplete', true, state);
    else if (level !== 'None') this.#recordLate(level, 'ResponseComplete', complete || isRefused, state);
    this.#giveBack();
  }

  #refuse(error: unknown): never {
    this.#giveBack();
    throw error;
  }

  #giveBack(): void {
    if (this.#reservation !== undefined) this.#parts.auditLog?.release(this.#reservation);
  }

  /** Records an event after the response: an error of a tap can no longer refuse the request, but is logged. */
  #recordLate(level: AuditLevel, stage: AuditStage, isLogged: boolean, state: AuditedState): void {
    const { auditLog, log } = this.#parts;
    try {
      this.#record(level, stage, isLogged, state);
    } catch (error) {
      log.error('a tap of telemetry.audit did not take the end of a request', { requestId: this.#request.requestId, error });
      auditLog?.recordOwn('tap-failed', { 'audit-id': this.#request.requestId });
    }
  }

  /** Passes every event to the taps, and those that the policy selects to the log. */
  #record(level: AuditLevel, stage: AuditStage, isLogged: boolean, state?: AuditedState): number | undefined {
    const { auditLog, hasTaps, emit, nowMs } = this.#parts;
    const hasListeners = hasTaps();
    const isKept = isLogged && auditLog !== undefined;
    if (!hasListeners && !isKept) return undefined;
    const bodies = this.wants === 'nothing' ? undefined : this.#bodies(state);
    const row = eventRow({ level, stage, atMs: nowMs(), request: this.#request, state, bodies });
    const line = isKept ? auditLog.append(row, this.#reservation) : undefined;
    if (hasListeners) emit(JSON.parse(rowText(row)) as AuditEvent);
    return line;
  }

  #bodies({ requestBody, responseBody }: AuditedState = { status: 0 }): RecordedBodies {
    const bytesMax = this.#parts.bodyBytesMax();
    return {
      ...(requestBody !== undefined && { request: recordedBody(requestBody, bytesMax) }),
      ...(responseBody !== undefined && this.wants === 'both' && { response: recordedBody(responseBody, bytesMax) }),
    };
  }
}
