import { flowErrors } from './errors.js';
import type { Seat } from './priority-level.js';

const retryAfterMs = 1000;

/** Streams hold their place for hours, so nobody waits for one. */
export class StreamSeats {
  readonly #max: number;
  readonly #perPrincipalMax: number;
  readonly #taken = new Map<string, number>();
  #total = 0;

  constructor(max: number, perPrincipalMax: number) {
    this.#max = max;
    this.#perPrincipalMax = perPrincipalMax;
  }

  /** @throws TAP_FLOW_FULL */
  take(principal: string): Seat {
    const mine = this.#taken.get(principal) ?? 0;
    if (mine >= this.#perPrincipalMax) {
      throw full(`${principal} has ${mine} streams running, at most ${this.#perPrincipalMax} at a time`);
    }
    if (this.#total >= this.#max) throw full(`${this.#total} streams are running, at most ${this.#max} at a time`);
    this.#taken.set(principal, mine + 1);
    this.#total += 1;
    let isTaken = true;
    return {
      release: () => {
        if (isTaken) this.#give(principal);
        isTaken = false;
      },
    };
  }

  #give(principal: string): void {
    const mine = (this.#taken.get(principal) ?? 1) - 1;
    this.#total -= 1;
    if (mine === 0) this.#taken.delete(principal);
    else this.#taken.set(principal, mine);
  }
}

function full(message: string): Error {
  return flowErrors.TAP_FLOW_FULL({ message, retryAfterMs });
}
