import { ownAllowances } from './own-allowances.js';
import type { Party } from './priority-level.js';
import type { Principal } from './principal.js';
import { WaitingLine } from './waiting-line.js';

/** One heavy request of a principal is processed at a time. */
const seatsMax = 1;

/** A principal in the queue of heavy requests: with its own line and seat, and the principal's units. */
export class HeavyParty implements Party {
  readonly line = new WaitingLine();
  readonly seats = ownAllowances.seats('heavy', seatsMax, false);
  readonly #principal: Principal;
  turn = 0;

  constructor(principal: Principal) {
    this.#principal = principal;
  }

  get id(): Principal['id'] {
    return this.#principal.id;
  }

  hasUnit(user: string, nowMs: number): boolean {
    return this.#principal.hasUnit(user, nowMs);
  }

  takeUnits(user: string, nowMs: number, units: number): void {
    this.#principal.takeUnits(user, nowMs, units);
  }

  unitsWaitMs(user: string, nowMs: number, others: number, own: number): number {
    return this.#principal.unitsWaitMs(user, nowMs, others, own);
  }

  want(nowMs: number, users: Iterable<string> = this.line.users): void {
    this.#principal.want(nowMs, users);
  }

  headers(user: string, nowMs: number): Readonly<Record<string, string>> {
    return this.#principal.headers(user, nowMs);
  }
}
