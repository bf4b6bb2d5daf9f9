import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '@tappaas/sdk';
import { issueHere, type CertificateIssuer, type KeyPair } from './certificate-issuer.js';
import { apiErrors } from '../errors.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

/** What a TLS listener needs, as PEM. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authorities whose client certificates are verified. Default: none is. */
  readonly clientAuthorities?: string;
}

/** The listener's certificate and the authority that clients trust it by. */
export interface LocalCertificates {
  /** PEM of the authority. */
  readonly authority: string;
  readonly tls: TlsMaterial;
  readonly notAfterMs: number;
}

export interface CertificateOptions {
  /** Made when absent, readable by its owner only. */
  readonly directory: string;
  /** Names and addresses that the listener is reached by, besides those of this machine itself. */
  readonly hosts: readonly string[];
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Default: the thread that asks. */
  readonly issuer?: CertificateIssuer;
}

const dayMs = 86_400_000;
const authorityRenewedBeforeMs = 90 * dayMs;
const serverRenewedBeforeMs = 30 * dayMs;
const alwaysNamed = ['localhost', '127.0.0.1', '::1'];

/**
 * The certificates of the API's listener: read from the directory, made on the first start, and made anew when they are about to
 * expire or do not name a host. A new authority means that clients need the new kubeconfig.
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

/** A certificate for a process of the platform, signed by the authority of the directory. @throws TAP_CERTIFICATE_UNUSABLE */
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

export interface CertificateKeeping {
  readonly renewed: (certificates: LocalCertificates) => void;
  /** A look failed: what is in use stays, and the next look tries again, which it has a month for. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Looks twice a day until the signal aborts, so that a platform that runs for years renews without a restart; never throws. */
export async function keepCertificatesFresh(
  options: CertificateOptions & { readonly clock: Clock },
  current: LocalCertificates,
  { renewed, failed, signal }: CertificateKeeping,
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

/** A pair of which only one file was written before a crash or on a full disk does not fit together, and is made anew like one that is not there. */
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

/** Node prints ::1 with all its zeros. */
function canonical(host: string): string {
  return host === '0:0:0:0:0:0:0:1' ? '::1' : host.toLowerCase();
}
