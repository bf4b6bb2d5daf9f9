/** Authorities in tiers, what they sign, and what they revoke. */
// oxlint-disable-next-line import/no-unassigned-import -- the library needs the polyfill before it is loaded
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';
import type { KeyPair } from '../../dist/api/certificates/certificate-issuer.js';

cryptoProvider.set(webcrypto);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hourMs = 3_600_000;
const emptySequence = new Uint8Array([0x30, 0]);

const signingKeyOf = ({ key }: KeyPair) => webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(key), algorithm, false, ['sign']);

/** An authority called `name`; `by`: the one above it. Without: a root. */
export async function makeAuthority(name: string, by?: KeyPair): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const above = by && new X509Certificate(by.certificate);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: `0${randomBytes(8).toString('hex').slice(1)}`,
    notBefore: new Date(Date.now() - hourMs),
    notAfter: new Date(Date.now() + 24 * hourMs),
    subject: `CN=${name}`,
    issuer: above?.subject ?? `CN=${name}`,
    publicKey: keys.publicKey,
    signingKey: by === undefined ? keys.privateKey : await signingKeyOf(by),
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(above === undefined ? [] : [await AuthorityKeyIdentifierExtension.create(above)]),
    ],
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), PemConverter.PrivateKeyTag);
  return { certificate: `${certificate.toString('pem')}\n`, key };
}

/** A certificate that says all that the authority's does, with another key, and is signed by nobody but that. */
export async function imitate({ certificate }: KeyPair): Promise<string> {
  const { subject, issuer, notBefore, notAfter, extensions } = new X509Certificate(certificate);
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const names = { subject, issuer, notBefore, notAfter, extensions, serialNumber: '77' };
  const made = await X509CertificateGenerator.create({ ...names, publicKey, signingKey: privateKey, signingAlgorithm: algorithm });
  return `${made.toString('pem')}\n`;
}

/** What an authority has revoked; `extensions` are types of further ones that the list has, which say nothing. */
export async function revocationList(
  authority: KeyPair,
  revoked: readonly KeyPair[],
  untilMs = Date.now() + hourMs,
  extensions: readonly { readonly type: string; readonly isCritical: boolean }[] = [],
): Promise<string> {
  const crl = await X509CrlGenerator.create({
    issuer: new X509Certificate(authority.certificate).subject,
    thisUpdate: new Date(Date.now() - 1000),
    nextUpdate: new Date(untilMs),
    entries: revoked.map(({ certificate }) => ({
      serialNumber: new X509Certificate(certificate).serialNumber,
      revocationDate: new Date(),
    })),
    signingAlgorithm: algorithm,
    signingKey: await signingKeyOf(authority),
    extensions: extensions.map(({ type, isCritical }) => new Extension(type, isCritical, emptySequence)),
  });
  return `${crl.toString('pem')}\n`;
}
