import type { AuditRecorder, Context, Immutable, SealingService, TokenService } from '@tappaas/sdk';
import * as client from 'openid-client';
import { Session, type SessionObject } from './contract.js';
import { loggedIn } from './granted.js';
import { refusalOf } from './provider.js';
import type { Providers } from './providers.js';
import { endSession } from './recorded-sessions.js';
import { grantedFor, renewSession } from './sessions.js';

/** Sessions are renewed when what the provider said holds for less than this. */
const aheadMs = 60_000;
const sessionsMax = 1_000_000;
const atOnceMax = 8;

/** What sessions are renewed with. */
export interface RefreshParts {
  readonly providers: Providers;
  readonly tokens: TokenService;
  readonly sealing: SealingService;
  readonly audit: AuditRecorder;
}

/** Asks providers again about whoever is logged in: who may no longer be, is logged out; groups and tenant follow. */
export async function refreshSessions(parts: RefreshParts, context: Context): Promise<void> {
  const dueMs = context.clock.nowMs() + aheadMs;
  // Pages are read as they are worked through: however many are logged in, a few of them are in memory.
  const sessions = context.asPlugin.list(Session, { itemsMax: sessionsMax })[Symbol.asyncIterator]();
  const worker = async (): Promise<void> => {
    for (let next = await sessions.next(); next.done !== true; next = await sessions.next()) {
      context.signal.throwIfAborted();
      const { validUntil, expiresAt } = next.value.spec;
      if (validUntil !== expiresAt && Date.parse(validUntil) <= dueMs) await refresh(next.value, parts, context);
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
}

async function refresh(session: Immutable<SessionObject>, parts: RefreshParts, context: Context): Promise<void> {
  const { providers, tokens, sealing } = parts;
  const end = (why: string): Promise<void> => ended(session, why, parts.audit, context);
  const { metadata, spec } = session;
  const provider = providers.find(spec.issuer);
  try {
    const kept = await grantedFor(session, sealing);
    const refreshToken = kept?.refreshToken;
    if (provider === undefined || kept === undefined || refreshToken === undefined)
      return await end('nothing can be asked about it any more');
    const configuration = await provider.configuration();
    const granted = await provider.attempt('refresh', () => client.refreshTokenGrant(configuration, refreshToken));
    // A provider may leave the ID token out, and may let the refresh token stay as it is.
    const complete = Object.assign(granted, {
      id_token: granted.id_token ?? kept.idToken,
      refresh_token: granted.refresh_token ?? refreshToken,
    });
    const login = await loggedIn(complete, provider, tokens, context.clock.nowMs());
    if (login.subject !== spec.subject) return await end('the provider says that it is somebody else’s');
    await renewSession(session, login, { context, sealing });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined) return end(`the provider says ${refusal.slice(0, 64)}`);
    context.log.warn('a session was not renewed and ends when it is not before long', {
      session: metadata.name,
      issuer: spec.issuer,
      error,
    });
  }
}

async function ended(session: Immutable<SessionObject>, why: string, audit: AuditRecorder, context: Context): Promise<void> {
  context.log.info('a session was ended', { session: session.metadata.name, user: session.spec.user, why });
  await endSession(session, why, { audit, context });
}
