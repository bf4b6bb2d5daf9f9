import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiError, UnreachableError } from '@tappaas/client';

const firstMs = 250;
const mostMs = 30_000;

/** Whether a retry may succeed: the platform does not answer, or refuses for now. */
export const isPassing = (error: unknown): error is ApiError | UnreachableError =>
  error instanceof Error && (error as Partial<ApiError | UnreachableError>).isPassing === true;

/**
 * Repeats a read, less and less often, until the platform answers it. For commands that go on for long; `failed` is called at the first
 * failure.
 *
 * @throws errors for which a retry would not help, and the reason of the signal
 */
export async function untilAnswered<T>(read: () => Promise<T>, signal: AbortSignal, failed: (error: Error) => void): Promise<T> {
  for (let waitMs = firstMs; ; waitMs = Math.min(2 * waitMs, mostMs)) {
    try {
      return await read();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (waitMs === firstMs) failed(error);
      const askedMs = ('retryAfterMs' in error ? error.retryAfterMs : undefined) ?? 0;
      await sleep(Math.min(Math.max(waitMs, askedMs), mostMs), undefined, { signal });
    }
  }
}
