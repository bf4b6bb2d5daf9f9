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
  const { signal, asPlugin, clock } = context;
  const dueMs = clock.nowMs() + aheadMs;
  const isDue = ({ spec: { validUntil, expiresAt } }: Immutable<SessionObject>): boolean =>
    validUntil !== expiresAt && Date.parse(validUntil) <= dueMs;
  // The list is read to its end first: providers may take longer than it can be gone on with.
  const due: string[] = [];
  for await (const session of asPlugin.list(Session, { itemsMax: sessionsMax })) if (isDue(session)) due.push(session.metadata.name);
  const names = due.values();
  const worker = async (): Promise<void> => {
    for (const name of names) {
      if (signal.aborted) return;
      await attempt(name, context, async () => {
        const session = await asPlugin.get(Session, { name });
        if (session !== undefined && isDue(session)) await refresh(session, parts, context);
      });
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
  signal.throwIfAborted();
}

/** What goes wrong with one session is told, and keeps nobody from the others. */
async function attempt(session: string, { log }: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn('a session was not renewed and ends when it is not before long', { session, error });
  }
}

async function refresh(session: Immutable<SessionObject>, parts: RefreshParts, context: Context): Promise<void> {
  const { providers, tokens, sealing } = parts;
  const end = (why: string): Promise<void> => ended(session, why, parts.audit, context);
  const { spec } = session;
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
    if (refusal === undefined) throw error;
    await end(`the provider says ${refusal.slice(0, 64)}`);
  }
}

async function ended(session: Immutable<SessionObject>, why: string, audit: AuditRecorder, context: Context): Promise<void> {
  await endSession(session, why, { audit, context });
  context.log.info('a session was ended', { session: session.metadata.name, user: session.spec.user, why });
}
