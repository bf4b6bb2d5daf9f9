import type { Clock } from '@tappaas/sdk';

/** How long a process may answer reads by itself after it asked for a lease. */
export const readLeaseMs = 25;
/** Twice the lease time, since clocks may be set back once meanwhile: by then a process that does not respond has lost its lease. */
const recallMsMax = 2 * readLeaseMs;

/** A process that answers reads from its own memory while it holds a lease. */
export interface LeaseHolder {
  /** Requests the lease back; the holder confirms through `ReadLeases.returned`. */
  recall(): void;
}

/**
 * Leases under which processes know the newest revision without asking. No newer event is sent to any process, and no write is
 * acknowledged, before every lease has been returned or has expired. Reads thus need no round trip; writes pay for recalling the leases
 * out.
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

  /** Grants a lease to a process that has just received all events, unless a change or a recall is in progress. */
  grant(holder: LeaseHolder): boolean {
    if (this.#changes > 0 || this.#recalling !== undefined) return false;
    this.#out.add(holder);
    return true;
  }

  returned(holder: LeaseHolder): void {
    if (this.#out.delete(holder) && this.#out.size === 0) this.#recalling?.resolve();
  }

  /** The recall in progress, if any. */
  get recalled(): Promise<void> | undefined {
    return this.#recalling?.promise;
  }

  /** Recalls all leases and resolves when none is out; returns undefined when none was. */
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

  /** Makes a change; resolves once it is made and no lease is out. */
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
