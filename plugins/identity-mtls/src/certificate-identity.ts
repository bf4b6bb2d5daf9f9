import { credentialErrors, type Caller, type ClientCertificate, type Credentials, type Identity } from '@tappaas/sdk';
import type { Settings } from './settings.js';
import { serialOf, type Authority, type Trust } from './trust-files.js';

const hourMs = 3_600_000;
const nameCharsMax = 256;
const groupsMax = 64;
/** What a label may say: a name like `=acme` would become part of a selector. */
const tenantName = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const printable = /^[\x20-\x7e]+$/;

/** The id by which caches and open streams know a certificate. */
export const credentialIdOf = (authority: string, serial: string): string => `certificate:${authority}:${serial}`;

/**
 * Who a client certificate stands for, or whom its front proxy speaks for. The listener has verified the signatures; here it is settled
 * whether the authority is one of ours now, and whether the certificate is still good. Nothing when the authority is somebody else's.
 *
 * @throws TAP_CREDENTIAL_INVALID, TAP_CREDENTIAL_EXPIRED
 */
export function certificateIdentity(credentials: Credentials, settings: Settings, trust: Trust, nowMs: number): Identity | undefined {
  const { clientCertificate: certificate } = credentials;
  const authority = certificate && authorityOf(certificate, trust);
  if (certificate === undefined || authority === undefined) return undefined;
  check(certificate, authority, settings, nowMs);
  const { notAfterMs, serialNumber } = certificate;
  const spoken = spokenFor(credentials, certificate, settings);
  return {
    caller: spoken ?? holderOf(certificate, settings),
    credentialId: credentialIdOf(authority.fingerprint256, serialOf(serialNumber)),
    expiresAtMs: notAfterMs,
  };
}

/** The nearest authority of ours on the way to the root: the one whose list is about this certificate, when it has issued it itself. */
function authorityOf({ authorities }: ClientCertificate, trust: Trust): Authority | undefined {
  const known = authorities.find((fingerprint) => trust.authorities.has(fingerprint));
  return known === undefined ? undefined : trust.authorities.get(known);
}

function check(certificate: ClientCertificate, authority: Authority, { lifetimeHoursMax }: Settings, nowMs: number): void {
  const { notBeforeMs, notAfterMs, serialNumber } = certificate;
  if (notAfterMs <= nowMs) throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'the client certificate has expired' });
  if (authority.revoked?.has(serialOf(serialNumber)) === true) throw invalid('the client certificate was revoked');
  if (authority.listUntilMs !== undefined && authority.listUntilMs <= nowMs) {
    throw invalid('the revocation list of the authority that signed the client certificate is out of date');
  }
  if (lifetimeHoursMax !== undefined && notAfterMs - notBeforeMs > lifetimeHoursMax * hourMs) {
    throw invalid(`the client certificate lives longer than ${lifetimeHoursMax} hours`);
  }
}

/** Whom a trusted proxy names in its headers; they count for nothing from anybody else. */
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
  if (named !== undefined && !tenantName.test(named))
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
  return {
    name: prefix + checked(name, user === 'CN' ? 'subject CN' : `alternative name of type ${user}`),
    groups: members.slice(0, groupsMax).map((group) => prefix + checked(group, `subject ${groups}`)),
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
