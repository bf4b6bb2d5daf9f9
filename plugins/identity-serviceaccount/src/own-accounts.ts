import {
  type Context,
  credentialErrors,
  type Identity,
  type JwtClaims,
  jwtEndMs,
  type Resources,
  serviceAccountGroups,
  serviceAccountUser,
  tenantLabel,
  type TokenService,
} from '@tappaas/sdk';
import { accountOf, namespaces, secrets, serviceAccounts } from './service-accounts.js';
import { scopeOfClaims } from './token-scope.js';

/** What the platform has written into its tokens of service accounts. */
interface OwnClaims {
  readonly serviceaccount?: { readonly uid?: unknown };
  readonly secret?: { readonly name?: unknown; readonly uid?: unknown };
}

/**
 * Who a token of the platform's own service accounts stands for: as long as its namespace is there, and the account and what the token is bound
 * to are the very ones that it was made for. Its scope is that of the credential with which it was requested.
 *
 * @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED
 */
export async function ownAccount(
  token: string,
  audiences: readonly string[],
  tokens: TokenService,
  { asPlugin }: Pick<Context, 'asPlugin'>,
): Promise<Identity> {
  const claims = await tokens.verify(token, { audiences });
  const account = accountOf(claims.sub);
  if (account === undefined) throw invalid('the token is no service account’s');
  const { namespace, name } = account;
  const uid = await checkAccount(claims, account, asPlugin);
  const place = await asPlugin.get(namespaces, { name: namespace });
  // Of one that is not there nobody knows the tenant, and a caller of no tenant stands outside of every boundary.
  if (place === undefined || place.metadata.deletionTimestamp !== undefined) throw invalid('the namespace of the service account is gone');
  const tenant = place.metadata.labels?.[tenantLabel];
  const scope = scopeOfClaims(claims);
  return {
    caller: {
      name: serviceAccountUser(namespace, name),
      groups: serviceAccountGroups(namespace),
      ...(tenant !== undefined && { tenant }),
      ...(scope !== undefined && { scope }),
    },
    credentialId: `serviceaccount:${uid}`,
    expiresAtMs: jwtEndMs(claims),
    audiences: [claims.aud].flat().filter((audience) => audiences.includes(audience)),
  };
}

async function checkAccount(
  claims: JwtClaims,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  resources: Resources,
): Promise<string> {
  const { serviceaccount, secret } = (claims['kubernetes.io'] ?? {}) as OwnClaims;
  const found = await resources.get(serviceAccounts, { namespace, name });
  const { uid, deletionTimestamp } = found?.metadata ?? {};
  if (uid === undefined || uid !== serviceaccount?.uid || deletionTimestamp !== undefined) throw invalid('the service account is gone');
  if (secret !== undefined) {
    const bound = typeof secret.name === 'string' ? await resources.get(secrets, { namespace, name: secret.name }) : undefined;
    if (bound === undefined || bound.metadata.uid !== secret.uid || bound.metadata.deletionTimestamp !== undefined) {
      throw invalid('what the token is bound to is gone');
    }
  }
  return uid;
}

function invalid(message: string): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message });
}
