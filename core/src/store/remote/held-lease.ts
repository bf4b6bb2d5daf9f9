import { readLeaseMs } from './read-leases.js';

/** The lease of a process: what it knows is the newest there is, until it gives the lease back or a short time has passed. */
export class HeldLease {
  #takenMs = Infinity;
  #givenBack = 0;

  /** Before a question leaves: takes the lease that may come with its answer, unless it was given back meanwhile. */
  ask(nowMs: number): () => void {
    const givenBack = this.#givenBack;
    // Its time begins before the question leaves, so that it never ends here later than there.
    return () => {
      if (givenBack === this.#givenBack) this.#takenMs = nowMs;
    };
  }

  giveBack(): void {
    this.#takenMs = Infinity;
    this.#givenBack += 1;
  }

  /** Not when the clock was set back behind the question either. */
  holds(nowMs: number): boolean {
    return nowMs >= this.#takenMs && nowMs < this.#takenMs + readLeaseMs;
  }

  isHalfOver(nowMs: number): boolean {
    return nowMs >= this.#takenMs + readLeaseMs / 2;
  }
}
