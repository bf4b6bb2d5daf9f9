import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '@tappaas/sdk';
import { issueHere, type CertificateIssuer, type KeyPair } from './certificate-issuer.js';
import { apiErrors } from '../errors.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

/** Keys and certificates of a TLS listener, as PEM. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authorities that client certificates are verified against. Default: none. */
  readonly clientAuthorities?: string;
}

/** The listener's certificate, and the authority that clients need to trust it. */
export interface LocalCertificates {
  /** PEM of the authority. */
  readonly authority: string;
  readonly tls: TlsMaterial;
  readonly notAfterMs: number;
}

export interface CertificateOptions {
  /** Created if absent, readable only by its owner. */
  readonly directory: string;
  /** Names and addresses of the listener, besides those of the machine itself. */
  readonly hosts: readonly string[];
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Default: the calling thread. */
  readonly issuer?: CertificateIssuer;
}

const dayMs = 86_400_000;
const authorityRenewedBeforeMs = 90 * dayMs;
const serverRenewedBeforeMs = 30 * dayMs;
const alwaysNamed = ['localhost', '127.0.0.1', '::1'];

/**
 * Returns the certificates of the API's listener from the directory. Issues them on the first start, and again when they are about to
 * expire or lack a host. After a new authority, clients need the new kubeconfig.
 *
 * @throws TAP_CERTIFICATE_UNUSABLE, TAP_FILE_EXPOSED
 */
export async function localCertificates(options: CertificateOptions): Promise<LocalCertificates> {
  const { clock, issuer = issueHere } = options;
  const nowMs = clock.nowMs();
  const hosts = [...new Set([...alwaysNamed, ...options.hosts])].filter((host) => host !== '0.0.0.0' && host !== '::');
  const stored = await readPair(options.directory, 'ca');
  const authority = stored !== undefined && isFresh(stored, nowMs + authorityRenewedBeforeMs) ? stored : await issuer.authority(nowMs);
  if (authority !== stored) await writePair(options.directory, 'ca', authority);
  const known = await readPair(options.directory, 'server');
  const serves =
    known !== undefined && isFresh(known, nowMs + serverRenewedBeforeMs) && isIssuedBy(known, authority) && namesAll(known, hosts);
  const server = serves ? known : await issuer.server(authority, hosts, nowMs);
  if (server !== known) await writePair(options.directory, 'server', server);
  return { authority: authority.certificate, tls: server, notAfterMs: parse(server).validToDate.getTime() };
}

/** Issues a certificate for a process of the platform, signed by the directory's authority. @throws TAP_CERTIFICATE_UNUSABLE */
export async function processCertificate(
  { directory, clock, issuer = issueHere }: Pick<CertificateOptions, 'directory' | 'clock' | 'issuer'>,
  user: { readonly name: string; readonly groups: readonly string[] },
  lifetimeMs: number,
): Promise<KeyPair> {
  const authority = await readPair(directory, 'ca');
  if (authority === undefined) throw apiErrors.TAP_CERTIFICATE_UNUSABLE({ message: `${directory} holds no authority` });
  return issuer.client(authority, user, clock.nowMs(), lifetimeMs);
}

const checkEveryMs = dayMs / 2;

export interface CertificateRenewal {
  readonly renewed: (certificates: LocalCertificates) => void;
  /** Called when a check failed: the present certificate stays, and the next check tries again; there is a month for that. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Checks twice a day until the signal aborts, so that a long-running platform renews without a restart; never throws. */
export async function keepCertificatesFresh(
  options: CertificateOptions & { readonly clock: Clock },
  current: LocalCertificates,
  { renewed, failed, signal }: CertificateRenewal,
): Promise<void> {
  let known = current;
  while (!signal.aborted) {
    await options.clock.sleep(checkEveryMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      const next = await localCertificates(options);
      if (next.tls.certificate !== known.tls.certificate) renewed(next);
      known = next;
    } catch (error) {
      failed(error);
    }
  }
}

/** Reads a pair. A key that does not match, after a crash or a full disk between the two writes, counts as missing, and is issued again. */
async function readPair(directory: string, name: string): Promise<KeyPair | undefined> {
  const certificate = await readPrivateFile(join(directory, `${name}.crt`));
  const key = await readPrivateFile(join(directory, `${name}.key`));
  if (certificate === undefined || key === undefined) return undefined;
  const pair = { certificate, key };
  return parse(pair).checkPrivateKey(privateKeyOf(pair)) ? pair : undefined;
}

async function writePair(directory: string, name: string, { certificate, key }: KeyPair): Promise<void> {
  await writePrivateFile(join(directory, `${name}.key`), key);
  await writePrivateFile(join(directory, `${name}.crt`), certificate);
}

function parse({ certificate }: KeyPair): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw apiErrors.TAP_CERTIFICATE_UNUSABLE({ message: 'a stored certificate cannot be read', cause });
  }
}

function privateKeyOf({ key }: KeyPair): KeyObject {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    throw apiErrors.TAP_CERTIFICATE_UNUSABLE({ message: 'the key of a stored certificate cannot be read', cause });
  }
}

function isFresh(pair: KeyPair, untilMs: number): boolean {
  return parse(pair).validToDate.getTime() > untilMs;
}

function isIssuedBy(pair: KeyPair, authority: KeyPair): boolean {
  return parse(pair).verify(parse(authority).publicKey);
}

function namesAll(pair: KeyPair, hosts: readonly string[]): boolean {
  const named = new Set((parse(pair).subjectAltName ?? '').split(', ').map((each) => canonical(each.replace(/^(?:DNS|IP Address):/, ''))));
  return hosts.every((host) => named.has(canonical(host)));
}

/** Node formats ::1 with all its zeros. */
function canonical(host: string): string {
  return host === '0:0:0:0:0:0:0:1' ? '::1' : host.toLowerCase();
}
