import { X509Certificate } from 'node:crypto';
import { credentialErrors, type CertificateAuthority, type ClientCertificate } from '@tappaas/sdk';
import { serialOf, type RevocationLists } from './revocation-lists.js';

/**
 * Refuses a certificate if it, or an authority between it and the trusted one, was revoked by the authority above it. It is also refused if
 * that cannot be determined, because an authority has no list or an expired one.
 *
 * `chain` ends with the highest configured authority. That one is checked against its own list if it is self-signed, since a root can
 * revoke itself.
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

interface Lookup {
  readonly what: string;
  readonly lists: RevocationLists;
  readonly nowMs: number;
}

async function checkLink(serial: string, authority: CertificateAuthority, { what, lists, nowMs }: Lookup): Promise<void> {
  const list = await lists.of(authority);
  if (list === undefined) throw invalid(`there is no revocation list of ${nameOf(authority)}, which signed ${what}`);
  if (list.revoked.has(serialOf(serial))) throw invalid(`${what} was revoked`);
  if (list.untilMs !== undefined && list.untilMs <= nowMs)
    throw invalid(`the revocation list of ${nameOf(authority)}, which signed ${what}, is out of date`);
}

/** Cached because parsing a certificate costs more than a request, and all requests of a connection have the same authorities. */
const selfSigned = new WeakMap<CertificateAuthority, boolean>();

function isSelfSigned(authority: CertificateAuthority): boolean {
  const known = selfSigned.get(authority);
  if (known !== undefined) return known;
  const parsed = new X509Certificate(authority.certificate);
  const isRoot = parsed.checkIssued(parsed);
  selfSigned.set(authority, isRoot);
  return isRoot;
}

/** The authority's subject on one line, for messages. */
export function nameOf({ certificate }: Pick<CertificateAuthority, 'certificate'>): string {
  return `authority "${new X509Certificate(certificate).subject.replaceAll('\n', ', ')}"`;
}

function invalid(message: string): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message });
}
