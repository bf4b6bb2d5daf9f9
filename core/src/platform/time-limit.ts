import type { Clock } from '@tappaas/sdk';

/** Runs `work` with a signal that aborts after `limitMs`, or when `signal` does. */
export async function withTimeLimit<T>(
  { clock, limitMs, signal }: { readonly clock: Clock; readonly limitMs: number; readonly signal?: AbortSignal },
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const ended = new AbortController();
  const late = clock.sleep(limitMs, ended.signal).then(
    () => over.abort(),
    () => undefined,
  );
  try {
    return await work(signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]));
  } finally {
    ended.abort();
    await late;
  }
}
