import { isTapError, type AuditRecorder, type Context, type Immutable, type SealingService, type TokenService } from '@tappaas/sdk';
import * as client from 'openid-client';
import { Session, type SessionObject } from './contract.js';
import { claimsOf, loggedIn, validUntilMs } from './granted.js';
import { refusalOf, type Provider } from './provider.js';
import type { Providers } from './providers.js';
import { endSession } from './recorded-sessions.js';
import { grantedFor, loggedInBefore, renewSession, type LoggedIn } from './sessions.js';

/** How long before the end of their validity the provider's statements are refreshed. */
const aheadMs = 60_000;
const sessionsMax = 1_000_000;
/** Maximum number of concurrent refreshes per provider. */
const atOnceMax = 8;
/**
 * Number of failures in a row after which a provider is skipped until the next run: with an unresponsive provider, each session takes a
 * whole timeout.
 */
const unansweredMax = 8;

/** The services and providers that a refresh needs. */
export interface RefreshParts {
  readonly providers: Providers;
  readonly tokens: TokenService;
  readonly sealing: SealingService;
  readonly audit: AuditRecorder;
}

/**
 * Refreshes the provider's statements about all logged-in users: sessions of users who are no longer accepted end; groups and tenant are
 * updated.
 */
export async function refreshSessions(parts: RefreshParts, context: Context): Promise<void> {
  const { signal, asPlugin, clock } = context;
  const dueMs = clock.nowMs() + aheadMs;
  const isDue = ({ spec: { validUntil, expiresAt } }: Immutable<SessionObject>): boolean =>
    validUntil !== expiresAt && Date.parse(validUntil) <= dueMs;
  // The list is read to its end first: refreshing may take longer than a list can be continued.
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
  /** Absolute distance of its validity's end from now. */
  readonly awayMs: number;
}

/**
 * Refreshes the sessions of one provider, independently of other providers. Sessions that have been failing for long come last, so that
 * they do not delay others beyond their validity.
 */
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
        // An error of one session is logged and does not stop the others.
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
  const stored = await grantedFor(session, sealing);
  const refreshToken = stored?.refreshToken;
  if (provider === undefined || stored === undefined || refreshToken === undefined) return end('nothing can be asked about it any more');
  const granted = await grant(provider, refreshToken);
  if (typeof granted === 'string') return end(`the provider says ${granted}`);
  const keep = (login: LoggedIn): Promise<void> => renewSession(session, login, { context, sealing });
  const nowMs = context.clock.nowMs();
  // A provider may keep the refresh token unchanged, and may omit the ID token: then its last statements remain valid, as far as the
  // present settings still allow them.
  const before = { ...loggedInBefore(session, stored), refreshToken: granted.refresh_token ?? refreshToken };
  let login: LoggedIn;
  try {
    login =
      granted.id_token === undefined
        ? { ...before, caller: provider.callerOf(claimsOf(stored.idToken)), validUntilMs: validUntilMs(granted, nowMs) }
        : await loggedIn(granted, provider, tokens, nowMs);
  } catch (error) {
    // Such a user could not log in either.
    if (isTapError(error, 'IDENTITY_OIDC_CLAIM_MISSING') || isTapError(error, 'IDENTITY_OIDC_CLAIM_FOREIGN')) return end(error.message);
    // The refresh token may have been rotated, so that the stored one is no longer valid.
    await keep(before);
    throw error;
  }
  if (login.subject !== session.spec.subject) return end('the provider answered the refresh for another user');
  return keep({ ...login, refreshToken: before.refreshToken });
}

/**
 * Refusals that end a session, because of the user or the grant. Any other refusal, such as an unknown client, is not the user's fault and
 * may be fixed.
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

/** Refreshes the tokens; returns them, or the code with which the provider ended the session. */
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
