import type { AuditRecorder, Controller, CredentialRegister } from '@tappaas/sdk';
import { Session } from './contract.js';
import { endSession } from './recorded-sessions.js';
import { credentialIdOf } from './sessions.js';

export interface SessionControllerParts {
  readonly audit: AuditRecorder;
  readonly credentials: CredentialRegister;
}

/** Ends a session when it expires, and revokes its credential everywhere however it ended. */
export function sessionController({ audit, credentials }: SessionControllerParts): Controller<typeof Session> {
  return {
    kind: Session,
    async reconcile(session, context) {
      const leftMs = Date.parse(session.spec.expiresAt) - context.clock.nowMs();
      if (leftMs > 0) return { againAfterMs: leftMs };
      await endSession(session, 'its time is over', { audit, context });
      return undefined;
    },
    async finalize(session) {
      await credentials.revoked([credentialIdOf(session)]);
      return undefined;
    },
  };
}
