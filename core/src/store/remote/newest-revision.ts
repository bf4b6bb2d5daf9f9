import type { Clock } from '@tappaas/sdk';
import { Coalesced } from './coalesced.js';
import { HeldLease } from './held-lease.js';
import type { Reached } from './protocol.js';

/** Asks the process that has the store; `onAnswer` runs while the answer is being taken. */
type Question = (onAnswer: (reached: Reached) => void) => Promise<Reached>;

/** What the newest revision is: asked for, or known to be the last that was told. */
export class NewestRevision {
  readonly #clock: Clock;
  readonly #question: Question;
  readonly #asked: Coalesced<number>;
  readonly #lease = new HeldLease();
  #isRenewing = false;
  /** What this process knows is the newest: until the turn in which it was told ends, since nothing else is learned within one. */
  #isFresh = false;

  constructor(clock: Clock, question: Question) {
    this.#clock = clock;
    this.#question = question;
    this.#asked = new Coalesced(() => this.#ask());
  }

  ask(): Promise<number> {
    return this.#asked.ask();
  }

  /** Says whether the last revision told is the newest. */
  get isTold(): boolean {
    return this.#isFresh || this.#lease.holds(this.#clock.nowMs());
  }

  /** The same by a lease, which is renewed before it ends, so that readers who come often never wait. */
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
    // Who reads later asks anew, and is told what is wrong.
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
