import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { ExtendedKeyUsage, Extension, X509CertificateCreateParamsName } from '@peculiar/x509';

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Issues certificates with new keys, in this or another thread. */
export interface CertificateIssuer {
  authority(nowMs: number): Promise<KeyPair>;
  server(authority: KeyPair, hosts: readonly string[], nowMs: number): Promise<KeyPair>;
  client(
    authority: KeyPair,
    user: { readonly name: string; readonly groups: readonly string[] },
    nowMs: number,
    lifetimeMs: number,
  ): Promise<KeyPair>;
}

const dayMs = 86_400_000;
const authorityDays = 3650;
/** The maximum that browsers accept. */
const serverDays = 397;
/** Clients' clocks may be slow. */
const backdatedMs = 3_600_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Loads the signing library, only when a certificate is due: loading takes longer than everything else here. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

/** Issues a new authority, whose key signs only leaf certificates of this platform. */
export async function issueAuthority(nowMs: number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(nowMs, authorityDays),
    name: 'CN=TAPPaaS local authority',
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

/** Issues a server certificate for `hosts`. */
export async function issueServer(authority: KeyPair, hosts: readonly string[], nowMs: number): Promise<KeyPair> {
  const { ExtendedKeyUsage, SubjectAlternativeNameExtension } = await library();
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  return issueLeaf(authority, {
    ...validity(nowMs, serverDays),
    subject: 'CN=TAPPaaS API',
    usage: ExtendedKeyUsage.serverAuth,
    extensions: [new SubjectAlternativeNameExtension(names)],
  });
}

/** Issues a client certificate of a process: the common name is the user, the organizations are the groups. */
export async function issueClient(
  authority: KeyPair,
  { name, groups }: { readonly name: string; readonly groups: readonly string[] },
  nowMs: number,
  lifetimeMs: number,
): Promise<KeyPair> {
  const { ExtendedKeyUsage } = await library();
  return issueLeaf(authority, {
    ...validity(nowMs, lifetimeMs / dayMs),
    subject: [...groups.map((group) => ({ O: [group] })), { CN: [name] }],
    usage: ExtendedKeyUsage.clientAuth,
    extensions: [],
  });
}

/** Issues in the calling thread. */
export const issueHere: CertificateIssuer = { authority: issueAuthority, server: issueServer, client: issueClient };

interface Leaf extends Readonly<ReturnType<typeof validity>> {
  readonly subject: X509CertificateCreateParamsName;
  readonly usage: ExtendedKeyUsage;
  readonly extensions: readonly Extension[];
}

/** Issues a certificate with a new key, for one end of a connection. */
async function issueLeaf(authority: KeyPair, { usage, extensions, ...leaf }: Leaf): Promise<KeyPair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(authority.key), algorithm, false, ['sign']);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...leaf,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      ...extensions,
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

function validity(nowMs: number, days: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f;
  return { serialNumber: serial.toString('hex'), notBefore: new Date(nowMs - backdatedMs), notAfter: new Date(nowMs + days * dayMs) };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
}
