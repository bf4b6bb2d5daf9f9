import type { SecureVersion } from 'node:tls';

/** TLS versions and ciphers. */
export interface TlsPolicy {
  readonly minVersion: SecureVersion;
  /** OpenSSL cipher list, preferred first. */
  readonly ciphers: string;
  readonly honorCipherOrder: true;
}

/** Ciphers with forward secrecy and authenticated encryption; all clients since 2015 support them. */
export const defaultCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

export function tlsPolicy({
  minVersion = 'TLSv1.2',
  ciphers = defaultCiphers,
}: {
  readonly minVersion?: SecureVersion;
  readonly ciphers?: readonly string[];
} = {}): TlsPolicy {
  return { minVersion, ciphers: ciphers.join(':'), honorCipherOrder: true };
}
