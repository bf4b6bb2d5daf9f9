// oxlint-disable-next-line import/no-unassigned-import -- the library needs the polyfill before it is loaded
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PemConverter, X509Certificate as Certificate, X509Crl } from '@peculiar/x509';
import { errors } from './errors.js';

/** An authority, and what it has revoked. */
export interface Authority {
  readonly fingerprint256: string;
  readonly pem: string;
  /** Serial numbers, upper-case hexadecimal without leading zeros; absent: there is no list of it. */
  readonly revoked?: ReadonlySet<string>;
  /** The list is out of date then, milliseconds since the epoch. */
  readonly listUntilMs?: number;
}

/** What the files say; equal texts are the same trust. */
export interface Trust {
  readonly text: string;
  readonly authorities: ReadonlyMap<string, Authority>;
}

const authoritiesMax = 1000;

/** Reads the files. The same `before` comes back when they say what they said. @throws IDENTITY_MTLS_FILE_UNUSABLE */
export async function readTrust(authoritiesFile: string, revocationsFile: string | undefined, before?: Trust): Promise<Trust> {
  const bundle = await textOf(authoritiesFile);
  const lists = revocationsFile === undefined ? '' : await textOf(revocationsFile);
  const text = `${bundle}\0${lists}`;
  if (before?.text === text) return before;
  const certificates = certificatesOf(bundle, authoritiesFile);
  const crls = revocationsFile === undefined ? [] : crlsOf(lists, revocationsFile);
  const authorities = await Promise.all(certificates.map((certificate) => authorityOf(certificate, crls)));
  return { text, authorities: new Map(authorities.map((authority) => [authority.fingerprint256, authority])) };
}

/** A serial number in the form that is compared. */
export const serialOf = (hex: string): string => hex.replace(/^0+(?=.)/, '').toUpperCase();

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw unusable(file, 'it cannot be read', cause);
  });
}

const certificateForm = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

function certificatesOf(bundle: string, file: string): readonly X509Certificate[] {
  const found = bundle.match(certificateForm) ?? [];
  if (found.length === 0 || found.length > authoritiesMax)
    throw unusable(file, `expected 1 to ${authoritiesMax} certificates, found ${found.length}`);
  return found.map((pem, index) => {
    try {
      const certificate = new X509Certificate(pem);
      if (certificate.ca) return certificate;
    } catch (cause) {
      throw unusable(file, `certificate ${index + 1} cannot be read`, cause);
    }
    throw unusable(file, `certificate ${index + 1} is no authority's`);
  });
}

/** What stands in the first line of a list: OpenSSL's word, and that of others. */
const listLabels = new Set(['X509 CRL', 'CRL']);

function crlsOf(text: string, file: string): readonly X509Crl[] {
  let lists: readonly X509Crl[];
  try {
    lists = PemConverter.decodeWithHeaders(text)
      .filter(({ type }) => listLabels.has(type))
      .map(({ rawData }) => new X509Crl(rawData));
  } catch (cause) {
    throw unusable(file, 'a revocation list cannot be read', cause);
  }
  if (lists.length === 0) throw unusable(file, 'it holds no revocation list');
  return lists;
}

/** A list counts for the authority whose key has signed it, whatever name it carries. */
async function authorityOf(certificate: X509Certificate, crls: readonly X509Crl[]): Promise<Authority> {
  const { publicKey } = new Certificate(certificate.raw);
  const pem = certificate.toString();
  const { fingerprint256 } = certificate;
  const signed: X509Crl[] = [];
  for (const crl of crls) if (await crl.verify({ publicKey }, webcrypto as never).catch(() => false)) signed.push(crl);
  const newest = signed.toSorted((one, other) => one.thisUpdate.getTime() - other.thisUpdate.getTime()).at(-1);
  if (newest === undefined) return { fingerprint256, pem };
  const revoked = new Set(newest.entries.map(({ serialNumber }) => serialOf(serialNumber)));
  return { fingerprint256, pem, revoked, ...(newest.nextUpdate && { listUntilMs: newest.nextUpdate.getTime() }) };
}

function unusable(file: string, problem: string, cause?: unknown): Error {
  return errors.IDENTITY_MTLS_FILE_UNUSABLE({ message: `${file}: ${problem}`, ...(cause !== undefined && { cause }) });
}
