import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CertificateIssuer, KeyPair } from './certificate-issuer.js';
import { apiErrors } from '../errors.js';

/** A request for one certificate, with the arguments of its issuer. */
export type CertificateRequest = {
  readonly [What in keyof CertificateIssuer]: { readonly what: What; readonly of: Parameters<CertificateIssuer[What]> };
}[keyof CertificateIssuer];

/** The result of a request. */
export type IssuedAnswer = { readonly id: number; readonly pair: KeyPair } | { readonly id: number; readonly error: string };

interface PendingRequest {
  readonly resolve: (pair: KeyPair) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Issues certificates in a separate thread: loading the library takes 100 ms of CPU time, during which startup can continue
 * (docs/decisions/0155). The thread ends when no request is pending, and a later request starts a new one; `keep` avoids that during
 * startup, which makes several requests.
 */
export class CertificateThread implements CertificateIssuer {
  readonly #requested = new Map<number, PendingRequest>();
  #worker: Worker | undefined;
  #wishes = 0;
  #isKept = false;

  authority(...of: Parameters<CertificateIssuer['authority']>): Promise<KeyPair> {
    return this.#ask({ what: 'authority', of });
  }

  server(...of: Parameters<CertificateIssuer['server']>): Promise<KeyPair> {
    return this.#ask({ what: 'server', of });
  }

  client(...of: Parameters<CertificateIssuer['client']>): Promise<KeyPair> {
    return this.#ask({ what: 'client', of });
  }

  /** Keeps the thread, once started, until {@link release}. */
  keep(): void {
    this.#isKept = true;
  }

  /** Ends the thread as soon as no request is pending. */
  release(): void {
    this.#isKept = false;
    this.#endIdle();
  }

  #ask(request: CertificateRequest): Promise<KeyPair> {
    const worker = (this.#worker ??= this.#start());
    const id = this.#wishes++;
    const { promise, resolve, reject } = Promise.withResolvers<KeyPair>();
    this.#requested.set(id, { resolve, reject });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage({ ...request, id });
    return promise;
  }

  #start(): Worker {
    const compiled = getCompileCacheDir();
    const worker = new Worker(new URL('certificate-worker.js', import.meta.url), {
      workerData: { compiled: compiled === undefined ? undefined : dirname(compiled) },
      name: 'certificates',
      // Options of the process, such as --input-type, may be invalid for a thread.
      execArgv: [],
    });
    let cause: unknown;
    worker.on('message', (answer: IssuedAnswer) => this.#answered(answer));
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#lost(cause);
    });
    return worker;
  }

  #answered(answer: IssuedAnswer): void {
    const requested = this.#requested.get(answer.id);
    this.#requested.delete(answer.id);
    if ('pair' in answer) requested?.resolve(answer.pair);
    else requested?.reject(apiErrors.TAP_CERTIFICATE_UNUSABLE({ message: `a certificate could not be issued: ${answer.error}` }));
    this.#endIdle();
  }

  #endIdle(): void {
    if (this.#isKept || this.#requested.size > 0) return;
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  #lost(cause: unknown): void {
    this.#worker = undefined;
    const error = apiErrors.TAP_CERTIFICATE_UNUSABLE({ message: 'the thread that issues certificates ended', cause });
    for (const { reject } of this.#requested.values()) reject(error);
    this.#requested.clear();
  }
}
