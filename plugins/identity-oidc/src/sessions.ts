import { credentialErrors, type Caller, type Context, type Identity, type Immutable, type SealingService } from '@tappaas/sdk';
import { createToken, isToken, tokenId } from '@tappaas/sdk/bearer-token';
import { Session, type SessionObject } from './contract.js';

const sameIdMax = 4;
const hourMs = 3_600_000;

/** The result of a login or refresh at the provider. */
export interface LoggedIn {
  readonly issuer: string;
  readonly subject: string;
  readonly sid: string | undefined;
  readonly caller: Caller;
  readonly validUntilMs: number;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
}

/** A session, and the cookie that identifies it. */
export interface NewSession {
  readonly session: Immutable<SessionObject>;
  readonly cookie: string;
}

/** What reading and writing sessions needs. */
export interface SessionParts {
  readonly context: Pick<Context, 'asPlugin' | 'clock'>;
  readonly sealing: SealingService;
}

/** The tokens that a provider granted, stored for the duration of the session. */
interface Granted {
  readonly idToken: string;
  readonly refreshToken?: string;
}

/** Credential id of a session. */
export const credentialIdOf = ({ metadata }: Immutable<SessionObject>): string => `session:${metadata.uid}`;

export async function openSession(login: LoggedIn, hours: number, { context, sealing }: SessionParts): Promise<NewSession> {
  const { asPlugin, clock } = context;
  const { token: cookie, id, sha256 } = createToken();
  const { issuer, subject, sid, caller, refreshToken } = login;
  const expiresAtMs = clock.nowMs() + hours * hourMs;
  // Without a refresh token the provider cannot be asked again, so its statements are valid for the whole session.
  const validUntilMs = refreshToken === undefined ? expiresAtMs : Math.min(login.validUntilMs, expiresAtMs);
  const name = `oidc-${id}`;
  const session = await asPlugin.create(Session, {
    metadata: { name },
    spec: {
      issuer,
      subject,
      ...(sid !== undefined && { sid }),
      ...claimsOf(caller),
      cookieId: id,
      sha256,
      granted: await sealed(login, name, sealing),
      validUntil: new Date(validUntilMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    },
  });
  return { session, cookie };
}

/** The stored tokens; undefined for a session from a version that did not store them. @throws TAP_SEAL_BROKEN, TAP_SEAL_KEY_UNKNOWN */
export async function grantedFor({ metadata, spec }: Immutable<SessionObject>, sealing: SealingService): Promise<Granted | undefined> {
  return spec.granted === undefined ? undefined : (JSON.parse(await sealing.open(spec.granted, metadata.name)) as Granted);
}

/** The provider's last statements. */
export function loggedInBefore(session: Immutable<SessionObject>, granted: Granted): LoggedIn {
  const { issuer, subject, sid, validUntil } = session.spec;
  const { idToken, refreshToken } = granted;
  return { issuer, subject, sid, caller: holderOf(session), validUntilMs: Date.parse(validUntil), refreshToken, idToken };
}

/** Stores refreshed statements and tokens in one write, since the old tokens may no longer be valid. */
export async function renewSession(
  session: Immutable<SessionObject>,
  login: LoggedIn,
  { context: { asPlugin }, sealing }: SessionParts,
): Promise<void> {
  const { name } = session.metadata;
  const validUntil = new Date(Math.min(login.validUntilMs, Date.parse(session.spec.expiresAt))).toISOString();
  const granted = await sealed(login, name, sealing);
  await asPlugin.patch(Session, { name }, { spec: { tenant: null, ...claimsOf(login.caller), validUntil, granted } });
}

/** The session of a cookie; undefined when the cookie is unknown or its session has ended. */
export async function sessionOf(cookie: string, { asPlugin }: Pick<Context, 'asPlugin'>): Promise<Immutable<SessionObject> | undefined> {
  const id = tokenId(cookie);
  if (id === undefined) return undefined;
  for await (const session of asPlugin.list(Session, { fields: `spec.cookieId=${id}`, itemsMax: sameIdMax })) {
    if (isToken(cookie, session.spec) && session.metadata.deletionTimestamp === undefined) return session;
  }
  return undefined;
}

/** The logged-in user, by the provider's last statements. */
export function holderOf({ spec: { user, groups, tenant } }: Immutable<SessionObject>): Caller {
  return { name: user, groups, ...(tenant !== undefined && { tenant }) };
}

/** The identity of a session. @throws TAP_CREDENTIAL_EXPIRED */
export function identityOf(session: Immutable<SessionObject>, nowMs: number): Identity {
  const { user, validUntil, expiresAt } = session.spec;
  if (Math.min(Date.parse(validUntil), Date.parse(expiresAt)) <= nowMs) {
    throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: `the session of ${user} has expired` });
  }
  return {
    caller: holderOf(session),
    credentialId: credentialIdOf(session),
    expiresAtMs: Date.parse(expiresAt),
  };
}

function claimsOf({ name, groups, tenant }: Caller): {
  readonly user: string;
  readonly groups: readonly string[];
  readonly tenant?: string;
} {
  return { user: name, groups, ...(tenant !== undefined && { tenant }) };
}

function sealed({ idToken, refreshToken }: LoggedIn, session: string, sealing: SealingService): Promise<string> {
  const granted: Granted = { idToken, ...(refreshToken !== undefined && { refreshToken }) };
  return sealing.seal(JSON.stringify(granted), session);
}
