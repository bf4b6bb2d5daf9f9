/* The thread that issues certificates: answers each request, and runs until it is terminated. */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { KeyPair } from './certificate-issuer.js';
import type { CertificateWish, IssuedAnswer } from './certificate-thread.js';

const { compiled } = workerData as { readonly compiled: string | undefined };
if (compiled !== undefined) enableCompileCache(compiled);
const { issueHere } = await import('./certificate-issuer.js');

parentPort?.on('message', (asked: CertificateWish & { readonly id: number }) => {
  const { id } = asked;
  void issue(asked).then(
    (pair) => answer({ id, pair }),
    (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});

function issue(asked: CertificateWish): Promise<KeyPair> {
  if (asked.what === 'authority') return issueHere.authority(...asked.of);
  return asked.what === 'server' ? issueHere.server(...asked.of) : issueHere.client(...asked.of);
}

function answer(answered: IssuedAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(answered);
  flushCompileCache();
}
