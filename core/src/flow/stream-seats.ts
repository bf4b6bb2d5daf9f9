import type { Allowances, Seats } from './bucket.js';
import { flowErrors } from './errors.js';
import type { FlowSettings } from './flow-settings.js';
import type { Seat } from './priority-level.js';

const retryAfterMs = 1000;

/** Seats of streams. Streams hold their seat for hours, so requests never wait for one to end. */
export class StreamSeats {
  readonly #perPrincipalMax: number;
  readonly #allowances: Allowances;
  readonly #all: Seats;
  readonly #taken = new Map<string, Seats>();

  constructor({ streamsMax, streamsPerPrincipalMax }: Pick<FlowSettings, 'streamsMax' | 'streamsPerPrincipalMax'>, allowances: Allowances) {
    this.#perPrincipalMax = streamsPerPrincipalMax;
    this.#allowances = allowances;
    this.#all = allowances.seats('streams', streamsMax, true);
  }

  /** @throws TAP_FLOW_FULL */
  take(principal: string): Seat | Promise<Seat> {
    const mine = this.#taken.get(principal) ?? this.#allowances.seats(`streams ${principal}`, this.#perPrincipalMax, true);
    this.#taken.set(principal, mine);
    const got = mine.obtain();
    return got instanceof Promise ? got.then((isMine) => this.#ofAll(principal, mine, isMine)) : this.#ofAll(principal, mine, got);
  }

  #ofAll(principal: string, mine: Seats, isMine: boolean): Seat | Promise<Seat> {
    if (!isMine) {
      this.#forget(principal, mine);
      throw full(`${principal} has ${mine.max} streams running, at most ${mine.max} at a time`);
    }
    const got = this.#all.obtain();
    return got instanceof Promise ? got.then((isOurs) => this.#seat(principal, mine, isOurs)) : this.#seat(principal, mine, got);
  }

  #seat(principal: string, mine: Seats, isOurs: boolean): Seat {
    if (!isOurs) {
      this.#give(principal, mine);
      throw full(`${this.#all.max} streams are running, at most ${this.#all.max} at a time`);
    }
    let isTaken = true;
    return {
      release: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#all.give();
        this.#give(principal, mine);
      },
    };
  }

  #give(principal: string, mine: Seats): void {
    mine.give();
    this.#forget(principal, mine);
  }

  #forget(principal: string, mine: Seats): void {
    if (mine.used === 0 && this.#taken.get(principal) === mine) this.#taken.delete(principal);
  }
}

function full(message: string): Error {
  return flowErrors.TAP_FLOW_FULL({ message, retryAfterMs });
}
