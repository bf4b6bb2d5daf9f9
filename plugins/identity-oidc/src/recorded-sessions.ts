import type { AuditRecorder, Context, Immutable } from '@tappaas/sdk';
import { Session, type SessionObject } from './contract.js';
import { holderOf } from './sessions.js';

/** Who is told of sessions, and the request that they begin or end with; absent where none does. */
export interface SessionTelling {
  readonly audit: AuditRecorder;
  readonly context: Pick<Context, 'asPlugin'> & { readonly requestId?: string };
}

/** Tells audit of a log-in. A session that cannot be recorded where it must be is never handed out. */
export function recordLogin(session: Immutable<SessionObject>, { audit, context }: SessionTelling): Promise<void> {
  return record(session, 'create', `logged in at the provider ${session.spec.issuer}`, audit, context.requestId);
}

/** Tells audit why a session ends, then ends it. One whose end cannot be recorded where it must be goes on until it can. */
export async function endSession(session: Immutable<SessionObject>, why: string, { audit, context }: SessionTelling): Promise<void> {
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
