import {
  isTenantName,
  credentialErrors,
  isOfOtherSite,
  type Caller,
  type CertificateAuthority,
  type ClientCertificate,
  type Credentials,
  type Identity,
} from '@tappaas/sdk';
import { checkRevocation } from './revocation.js';
import { serialOf } from './revocation-lists.js';
import type { Settings } from './settings.js';
import type { Trust } from './trust-files.js';

const hourMs = 3_600_000;
const nameCharsMax = 256;
const groupsMax = 64;
const printable = /^[\x20-\x7e]+$/;

/** The id by which caches and open streams know a certificate: the authority that issued it, and its serial number there. */
export const credentialIdOf = (authority: string, serial: string): string => `certificate:${authority}:${serial}`;

/**
 * Who a client certificate stands for, or whom its front proxy speaks for. The listener has verified the signatures; here it is settled
 * whether an authority of ours is above it now, and whether the certificate is still good. Nothing when all of them are somebody else's.
 *
 * @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED
 */
export async function certificateIdentity(
  credentials: Credentials,
  settings: Settings,
  { authorities, lists }: Trust,
  nowMs: number,
): Promise<Identity | undefined> {
  const { clientCertificate: certificate } = credentials;
  const above = certificate?.authorities ?? [];
  const chain = above.slice(0, 1 + above.findLastIndex(({ fingerprint256 }) => authorities.has(fingerprint256)));
  const [issuer] = chain;
  if (certificate === undefined || issuer === undefined) return undefined;
  const expiresAtMs = checkTimes(certificate, chain, settings, nowMs);
  if (lists !== undefined) await checkRevocation(certificate, chain, lists, nowMs);
  const spoken = spokenFor(credentials, certificate, settings);
  // Of whom a proxy speaks for, it has found out by itself what page was meant.
  if (spoken === undefined && isOfOtherSite(credentials.headers))
    throw invalid('a page of another site made the browser send the client certificate');
  return {
    caller: spoken ?? holderOf(certificate, settings),
    credentialId: credentialIdOf(issuer.fingerprint256, serialOf(certificate.serialNumber)),
    expiresAtMs,
  };
}

/** Answers when the first of them ends. */
function checkTimes(
  { notBeforeMs, notAfterMs }: ClientCertificate,
  chain: readonly CertificateAuthority[],
  { lifetimeHoursMax }: Settings,
  nowMs: number,
): number {
  const endMs = Math.min(notAfterMs, ...chain.map((authority) => authority.notAfterMs));
  if (notAfterMs <= nowMs) throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'the client certificate has expired' });
  if (endMs <= nowMs) throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'an authority of the client certificate has expired' });
  if (lifetimeHoursMax !== undefined && notAfterMs - notBeforeMs > lifetimeHoursMax * hourMs) {
    throw invalid(`the client certificate lives longer than ${lifetimeHoursMax} hours`);
  }
  return endMs;
}

/** The user that a trusted proxy names in its headers, which are ignored from any other client. */
function spokenFor(
  { headerValues = {} }: Credentials,
  certificate: ClientCertificate,
  { frontProxy, tenant }: Settings,
): Caller | undefined {
  if (frontProxy === undefined || !frontProxy.names.includes(certificate.subject['CN']?.[0] ?? '')) return undefined;
  const users = headerValues[frontProxy.userHeader] ?? [];
  if (users.length === 0) return undefined;
  if (users.length > 1) throw invalid(`header ${frontProxy.userHeader} was sent more than once`);
  const groups = headerValues[frontProxy.groupHeader] ?? [];
  if (groups.length > groupsMax)
    throw invalid(`header ${frontProxy.groupHeader} was sent ${groups.length} times, at most ${groupsMax} are allowed`);
  const tenants = headerValues[frontProxy.tenantHeader] ?? [];
  if (tenants.length > 1) throw invalid(`header ${frontProxy.tenantHeader} was sent more than once`);
  const [named] = tenants;
  if (named !== undefined && !isTenantName(named))
    throw invalid(`header ${frontProxy.tenantHeader}: expected the name of a tenant, as a label may say it`);
  const belongs = tenant ?? named;
  return {
    name: checked(users[0], frontProxy.userHeader),
    groups: groups.map((group) => checked(group, frontProxy.groupHeader)),
    ...(belongs !== undefined && { tenant: belongs }),
  };
}

function holderOf(certificate: ClientCertificate, { user, groups, prefix, tenant }: Settings): Caller {
  const name = user === 'CN' ? certificate.subject['CN']?.[0] : alternativeName(certificate, user);
  const members = groups === 'none' ? [] : (certificate.subject[groups] ?? []);
  // What is left out could be the very group to which something is forbidden.
  if (members.length > groupsMax)
    throw invalid(`the client certificate has ${members.length} times subject ${groups}, at most ${groupsMax} are allowed`);
  return {
    name: prefix + checked(name, user === 'CN' ? 'subject CN' : `alternative name of type ${user}`),
    groups: members.map((group) => prefix + checked(group, `subject ${groups}`)),
    ...(tenant !== undefined && { tenant }),
  };
}

function alternativeName({ subjectAltNames }: ClientCertificate, type: string): string | undefined {
  return subjectAltNames.find((each) => each.startsWith(`${type}:`))?.slice(type.length + 1);
}

function checked(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw invalid(`the client certificate has no ${what}`);
  if (value.length > nameCharsMax || !printable.test(value))
    throw invalid(`${what}: expected at most ${nameCharsMax} printable characters`);
  return value;
}

function invalid(message: string): Error {
  return credentialErrors.TAP_CREDENTIAL_INVALID({ message });
}
