import type { Clock } from '@tappaas/sdk';

/** How long a process may answer by itself after it has asked. */
export const readLeaseMs = 25;
/** Twice that, since clocks may be set back once meanwhile: then a process that does not answer has lost its lease all the same. */
const recallMsMax = 2 * readLeaseMs;

/** Whoever answers reads from its own memory while it has a lease. */
export interface LeaseHolder {
  /** Asks for the lease back; `ReadLeases.returned` says that it has come. */
  recall(): void;
}

/**
 * Leases under which processes know the newest revision without asking: nothing newer is told to anybody, nor a writer answered, before
 * every lease has come back or has run out. So reads cost no question, and writes pay a recall of the leases that are out.
 *
 * @source C. Gray, D. Cheriton: Leases, an efficient fault-tolerant mechanism for distributed file cache consistency (1989)
 */
export class ReadLeases {
  readonly #clock: Clock;
  readonly #out = new Set<LeaseHolder>();
  #changes = 0;
  #recalling: PromiseWithResolvers<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives a lease to a process that has just been told everything, unless something is about to change. */
  grant(holder: LeaseHolder): boolean {
    if (this.#changes > 0 || this.#recalling !== undefined) return false;
    this.#out.add(holder);
    return true;
  }

  returned(holder: LeaseHolder): void {
    if (this.#out.delete(holder) && this.#out.size === 0) this.#recalling?.resolve();
  }

  /** A recall that is under way. */
  get recalled(): Promise<void> | undefined {
    return this.#recalling?.promise;
  }

  /** Resolves when no lease is out; at once, with nothing, when none was. */
  recall(): Promise<void> | undefined {
    if (this.#recalling !== undefined) return this.#recalling.promise;
    if (this.#out.size === 0) return undefined;
    const recalling = Promise.withResolvers<void>();
    this.#recalling = recalling;
    for (const holder of this.#out) holder.recall();
    const over = new AbortController();
    void this.#clock.sleep(recallMsMax, over.signal).then(recalling.resolve, () => undefined);
    return recalling.promise.finally(() => {
      over.abort();
      this.#out.clear();
      this.#recalling = undefined;
    });
  }

  /** Makes a change, and says so when no lease is out any more. */
  async change<T>(make: () => Promise<T>): Promise<T> {
    this.#changes += 1;
    try {
      const recalled = this.recall();
      const [made] = await Promise.all([make(), recalled]);
      return made;
    } finally {
      this.#changes -= 1;
    }
  }
}
