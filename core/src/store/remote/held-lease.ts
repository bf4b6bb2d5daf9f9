import { readLeaseMs } from './read-leases.js';

/** A read lease held by this process: its newest known revision is the newest there is, until the lease is returned or expires. */
export class HeldLease {
  #takenMs = Infinity;
  #givenBack = 0;

  /** Call before sending a question; the returned function takes the lease granted with the answer, unless it was returned meanwhile. */
  ask(nowMs: number): () => void {
    const givenBack = this.#givenBack;
    // The lease starts before the question is sent, so that it never expires later here than at the grantor.
    return () => {
      if (givenBack === this.#givenBack) this.#takenMs = nowMs;
    };
  }

  giveBack(): void {
    this.#takenMs = Infinity;
    this.#givenBack += 1;
  }

  /** Returns false as well if the clock was set back to before the question. */
  holds(nowMs: number): boolean {
    return nowMs >= this.#takenMs && nowMs < this.#takenMs + readLeaseMs;
  }

  isHalfOver(nowMs: number): boolean {
    return nowMs >= this.#takenMs + readLeaseMs / 2;
  }
}
