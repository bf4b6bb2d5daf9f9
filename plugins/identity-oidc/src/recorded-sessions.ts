import type { AuditRecorder, Context, Immutable } from '@tappaas/sdk';
import { Session, type SessionObject } from './contract.js';
import { holderOf } from './sessions.js';

/** The audit recorder, and the request in which a session begins or ends, if there is one. */
export interface SessionAudit {
  readonly audit: AuditRecorder;
  readonly context: Pick<Context, 'asPlugin'> & { readonly requestId?: string };
}

/** Audits a login. It fails if the event cannot be recorded although it must be, so that the session's cookie is never handed out. */
export function recordLogin(session: Immutable<SessionObject>, { audit, context }: SessionAudit): Promise<void> {
  return record(session, 'create', `logged in at the provider ${session.spec.issuer}`, audit, context.requestId);
}

/** Audits why a session ends, then ends it. If the event must be recorded and cannot be, the session continues until it can. */
export async function endSession(session: Immutable<SessionObject>, why: string, { audit, context }: SessionAudit): Promise<void> {
  const { name, uid } = session.metadata;
  await record(session, 'delete', why, audit, context.requestId);
  await context.asPlugin.delete(Session, { name }, { uid });
}

function record(
  session: Immutable<SessionObject>,
  verb: string,
  reason: string,
  audit: AuditRecorder,
  requestId: string | undefined,
): Promise<void> {
  const { name } = session.metadata;
  return audit.record({ caller: holderOf(session), verb, kind: Session, name, reason, ...(requestId !== undefined && { requestId }) });
}
