import type { Clock } from '@tappaas/sdk';
import { reconcileErrors } from './errors.js';

export interface IdleTimeoutOptions {
  readonly clock: Clock;
  /** Longest time without an item while one is awaited. */
  readonly silenceMsMax: number;
  readonly what: string;
}

/**
 * Reads an async iterable and fails when no item arrives for `silenceMsMax`, because a half-open connection reports nothing.
 *
 * A single timer checks the time of the last item. An iterable that ignores its signal is abandoned, not awaited.
 *
 * @throws TAP_CACHE_SILENT, the signal's reason, and what the iterable throws
 */
export async function* readWithIdleTimeout<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  options: IdleTimeoutOptions,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const { clock, silenceMsMax, what } = options;
  const stop = new AbortController();
  let awaitedSinceMs: number | undefined;
  let giveUp: ((reason: unknown) => void) | undefined;
  stop.signal.addEventListener('abort', () => giveUp?.(stop.signal.reason), { once: true });
  const onAbort = (): void => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  const watchSilence = async (): Promise<void> => {
    for (let waitMs = silenceMsMax; ;) {
      await clock.sleep(waitMs, stop.signal);
      const silentMs = awaitedSinceMs === undefined ? 0 : clock.nowMs() - awaitedSinceMs;
      if (silentMs >= silenceMsMax) break;
      waitMs = silenceMsMax - silentMs;
    }
    stop.abort(reconcileErrors.TAP_CACHE_SILENT({ message: `${what}: nothing came for ${silenceMsMax} ms` }));
  };
  if (Number.isFinite(silenceMsMax)) watchSilence().catch(() => {});

  const iterator = open(stop.signal)[Symbol.asyncIterator]();
  try {
    for (;;) {
      awaitedSinceMs = clock.nowMs();
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = reject;
        if (stop.signal.aborted) reject(stop.signal.reason as Error);
        else iterator.next().then(resolve, reject);
      });
      awaitedSinceMs = undefined;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    giveUp = undefined;
    stop.abort(reconcileErrors.TAP_RECONCILE_STOPPED({ message: `${what}: no longer read` }));
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
