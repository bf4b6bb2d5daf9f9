import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unusable } from './errors.js';
import { crlsOf, RevocationLists } from './revocation-lists.js';

/** The content of the files; an unchanged text means unchanged trust. */
export interface Trust {
  readonly text: string;
  /** PEM of the authorities by fingerprint (SHA-256). */
  readonly authorities: ReadonlyMap<string, string>;
  /** Absent when no revocation file is configured, so that revocation is not checked. */
  readonly lists?: RevocationLists;
}

const authoritiesMax = 1000;

/** Reads the files; returns `before` if their content is unchanged. @throws IDENTITY_MTLS_FILE_UNUSABLE */
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
