import type { Clock } from '@tappaas/sdk';
import { Coalesced } from './coalesced.js';
import { HeldLease } from './held-lease.js';
import type { Reached } from './protocol.js';

/** Asks the owning process for the newest revision; `onAnswer` runs as the answer is received. */
type Question = (onAnswer: (reached: Reached) => void) => Promise<Reached>;

/** Determines the newest revision: asks the owning process, or knows that the last revision received is the newest. */
export class NewestRevision {
  readonly #clock: Clock;
  readonly #question: Question;
  readonly #asked: Coalesced<number>;
  readonly #lease = new HeldLease();
  #isRenewing = false;
  /** True until the turn of the event loop in which an answer arrived ends, since no other message can arrive within that turn. */
  #isFresh = false;

  constructor(clock: Clock, question: Question) {
    this.#clock = clock;
    this.#question = question;
    this.#asked = new Coalesced(() => this.#ask());
  }

  ask(): Promise<number> {
    return this.#asked.ask();
  }

  /** Whether the last revision received is known to be the newest. */
  get isTold(): boolean {
    return this.#isFresh || this.#lease.holds(this.#clock.nowMs());
  }

  /** Whether a lease vouches for that. Renews the lease before it expires, so that frequent readers never wait. */
  isLeased(): boolean {
    const nowMs = this.#clock.nowMs();
    if (!this.#lease.holds(nowMs)) return false;
    if (!this.#isRenewing && this.#lease.isHalfOver(nowMs)) void this.#renew();
    return true;
  }

  giveBack(): void {
    this.#lease.giveBack();
  }

  async #renew(): Promise<void> {
    this.#isRenewing = true;
    // A later read asks again and receives the error.
    await this.ask().catch(() => undefined);
    this.#isRenewing = false;
  }

  async #ask(): Promise<number> {
    const takeLease = this.#lease.ask(this.#clock.nowMs());
    const { revision } = await this.#question(({ isLeased }) => {
      this.#isFresh = true;
      setImmediate(() => (this.#isFresh = false));
      if (isLeased) takeLease();
    });
    return revision;
  }
}
