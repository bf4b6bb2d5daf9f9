import { isTapError, type AuditRecorder, type Context, type Immutable, type SealingService, type TokenService } from '@tappaas/sdk';
import * as client from 'openid-client';
import { Session, type SessionObject } from './contract.js';
import { claimsOf, loggedIn, validUntilMs } from './granted.js';
import { refusalOf, type Provider } from './provider.js';
import type { Providers } from './providers.js';
import { endSession } from './recorded-sessions.js';
import { grantedFor, loggedInBefore, renewSession, type LoggedIn } from './sessions.js';

/** Sessions are renewed when what the provider said holds for less than this. */
const aheadMs = 60_000;
const sessionsMax = 1_000_000;
/** Maximum number of concurrent refreshes per provider. */
const atOnceMax = 8;
/** So many in a row, and a provider is left alone until the next run: where none answers, each session takes as long as a call may. */
const unansweredMax = 8;

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
  const due: DueSession[] = [];
  for await (const session of asPlugin.list(Session, { itemsMax: sessionsMax })) {
    const { metadata, spec } = session;
    if (isDue(session))
      due.push({ name: metadata.name, issuer: spec.issuer, awayMs: Math.abs(Date.parse(spec.validUntil) - clock.nowMs()) });
  }
  const renew = async ({ name }: DueSession): Promise<void> => {
    const session = await asPlugin.get(Session, { name });
    if (session !== undefined && isDue(session)) await refresh(session, parts, context);
  };
  const ofProviders = Map.groupBy(due, ({ issuer }) => issuer);
  await Promise.all(Array.from(ofProviders.values(), (sessions) => renewAll(sessions, renew, context)));
  signal.throwIfAborted();
}

interface DueSession {
  readonly name: string;
  readonly issuer: string;
  /** How far its end is from now, before or behind. */
  readonly awayMs: number;
}

/** Those of one provider: no other waits for it. Who has long been refused comes last, and keeps nobody from being asked about in time. */
async function renewAll(
  sessions: readonly DueSession[],
  renew: (session: DueSession) => Promise<void>,
  { log, signal }: Context,
): Promise<void> {
  const next = sessions.toSorted((a, b) => a.awayMs - b.awayMs).values();
  let unanswered = 0;
  const worker = async (): Promise<void> => {
    for (const session of next) {
      if (signal.aborted || unanswered >= unansweredMax) return;
      try {
        await renew(session);
        unanswered = 0;
      } catch (error) {
        // What goes wrong with one session is told, and keeps nobody from the others.
        log.warn('a session was not renewed and ends when it is not before long', { session: session.name, error });
        unanswered = isUnanswered(error) ? unanswered + 1 : 0;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnceMax }, worker));
}

function isUnanswered(error: unknown): boolean {
  return isTapError(error, 'IDENTITY_OIDC_PROVIDER_FAILED') || isTapError(error, 'TAP_ISSUER_UNAVAILABLE');
}

async function refresh(session: Immutable<SessionObject>, parts: RefreshParts, context: Context): Promise<void> {
  const { providers, tokens, sealing } = parts;
  const end = (why: string): Promise<void> => ended(session, why, parts.audit, context);
  const provider = providers.find(session.spec.issuer);
  const kept = await grantedFor(session, sealing);
  const refreshToken = kept?.refreshToken;
  if (provider === undefined || kept === undefined || refreshToken === undefined) return end('nothing can be asked about it any more');
  const granted = await grant(provider, refreshToken);
  if (typeof granted === 'string') return end(`the provider says ${granted}`);
  const keep = (login: LoggedIn): Promise<void> => renewSession(session, login, { context, sealing });
  const nowMs = context.clock.nowMs();
  // A provider may let the refresh token stay as it is, and may leave the ID token out: what it said last holds on,
  // as far as the settings of today let it say that.
  const before = { ...loggedInBefore(session, kept), refreshToken: granted.refresh_token ?? refreshToken };
  let login: LoggedIn;
  try {
    login =
      granted.id_token === undefined
        ? { ...before, caller: provider.callerOf(claimsOf(kept.idToken)), validUntilMs: validUntilMs(granted, nowMs) }
        : await loggedIn(granted, provider, tokens, nowMs);
  } catch (error) {
    // Whoever says so at a log-in is not let in either.
    if (isTapError(error, 'IDENTITY_OIDC_CLAIM_MISSING') || isTapError(error, 'IDENTITY_OIDC_CLAIM_FOREIGN')) return end(error.message);
    // The refresh token is another one now, and the one before may be good no more.
    await keep(before);
    throw error;
  }
  if (login.subject !== session.spec.subject) return end('the provider says that it is somebody else’s');
  return keep({ ...login, refreshToken: before.refreshToken });
}

/**
 * What a provider refuses because of whom the session is of, or of what was granted; of everything else, such as a client that it does not
 * know any more, the person knows nothing, and it may be mended.
 *
 * @source RFC 6749, section 5.2; OpenID Connect Core 1.0, section 3.1.2.6
 */
const endings: ReadonlySet<string> = new Set([
  'invalid_grant',
  'access_denied',
  'interaction_required',
  'login_required',
  'account_selection_required',
  'consent_required',
]);

/** What the provider grants, or the code with which it says that the session has ended there. */
async function grant(provider: Provider, refreshToken: string) {
  const configuration = await provider.configuration();
  try {
    return await provider.attempt('refresh', () => client.refreshTokenGrant(configuration, refreshToken));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined && endings.has(refusal)) return refusal;
    throw error;
  }
}

async function ended(session: Immutable<SessionObject>, why: string, audit: AuditRecorder, context: Context): Promise<void> {
  await endSession(session, why, { audit, context });
  context.log.info('a session was ended', { session: session.metadata.name, user: session.spec.user, why });
}
