import type { Clock } from '@tappaas/sdk';
import { flowErrors } from './errors.js';
import type { Principal } from './principal.js';
import type { Waiter } from './waiting-line.js';

/** How much of a level may run and wait at once. */
export interface LevelLimits {
  readonly requestsMax: number;
  readonly requestsPerPrincipalMax: number;
  readonly queuedMax: number;
  readonly queuedPerPrincipalMax: number;
  readonly waitMsMax: number;
}

/** A place among what is being served; giving it back twice counts once. */
export interface Seat {
  readonly headers?: Readonly<Record<string, string>>;
  release(): void;
}

/** Whoever may have to wait; the signal is made when it is asked for. */
export interface Patient {
  readonly signal: AbortSignal;
}

const lookEveryMs = 5;
const never = new AbortController().signal;
const retryAfterMsMin = 1000;

/**
 * Seats that principals take in turns (start-time fair queuing). Who finds no seat, or has no unit left, waits in the line of its principal: for a bounded time and
 * in bounded number. A principal that asks for fifty times its share fills its own line; another's request is next but one.
 */
export class PriorityLevel {
  readonly #name: string;
  readonly #limits: LevelLimits;
  readonly #clock: Clock;
  /** Principals of whom somebody waits. */
  readonly #turns = new Set<Principal>();
  /** The turn of what was served last. Who comes begins here: neither behind what others had meanwhile nor ahead of its own. */
  #turn = 0;
  #taken = 0;
  #waiting = 0;
  #isLooking = false;

  constructor(name: string, limits: LevelLimits, clock: Clock) {
    this.#name = name;
    this.#limits = limits;
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** @throws TAP_FLOW_FULL when there is no room to wait either */
  admit(principal: Principal, user: string, patient: Patient, nowMs = this.#clock.nowMs()): Seat | Promise<Seat> {
    if (principal.line.size === 0 && this.#hasSeat(principal) && principal.hasUnit(user, nowMs)) return this.#seat(principal, user, nowMs);
    return this.#wait(principal, user, nowMs, patient);
  }

  #hasSeat(principal: Principal): boolean {
    return this.#taken < this.#limits.requestsMax && principal.seats.isFree;
  }

  #seat(principal: Principal, user: string, nowMs: number): Seat {
    principal.takeUnit(user, nowMs);
    this.#turn = Math.max(this.#turn, principal.turn);
    principal.turn = this.#turn + 1;
    principal.seats.take();
    this.#taken += 1;
    let isTaken = true;
    return {
      headers: principal.headers(user, nowMs),
      release: () => {
        if (!isTaken) return;
        isTaken = false;
        principal.seats.give();
        this.#taken -= 1;
        this.fill();
      },
    };
  }

  #wait(principal: Principal, user: string, nowMs: number, { signal }: Patient): Promise<Seat> {
    const { queuedMax, queuedPerPrincipalMax, waitMsMax } = this.#limits;
    const expectedMs = principal.unitsWaitMs(user, nowMs);
    const { size } = principal.line;
    if (size >= queuedPerPrincipalMax) throw this.#full(principal, user, expectedMs, `${size} of its requests are waiting already`);
    if (this.#waiting >= queuedMax) throw this.#full(principal, user, expectedMs, `${this.#waiting} requests are waiting already`);
    if (expectedMs > waitMsMax) throw this.#full(principal, user, expectedMs, 'it has asked for more than its rate');
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (this.#leave(principal, waiter)) reject(signal.reason as Error);
      };
      const settle = (): void => signal.removeEventListener('abort', leave);
      const waiter: Waiter = {
        user,
        sinceMs: nowMs,
        admit: () => {
          settle();
          resolve(this.#seat(principal, user, this.#clock.nowMs()));
        },
        refuse: () => {
          settle();
          reject(this.#full(principal, user, 0, `it has waited for ${waitMsMax} ms`));
        },
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      signal.addEventListener('abort', leave, { once: true });
      if (principal.line.size === 0) principal.turn = Math.max(principal.turn, this.#turn);
      principal.line.push(waiter);
      this.#turns.add(principal);
      this.#waiting += 1;
      principal.want(nowMs, [user]);
      void this.#look();
    });
  }

  #leave(principal: Principal, waiter: Waiter): boolean {
    if (!principal.line.remove(waiter)) return false;
    this.#waiting -= 1;
    if (principal.line.size === 0) this.#turns.delete(principal);
    return true;
  }

  /** Gives free seats away: to whoever has had least since it began to wait. */
  fill(): void {
    if (this.#waiting === 0) return;
    const nowMs = this.#clock.nowMs();
    const passedOver = new Set<Principal>();
    while (this.#taken < this.#limits.requestsMax) {
      const principal = this.#next(passedOver);
      if (principal === undefined) return;
      const waiter = principal.line.shift((user) => principal.hasUnit(user, nowMs));
      if (waiter === undefined) {
        passedOver.add(principal);
        continue;
      }
      this.#waiting -= 1;
      if (principal.line.size === 0) this.#turns.delete(principal);
      waiter.admit();
    }
  }

  #next(passedOver: ReadonlySet<Principal>): Principal | undefined {
    let first: Principal | undefined;
    for (const principal of this.#turns) {
      if (first !== undefined && principal.turn >= first.turn) continue;
      if (this.#hasSeat(principal) && !passedOver.has(principal)) first = principal;
    }
    return first;
  }

  /** Units come back, and patience ends, with time only; nobody looks while nobody waits. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#waiting > 0) {
      await this.#clock.sleep(lookEveryMs, never);
      this.fill();
      for (const principal of this.#turns) {
        principal.want(this.#clock.nowMs());
        for (const waiter of principal.line.olderThan(this.#clock.nowMs() - this.#limits.waitMsMax))
          if (this.#leave(principal, waiter)) waiter.refuse();
      }
    }
    this.#isLooking = false;
  }

  #full(principal: Principal, user: string, expectedMs: number, because: string): Error {
    return flowErrors.TAP_FLOW_FULL({
      message: `${principal.id.what} ${principal.id.name} has no room (${this.#name} level): ${because}`,
      retryAfterMs: Math.max(retryAfterMsMin, expectedMs),
      data: principal.headers(user, this.#clock.nowMs()),
    });
  }
}
