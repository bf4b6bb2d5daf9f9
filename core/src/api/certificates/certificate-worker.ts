/* The thread that issues certificates: answers each request, and runs until it is terminated. */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { KeyPair } from './certificate-issuer.js';
import type { CertificateRequest, IssuedAnswer } from './certificate-thread.js';

const { compiled } = workerData as { readonly compiled: string | undefined };
if (compiled !== undefined) enableCompileCache(compiled);
const { issueHere } = await import('./certificate-issuer.js');

parentPort?.on('message', (requested: CertificateRequest & { readonly id: number }) => {
  const { id } = requested;
  void issue(requested).then(
    (pair) => answer({ id, pair }),
    (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});

function issue(requested: CertificateRequest): Promise<KeyPair> {
  if (requested.what === 'authority') return issueHere.authority(...requested.of);
  return requested.what === 'server' ? issueHere.server(...requested.of) : issueHere.client(...requested.of);
}

function answer(answered: IssuedAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(answered);
  flushCompileCache();
}
