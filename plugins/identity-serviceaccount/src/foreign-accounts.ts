import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { credentialErrors, jwtEndMs, type Identity, type TokenService } from '@tappaas/sdk';
import { accountOf } from './service-accounts.js';
import type { Settings } from './settings.js';

type Issuer = Settings['issuers'][number];
type Reviewer = Settings['reviewers'][number];

/**
 * A cluster whose service accounts are accepted. `identify` returns the identity of a token, and throws when the token is not valid there.
 */
export interface ForeignCluster {
  readonly issuer: string;
  readonly identify: (token: string) => Promise<Identity>;
}

/** The configured clusters, in order. */
export function foreignClusters({ issuers, reviewers }: Settings, tokens: TokenService): readonly ForeignCluster[] {
  return [
    ...issuers.map((each) => ({ issuer: each.issuer, identify: (token: string) => byKeys(each, token, tokens) })),
    ...reviewers.map((each) => ({ issuer: each.issuer, identify: (token: string) => byReview(each, token, tokens) })),
  ];
}

/** @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED, TAP_ISSUER_UNAVAILABLE */
async function byKeys(cluster: Issuer, token: string, tokens: TokenService): Promise<Identity> {
  const { issuer, jwksUrl, audiences, allowedAddresses } = cluster;
  const claims = await tokens.verify(token, {
    audiences,
    issuer: {
      issuer,
      allowedAddresses,
      ...(jwksUrl !== undefined && { jwksUrl }),
      ...(await authorityOf(cluster.certificateAuthorityFile)),
      ...(cluster.token !== undefined && { token: cluster.token.text() }),
    },
  });
  return { ...identityOf(cluster, claims.sub, token), expiresAtMs: jwtEndMs(claims) };
}

async function byReview(cluster: Reviewer, token: string, tokens: TokenService): Promise<Identity> {
  const { server, audiences, allowedAddresses } = cluster;
  const reviewer = { server, allowedAddresses, token: cluster.token.text(), ...(await authorityOf(cluster.certificateAuthorityFile)) };
  const user = await tokens.review(token, reviewer, audiences.length === 0 ? undefined : audiences);
  if (user === undefined) throw invalid(`cluster ${cluster.name} does not know the token`);
  return identityOf(cluster, user.username, token);
}

/** Prefixes users and groups with the cluster's name, so that none of them has a name of this platform. */
function identityOf({ name, tenant }: Issuer | Reviewer, subject: unknown, token: string): Identity {
  const account = accountOf(subject);
  if (account === undefined) throw invalid('the token is no service account’s');
  const groups = [`${name}:system:serviceaccounts`, `${name}:system:serviceaccounts:${account.namespace}`];
  const user = `${name}:system:serviceaccount:${account.namespace}:${account.name}`;
  const digest = createHash('sha256').update(token).digest('hex').slice(0, 16);
  return { caller: { name: user, groups, ...(tenant !== undefined && { tenant }) }, credentialId: `serviceaccount:${name}:${digest}` };
}

/** Read on each use, so that a replaced file takes effect at once. */
async function authorityOf(file: string | undefined): Promise<{ readonly certificateAuthority?: string }> {
  if (file === undefined) return {};
  try {
    return { certificateAuthority: await readFile(file, 'utf8') };
  } catch (cause) {
    throw credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `the certificate authority ${file} cannot be read`, cause });
  }
}

function invalid(message: string): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message });
}
