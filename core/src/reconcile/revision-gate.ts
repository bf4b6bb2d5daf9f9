import { reconcileErrors } from './errors.js';
import { compareRevisions } from './revision.js';

interface Waiter {
  readonly revision: string;
  pass(): void;
}

/** Readers that wait until a cache has reached a revision. */
export class RevisionGate {
  readonly #waitersMax: number;
  #waiters = new Set<Waiter>();
  #reached: string | undefined;

  constructor(waitersMax: number) {
    this.#waitersMax = waitersMax;
  }

  /** Call whenever the cache contains everything up to `revision`. */
  advance(revision: string): void {
    this.#reached = revision;
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) if (compareRevisions(revision, waiter.revision) >= 0) waiter.pass();
  }

  /** @throws the signal's reason, TAP_CACHE_WAITERS_TOO_MANY */
  wait(revision: string, signal: AbortSignal): Promise<void> {
    if (this.#reached !== undefined && compareRevisions(this.#reached, revision) >= 0) return Promise.resolve();
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#waiters.size >= this.#waitersMax) {
      const message = `${this.#waiters.size} readers wait for the cache already, at most ${this.#waitersMax} may`;
      return Promise.reject(reconcileErrors.TAP_CACHE_WAITERS_TOO_MANY({ message }));
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
      };
      const waiter = {
        revision,
        pass: () => {
          leave();
          resolve();
        },
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }
}
