import { X509Certificate } from 'node:crypto';
import { administratorsGroup, type ClientCertificate, credentialErrors, type Identity } from '@tappaas/sdk';
import type { ChainedAuthenticator } from './authenticator-chain.js';
import { identityErrors } from './errors.js';

/** A certificate and its private key, as PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** The user that a certificate is issued to. */
export interface ProcessUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Certificates that identify processes of the platform, such as a node agent. */
export interface ProcessCertificates extends ChainedAuthenticator {
  /** Trusts certificates of this authority from now on; no one else may have its key. */
  trust(authority: string): void;
  /** PEM of that authority. */
  readonly authority: string;
  /**
   * Issues a certificate; the same user of the same engine gets the same one until half its lifetime has passed. @throws
   * TAP_CREDENTIAL_TOO_MANY
   */
  issue(engine: string, user: ProcessUser): Promise<IssuedCertificate>;
}

export interface ProcessCertificateOptions {
  /** Signs with the platform's own authority. */
  readonly sign: (user: ProcessUser, lifetimeMs: number) => Promise<IssuedCertificate>;
  readonly clock: { nowMs(): number };
}

const usersMax = 1000;
const lifetimeMs = 24 * 3_600_000;

/** The group whose members have full access to that engine, and none elsewhere. */
const engineGroup = (engine: string): string => `system:engine:${engine}`;

export function createProcessCertificates({ sign, clock }: ProcessCertificateOptions): ProcessCertificates {
  const issued = new Map<string, { readonly certificate: Promise<IssuedCertificate>; readonly renewAtMs: number }>();
  /** Drops certificates that were not renewed in time, since their users are gone. @throws TAP_CREDENTIAL_TOO_MANY */
  const makeRoom = (engine: string, nowMs: number): void => {
    for (const [key, { renewAtMs }] of issued) if (renewAtMs <= nowMs) issued.delete(key);
    if (issued.size < usersMax) return;
    const freeInMs = Math.min(...[...issued.values()].map(({ renewAtMs }) => renewAtMs)) - nowMs;
    throw identityErrors.TAP_CREDENTIAL_TOO_MANY({
      message: `engine "${engine}": ${usersMax} users of engines have certificates, and the next place is free in ${Math.ceil(freeInMs / 60_000)} minutes`,
    });
  };
  let authority = '';
  let fingerprint: string | undefined;
  return {
    name: 'process',
    reads: [],
    get authority() {
      return authority;
    },
    trust(pem) {
      authority = pem;
      fingerprint = new X509Certificate(pem).fingerprint256;
    },
    authenticate({ clientCertificate }) {
      if (clientCertificate === undefined || clientCertificate.authorities[0]?.fingerprint256 !== fingerprint) return undefined;
      if (clientCertificate.notAfterMs <= clock.nowMs()) {
        throw credentialErrors.TAP_CREDENTIAL_EXPIRED({ message: 'the certificate of the process has expired' });
      }
      return identityOf(clientCertificate);
    },
    issue(engine, { name, groups }) {
      const key = JSON.stringify([engine, name, groups]);
      const nowMs = clock.nowMs();
      const known = issued.get(key);
      if (known !== undefined && nowMs < known.renewAtMs) return known.certificate;
      if (known === undefined && issued.size >= usersMax) makeRoom(engine, nowMs);
      const members = [...groups.filter((group) => group !== administratorsGroup), engineGroup(engine)];
      const certificate = sign({ name, groups: members }, lifetimeMs);
      issued.set(key, { certificate, renewAtMs: nowMs + lifetimeMs / 2 });
      certificate.catch(() => issued.delete(key));
      return certificate;
    },
  };
}

const known = new WeakMap<ClientCertificate, Identity>();

/** Returns the same object for the same connection, so that caches by identity work. */
function identityOf(certificate: ClientCertificate): Identity {
  const { subject, serialNumber, notAfterMs } = certificate;
  const caller = { name: subject['CN']?.[0] ?? '', groups: subject['O'] ?? [] };
  const identity = known.get(certificate) ?? { caller, credentialId: `process:${serialNumber}`, expiresAtMs: notAfterMs };
  known.set(certificate, identity);
  return identity;
}
