import { credentialErrors, type Caller, type Context, type Identity, type Immutable, type KubernetesSecret } from '@tappaas/sdk';
import { createToken, isToken, tokenId } from '@tappaas/sdk/bearer-token';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { Session, type SessionObject } from './contract.js';

/** What the provider gave, kept encrypted as every Secret is. */
export const Secret = kubernetesHandle<KubernetesSecret>('', 'Secret');

/** Where the Secrets of sessions lie. */
const secretsNamespace = 'tappaas-system';
const sameIdMax = 4;
const hourMs = 3_600_000;

/** What a log-in ends with. */
export interface LoggedIn {
  readonly issuer: string;
  readonly subject: string;
  readonly sid: string | undefined;
  readonly caller: Caller;
  readonly validUntilMs: number;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
}

/** A session with the cookie that it is known by. */
export interface NewSession {
  readonly session: Immutable<SessionObject>;
  readonly cookie: string;
}

type Parts = Pick<Context, 'asPlugin' | 'clock'>;

/** The id by which caches and open streams know a session. */
export const credentialIdOf = ({ metadata }: Immutable<SessionObject>): string => `session:${metadata.uid}`;

export async function openSession(login: LoggedIn, hours: number, { asPlugin, clock }: Parts): Promise<NewSession> {
  const { token: cookie, id, sha256 } = createToken();
  const { issuer, subject, sid, caller, refreshToken } = login;
  const expiresAtMs = clock.nowMs() + hours * hourMs;
  // Without a refresh token the provider cannot be asked again: what it said holds for the session.
  const validUntilMs = refreshToken === undefined ? expiresAtMs : Math.min(login.validUntilMs, expiresAtMs);
  const session = await asPlugin.create(Session, {
    metadata: { name: `oidc-${id}` },
    spec: {
      issuer,
      subject,
      ...(sid !== undefined && { sid }),
      ...claimsOf(caller),
      cookieId: id,
      sha256,
      validUntil: new Date(validUntilMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    },
  });
  const { name, uid } = session.metadata;
  const ownerReferences = [{ apiVersion: 'identity.tappaas.dev/v1alpha1', kind: 'Session', name, uid, controller: true }];
  await asPlugin.create(Secret, {
    metadata: { name, namespace: secretsNamespace, ownerReferences },
    type: 'tappaas.dev/session',
    data: secretData(login),
  });
  return { session, cookie };
}

/** What the provider gave; nothing when the session's Secret has gone. */
export async function tokensOf(
  { metadata }: Immutable<SessionObject>,
  { asPlugin }: Parts,
): Promise<{ readonly idToken: string; readonly refreshToken: string | undefined } | undefined> {
  const secret = await asPlugin.get(Secret, { namespace: secretsNamespace, name: metadata.name });
  const text = (key: string) => {
    const encoded = secret?.data?.[key];
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  };
  const idToken = text('idToken');
  return idToken === undefined ? undefined : { idToken, refreshToken: text('refreshToken') };
}

/** Keeps what the provider said when it was asked again; its tokens first, since the old ones may be good no more. */
export async function renewSession(session: Immutable<SessionObject>, login: LoggedIn, { asPlugin }: Parts): Promise<void> {
  const { name } = session.metadata;
  await asPlugin.patch(Secret, { namespace: secretsNamespace, name }, { data: secretData(login) });
  const validUntil = new Date(Math.min(login.validUntilMs, Date.parse(session.spec.expiresAt))).toISOString();
  await asPlugin.patch(Session, { name }, { spec: { tenant: null, ...claimsOf(login.caller), validUntil } });
}

/** The session that a cookie is of; nothing when it is none of ours or has been ended. */
export async function sessionOf(cookie: string, { asPlugin }: Pick<Context, 'asPlugin'>): Promise<Immutable<SessionObject> | undefined> {
  const id = tokenId(cookie);
  if (id === undefined) return undefined;
  for await (const session of asPlugin.list(Session, { fields: `spec.cookieId=${id}`, itemsMax: sameIdMax })) {
    if (isToken(cookie, session.spec) && session.metadata.deletionTimestamp === undefined) return session;
  }
  return undefined;
}

/** @throws TAP_CREDENTIAL_EXPIRED */
export function identityOf(session: Immutable<SessionObject>, nowMs: number): Identity {
  const { user, groups, tenant, validUntil, expiresAt } = session.spec;
  if (Math.min(Date.parse(validUntil), Date.parse(expiresAt)) <= nowMs) {
    throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: `the session of ${user} has expired` });
  }
  return {
    caller: { name: user, groups, ...(tenant !== undefined && { tenant }) },
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

function secretData({ idToken, refreshToken }: LoggedIn): Readonly<Record<string, string>> {
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  return { idToken: encoded(idToken), ...(refreshToken !== undefined && { refreshToken: encoded(refreshToken) }) };
}
