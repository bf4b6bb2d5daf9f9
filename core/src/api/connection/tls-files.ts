import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock, Logger } from '@tappaas/sdk';
import type { Expiring } from '../certificates/certificate-expiry.js';
import { apiErrors } from '../errors.js';
import type { TlsPolicy } from './tls-policy.js';

/** Paths of the operator's certificate; the files may be replaced at any time. */
export interface TlsFiles {
  /** PEM: the certificate and its intermediate authorities. */
  readonly certificate: string;
  /** PEM of the private key. */
  readonly key: string;
}

export interface TlsFilesOptions {
  readonly files: TlsFiles;
  readonly policy: TlsPolicy;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Loaded {
  readonly text: string;
  readonly pair: { readonly cert: string; readonly key: string };
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
}

const lookEveryMs = 10_000;

/** Serves the operator's certificate to clients that request a name in it (SNI); all others get the platform's own. */
export class TlsFilesCertificate {
  readonly #options: TlsFilesOptions;
  #loaded: Loaded;
  #clientAuthorities: string | undefined;
  /** The last error, so that it is logged only once. */
  #refused = '';

  private constructor(options: TlsFilesOptions, loaded: Loaded) {
    this.#options = options;
    this.#loaded = loaded;
  }

  /** @throws TAP_CERTIFICATE_UNUSABLE naming the file */
  static async open(options: TlsFilesOptions): Promise<TlsFilesCertificate> {
    return new TlsFilesCertificate(options, await load(options));
  }

  /** Its expiry, for the check that warns before it. */
  get expiring(): Expiring {
    return { name: "operator's", notAfterMs: () => this.#loaded.certificate.validToDate.getTime() };
  }

  /** Verifies client certificates of new connections against these authorities (PEM), as the listener's own certificate does. */
  trustClients(authorities: string): void {
    const { pair } = this.#loaded;
    this.#loaded = { ...this.#loaded, context: contextOf(pair, this.#options.policy, authorities) };
    this.#clientAuthorities = authorities;
  }

  /** Returns the certificate's context if it is valid for the name. */
  contextFor(servername: string): SecureContext | undefined {
    return this.#loaded.certificate.checkHost(servername) === undefined ? undefined : this.#loaded.context;
  }

  /** Loads replaced files until `signal` aborts; open connections keep their certificate. Files that are no valid pair are ignored. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(lookEveryMs, signal).catch(() => {});
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { log, files } = this.#options;
    try {
      const next = await load(this.#options);
      this.#refused = '';
      if (next.text === this.#loaded.text) return;
      // The authorities may have changed while the files were read.
      this.#loaded = { ...next, context: contextOf(next.pair, this.#options.policy, this.#clientAuthorities) };
      log.info('the certificate of the API was replaced', { file: files.certificate, notAfter: next.certificate.validTo });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem === this.#refused) return;
      this.#refused = problem;
      log.error('the replaced certificate of the API cannot be used; the one before stays', { file: files.certificate, error });
    }
  }
}

function contextOf(pair: Loaded['pair'], policy: TlsPolicy, clientAuthorities: string | undefined): SecureContext {
  return createSecureContext({ ...pair, ...policy, ...(clientAuthorities !== undefined && { ca: clientAuthorities }) });
}

async function load({ files, policy }: TlsFilesOptions): Promise<Loaded> {
  const [cert, key] = [await textOf('certificate', files.certificate), await textOf('key', files.key)];
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate');
    const pair = { cert, key };
    return { text: `${cert}\n${key}`, pair, certificate, context: contextOf(pair, policy, undefined) };
  } catch (cause) {
    throw unusable(`${files.certificate} with ${files.key}: ${cause instanceof Error ? cause.message : 'not a pair'}`, cause);
  }
}

async function textOf(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unusable(`the ${what} file ${file} cannot be read`, cause);
  }
}

function unusable(message: string, cause: unknown): Error {
  return apiErrors.TAP_CERTIFICATE_UNUSABLE({ message: `api.tls: ${message}`, field: 'api.tls', cause });
}
