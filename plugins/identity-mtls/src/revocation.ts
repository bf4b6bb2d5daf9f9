import { X509Certificate } from 'node:crypto';
import { credentialErrors, type CertificateAuthority, type ClientCertificate } from '@tappaas/sdk';
import { serialOf, type RevocationLists } from './revocation-lists.js';

/**
 * Refuses a certificate when it, or an authority between it and the one that is trusted, was revoked by the authority above it. What nobody
 * can know is refused, too: an authority above that has no list, or an old one.
 *
 * `chain`: up to the highest authority of ours. That one is asked about itself when it has signed itself, as a root may revoke itself.
 *
 * @throws TAP_CREDENTIAL_INVALID
 */
export async function checkRevocation(
  { serialNumber }: ClientCertificate,
  chain: readonly CertificateAuthority[],
  lists: RevocationLists,
  nowMs: number,
): Promise<void> {
  let below = serialNumber;
  for (const [index, authority] of chain.entries()) {
    const what = index === 0 ? 'the client certificate' : 'an authority of the client certificate';
    await checkLink(below, authority, { what, lists, nowMs });
    below = authority.serialNumber;
  }
  const root = chain.at(-1);
  if (root !== undefined && isSelfSigned(root)) await checkLink(below, root, { what: 'the root of the client certificate', lists, nowMs });
}

interface Asked {
  readonly what: string;
  readonly lists: RevocationLists;
  readonly nowMs: number;
}

async function checkLink(serial: string, authority: CertificateAuthority, { what, lists, nowMs }: Asked): Promise<void> {
  const list = await lists.of(authority);
  if (list === undefined) throw invalid(`there is no revocation list of ${nameOf(authority)}, which signed ${what}`);
  if (list.revoked.has(serialOf(serial))) throw invalid(`${what} was revoked`);
  if (list.untilMs !== undefined && list.untilMs <= nowMs)
    throw invalid(`the revocation list of ${nameOf(authority)}, which signed ${what}, is out of date`);
}

/** A connection has the same authorities for each of its requests, and parsing one costs more than a request. */
const selfSigned = new WeakMap<CertificateAuthority, boolean>();

function isSelfSigned(authority: CertificateAuthority): boolean {
  const known = selfSigned.get(authority);
  if (known !== undefined) return known;
  const parsed = new X509Certificate(authority.certificate);
  const isRoot = parsed.checkIssued(parsed);
  selfSigned.set(authority, isRoot);
  return isRoot;
}

/** Its subject on one line. */
export function nameOf({ certificate }: Pick<CertificateAuthority, 'certificate'>): string {
  return `authority "${new X509Certificate(certificate).subject.replaceAll('\n', ', ')}"`;
}

function invalid(message: string): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message });
}
