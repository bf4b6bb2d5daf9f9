import { credentialErrors, type Caller, type Context, type Credentials, type Identity, type Immutable } from '@tappaas/sdk';
import { bearerToken, isToken, tokenId } from '@tappaas/sdk/bearer-token';
import { ApiToken, type ApiTokenObject } from './contract.js';
import type { LastUses } from './last-uses.js';
import { credentialIdOf } from './made-with.js';

type Token = Immutable<ApiTokenObject>;

/** Ids are random, so several tokens with the same id can only be copies of one object. */
const sameIdMax = 4;

/** Authenticates a bearer token from the watch cache. @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED */
export async function authenticateToken(
  { headers }: Credentials,
  { asPlugin, clock }: Pick<Context, 'asPlugin' | 'clock'>,
  uses: LastUses,
): Promise<Identity | undefined> {
  const text = bearerToken(headers);
  const id = text === undefined ? undefined : tokenId(text);
  if (text === undefined || id === undefined) return undefined;
  const nowMs = clock.nowMs();
  for await (const token of asPlugin.list(ApiToken, { fields: `spec.tokenId=${id}`, itemsMax: sameIdMax })) {
    const { sha256 } = token.spec;
    if (sha256 === undefined || !isToken(text, { sha256 }) || token.metadata.deletionTimestamp !== undefined) continue;
    const identity = identityOf(token);
    if (identity.expiresAtMs !== undefined && identity.expiresAtMs <= nowMs) {
      throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: `the token "${token.metadata.name}" has expired` });
    }
    uses.note(token.metadata.name, nowMs);
    return identity;
  }
  throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'the token is not valid' });
}

function identityOf(token: Token): Identity {
  const { user = '', groups = [], tenant, scope, expiresAt } = token.spec;
  const caller: Caller = { name: user, groups, ...(tenant !== undefined && { tenant }), ...(scope !== undefined && { scope }) };
  return { caller, credentialId: credentialIdOf(token), ...(expiresAt !== undefined && { expiresAtMs: Date.parse(expiresAt) }) };
}
