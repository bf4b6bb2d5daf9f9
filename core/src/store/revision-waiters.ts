import { storeErrors, type Clock } from '@tappaas/sdk';

interface Waiter {
  readonly revision: number;
  resolve(): void;
  reject(error: Error): void;
}

const waitersMax = 10_000;
const retryMs = 100;

/** Callers that wait until a cache has reached a revision. While any caller waits, the cache is asked for progress. */
export class RevisionWaiters {
  readonly #waiters = new Set<Waiter>();
  readonly #clock: Clock;
  readonly #ask: () => void;
  readonly #closed = new AbortController();
  #asking = false;

  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** @throws TAP_STORE_UNAVAILABLE when closed or when too many callers wait, the signal's reason */
  wait(revision: number, signal: AbortSignal): Promise<void> {
    if (this.#closed.signal.aborted) return Promise.reject(closed());
    if (this.#waiters.size >= waitersMax) {
      const message = `${waitersMax} readers wait for the cache already`;
      return Promise.reject(storeErrors.TAP_STORE_UNAVAILABLE({ message, retryAfterMs: 1_000 }));
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = () => waiter.reject(signal.reason);
      const end = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        revision,
        resolve: () => (end(), resolve()),
        reject: (error) => (end(), reject(error)),
      };
      signal.addEventListener('abort', abort);
      this.#waiters.add(waiter);
      void this.#keepAsking();
    });
  }

  reached(revision: number): void {
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.resolve();
  }

  close(): void {
    this.#closed.abort();
    for (const waiter of this.#waiters) waiter.reject(closed());
  }

  /** One request usually suffices; a store that learns revisions from elsewhere may need more. */
  async #keepAsking(): Promise<void> {
    this.#ask();
    if (this.#asking) return;
    this.#asking = true;
    while (this.#waiters.size > 0) {
      await this.#clock.sleep(retryMs, this.#closed.signal).catch(() => undefined);
      if (this.#waiters.size > 0) this.#ask();
    }
    this.#asking = false;
  }
}

function closed() {
  return storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the cache is closed' });
}
