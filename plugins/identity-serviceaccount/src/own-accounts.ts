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

/** Claims that the platform writes into service account tokens. */
interface OwnClaims {
  readonly serviceaccount?: { readonly uid?: unknown };
  readonly secret?: { readonly name?: unknown; readonly uid?: unknown };
}

/**
 * Authenticates a token of the platform's own service accounts. It is valid while its namespace exists, and while the account and the
 * object it is bound to exist with the same uid. Its scope is that of the credential that requested it.
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
  // Without the namespace the tenant is unknown, and a caller without a tenant would be outside every tenant boundary.
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
