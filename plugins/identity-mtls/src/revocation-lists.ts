// oxlint-disable-next-line import/no-unassigned-import -- the library needs the polyfill before it is loaded
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import type { CertificateAuthority } from '@tappaas/sdk';
import { PemConverter, X509Certificate as Certificate, X509Crl } from '@peculiar/x509';
import { unusable } from './errors.js';

/** The revocation list of one authority. */
export interface RevocationList {
  /** Revoked serial numbers, normalized by `serialOf`. */
  readonly revoked: ReadonlySet<string>;
  /** When the list expires, milliseconds since the epoch. */
  readonly untilMs?: number;
}

/** Maximum number of cached lists, of authorities from the file and from clients. */
const rememberedMax = 2000;

/** Normalizes a serial number for comparison: upper-case hexadecimal without leading zeros. */
export const serialOf = (hex: string): string => hex.replace(/^0+(?=.)/, '').toUpperCase();

/** PEM labels of a revocation list: OpenSSL's and that of other programs. */
const listLabels = new Set(['X509 CRL', 'CRL']);

/**
 * Extensions of lists that are not complete lists of their authority, with the message for each. Only complete lists are supported.
 *
 * @source RFC 5280, sections 5.2.4 and 5.2.5
 */
const meanings: ReadonlyMap<string, string> = new Map([
  ['2.5.29.27', 'has only the changes since another list (delta CRL); put the complete list there'],
  ['2.5.29.28', 'is about a part of its certificates (issuing distribution point); put a list there that is about all of them'],
]);
const unknownMeaning = (type: string): string => `has a critical extension that is not known here (${type})`;

/** Parses the revocation lists of a file. @throws IDENTITY_MTLS_FILE_UNUSABLE */
export function crlsOf(text: string, file: string): readonly X509Crl[] {
  let lists: readonly X509Crl[];
  try {
    lists = PemConverter.decodeWithHeaders(text)
      .filter(({ type }) => listLabels.has(type))
      .map(({ rawData }) => new X509Crl(rawData));
  } catch (cause) {
    throw unusable(file, 'a revocation list cannot be read', cause);
  }
  if (lists.length === 0) throw unusable(file, 'it holds no revocation list');
  for (const { issuer, extensions } of lists) {
    const unknown = extensions.find(({ critical }) => critical);
    if (unknown !== undefined) throw unusable(file, `the list of ${issuer} ${meanings.get(unknown.type) ?? unknownMeaning(unknown.type)}`);
  }
  return lists;
}

/** The revocation lists of a file. A list belongs to the authority whose key signed it, whatever issuer it names. */
export class RevocationLists {
  readonly #crls: readonly X509Crl[];
  readonly #known = new Map<string, Promise<RevocationList | undefined>>();

  constructor(crls: readonly X509Crl[]) {
    this.#crls = crls;
  }

  /** The newest list of an authority; undefined when it has none. */
  of({ fingerprint256, certificate }: Pick<CertificateAuthority, 'fingerprint256' | 'certificate'>): Promise<RevocationList | undefined> {
    const known = this.#known.get(fingerprint256);
    if (known !== undefined) return known;
    const oldest = this.#known.size >= rememberedMax ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    const read = newestOf(new X509Certificate(certificate), this.#crls);
    this.#known.set(fingerprint256, read);
    return read;
  }
}

async function newestOf({ raw }: X509Certificate, crls: readonly X509Crl[]): Promise<RevocationList | undefined> {
  const { publicKey } = new Certificate(raw);
  const signed: X509Crl[] = [];
  for (const crl of crls) if (await crl.verify({ publicKey }, webcrypto).catch(() => false)) signed.push(crl);
  const newest = signed.toSorted((one, other) => one.thisUpdate.getTime() - other.thisUpdate.getTime()).at(-1);
  if (newest === undefined) return undefined;
  const revoked = new Set(newest.entries.map(({ serialNumber }) => serialOf(serialNumber)));
  return { revoked, ...(newest.nextUpdate && { untilMs: newest.nextUpdate.getTime() }) };
}
