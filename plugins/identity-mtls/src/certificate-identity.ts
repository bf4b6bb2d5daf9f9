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

/** Credential id of a certificate: its issuer and its serial number there. */
export const credentialIdOf = (authority: string, serial: string): string => `certificate:${authority}:${serial}`;

/**
 * Identifies the caller of a client certificate, or the user that its front proxy vouches for. The listener has verified the signatures;
 * this checks that a configured authority is above the certificate now, and that the chain up to it is neither expired nor revoked.
 * Undefined if none of the certificate's authorities is configured.
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
  // A front proxy itself must defend against cross-site requests of the users it vouches for.
  if (spoken === undefined && isOfOtherSite(credentials.headers))
    throw invalid('a page of another site made the browser send the client certificate');
  return {
    caller: spoken ?? holderOf(certificate, settings),
    credentialId: credentialIdOf(issuer.fingerprint256, serialOf(certificate.serialNumber)),
    expiresAtMs,
  };
}

/** Checks lifetimes; returns when the first certificate of the chain expires. */
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

/** The user that a trusted front proxy names in its headers, which are ignored from any other client. */
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
  // Groups are never truncated: a dropped group could be the one to which something is forbidden.
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
