import type { AuditEvent } from '@tappaas/sdk';
import type { AuditedRequest, AuditedStanding, AuditLevel, AuditStage } from './audited.js';
import { eventText } from './event-text.js';

/** Whom the stage tells. */
export interface AuditOutlets {
  readonly nowMs: () => number;
  /** Tells taps of plugins, when there are any. @throws when one of them fails: then the request is refused */
  readonly tell: (event: () => AuditEvent) => void;
}

/** What audit keeps of one request while it runs. */
export interface RequestTrail {
  streaming(standing: AuditedStanding): void;
  end(standing: AuditedStanding): void;
}

const internalError = 'TAP_API_INTERNAL';

/** Records every request that is told of, at its end in every case, so 401, 403 and 429 too. */
export function createAuditStage({ nowMs, tell }: AuditOutlets): (request: AuditedRequest) => RequestTrail {
  const level: AuditLevel = 'Metadata';
  const record = (request: AuditedRequest, stage: AuditStage, standing?: AuditedStanding): void =>
    tell(() => JSON.parse(eventText({ level, stage, atMs: nowMs(), request, standing })) as AuditEvent);
  return (request) => {
    record(request, 'RequestReceived');
    return {
      streaming: (standing) => record(request, 'ResponseStarted', standing),
      end: (standing) => record(request, standing.errorCode === internalError ? 'Panic' : 'ResponseComplete', standing),
    };
  };
}
