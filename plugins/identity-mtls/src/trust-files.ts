import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unusable } from './errors.js';
import { crlsOf, RevocationLists } from './revocation-lists.js';

/** What the files say; equal texts are the same trust. */
export interface Trust {
  readonly text: string;
  /** PEM, by fingerprint (SHA-256). */
  readonly authorities: ReadonlyMap<string, string>;
  /** Absent: nothing is revoked, as no file says so. */
  readonly lists?: RevocationLists;
}

const authoritiesMax = 1000;

/** Reads the files. The same `before` comes back when they say what they said. @throws IDENTITY_MTLS_FILE_UNUSABLE */
export async function readTrust(authoritiesFile: string, revocationsFile: string | undefined, before?: Trust): Promise<Trust> {
  const bundle = await textOf(authoritiesFile);
  const lists = revocationsFile === undefined ? '' : await textOf(revocationsFile);
  const text = `${bundle}\0${lists}`;
  if (before?.text === text) return before;
  const certificates = certificatesOf(bundle, authoritiesFile);
  const authorities = new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate.toString()]));
  if (revocationsFile === undefined) return { text, authorities };
  return { text, authorities, lists: new RevocationLists(crlsOf(lists, revocationsFile)) };
}

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
