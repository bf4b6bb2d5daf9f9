import type { Clock } from '@tappaas/sdk';
import type { Seats } from './bucket.js';
import { flowErrors } from './errors.js';
import type { HeavyParty } from './heavy-party.js';
import type { PrincipalName } from './principal.js';
import type { Waiter, WaitingLine } from './waiting-line.js';
import { heavyUnits, unitsOf, type Work } from './work.js';

/** Limits on the running and waiting requests of a level. */
export interface LevelLimits {
  readonly requestsMax: number;
  readonly requestsPerPrincipalMax: number;
  readonly queuedMax: number;
  readonly queuedPerPrincipalMax: number;
  readonly waitMsMax: number;
}

/** A place among the requests being served; releasing it twice counts once. */
export interface Seat {
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Reports the actual cost of the request, which proceeds when the promise resolves, or at once if there is none. @throws TAP_FLOW_FULL
   */
  weigh?(work: Work): Promise<void> | undefined;
  release(): void;
}

/** A request that may have to wait; its signal is created on access. */
export interface WaitOptions {
  readonly signal: AbortSignal;
}

/** An entity that takes turns: a principal, or the heavy requests of one. */
export interface Party {
  readonly id: PrincipalName;
  readonly line: WaitingLine;
  readonly seats: Pick<Seats, 'isFree' | 'take' | 'give'>;
  /** Absent where all requests are heavy. */
  readonly heavy?: HeavyParty;
  turn: number;
  hasUnit(user: string, nowMs: number): boolean;
  takeUnits(user: string, nowMs: number, units: number): void;
  /** Returns how long a request would wait for a unit behind that many requests of other users and of its own user. */
  unitsWaitMs(user: string, nowMs: number, others: number, own: number): number;
  want(nowMs: number, users?: Iterable<string>): void;
  headers(user: string, nowMs: number): Readonly<Record<string, string>>;
}

const lookEveryMs = 5;
const never = new AbortController().signal;
const retryAfterMsMin = 1000;

/**
 * Seats that principals take in turns (start-time fair queuing). A request that finds no seat, or no unit left, waits in the line of its
 * principal, for a limited time and in limited number. A principal that sends fifty times its share fills only its own line; a request of
 * another principal is next but one.
 */
export class PriorityLevel {
  readonly #name: string;
  readonly #limits: LevelLimits;
  readonly #clock: Clock;
  readonly #heavy: PriorityLevel | undefined;
  /** Principals with waiting requests. */
  readonly #turns = new Set<Party>();
  /** The turn of the last request served. A newly waiting principal starts here: neither behind nor ahead of its share. */
  #turn = 0;
  #taken = 0;
  #waiting = 0;
  #isLooking = false;

  /** Requests that turn out to be heavy also take turns in `heavy`. */
  constructor(name: string, limits: LevelLimits, clock: Clock, heavy?: PriorityLevel) {
    this.#name = name;
    this.#heavy = heavy;
    this.#limits = limits;
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** @throws TAP_FLOW_FULL when there is no room to wait either */
  admit(party: Party, user: string, waitOptions: WaitOptions, nowMs = this.#clock.nowMs(), units = 1): Seat | Promise<Seat> {
    if (party.line.size === 0 && this.#hasSeat(party) && party.hasUnit(user, nowMs))
      return this.#seat(party, user, waitOptions, nowMs, units);
    return this.#wait(party, user, nowMs, waitOptions, units);
  }

  #hasSeat(party: Party): boolean {
    return this.#taken < this.#limits.requestsMax && party.seats.isFree;
  }

  #seat(party: Party, user: string, waitOptions: WaitOptions, nowMs: number, units: number): Seat {
    party.takeUnits(user, nowMs, units);
    this.#turn = Math.max(this.#turn, party.turn);
    party.turn = this.#turn + units;
    party.seats.take();
    this.#taken += 1;
    let isTaken = true;
    let heavy: Seat | undefined;
    return {
      headers: party.headers(user, nowMs),
      weigh: (work) => {
        const more = unitsOf(work);
        if (more < heavyUnits || heavy !== undefined || this.#heavy === undefined || party.heavy === undefined) {
          if (more > 0) party.takeUnits(user, this.#clock.nowMs(), more);
          return undefined;
        }
        const admitted = this.#heavy.admit(party.heavy, user, waitOptions, this.#clock.nowMs(), more);
        return Promise.resolve(admitted).then((seat) => {
          if (isTaken) heavy = seat;
          else seat.release();
        });
      },
      release: () => {
        if (!isTaken) return;
        isTaken = false;
        heavy?.release();
        party.seats.give();
        this.#taken -= 1;
        this.fill();
      },
    };
  }

  #wait(party: Party, user: string, nowMs: number, waitOptions: WaitOptions, units: number): Promise<Seat> {
    const { signal } = waitOptions;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    this.#makeRoom(party, user, nowMs);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (this.#leave(party, waiter)) reject(signal.reason as Error);
      };
      const settle = (): void => signal.removeEventListener('abort', leave);
      const waiter: Waiter = {
        user,
        sinceMs: nowMs,
        admit: () => {
          settle();
          resolve(this.#seat(party, user, waitOptions, this.#clock.nowMs(), units));
        },
        refuse: (because) => {
          settle();
          reject(this.#full(party, user, 0, because));
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      if (party.line.size === 0) party.turn = Math.max(party.turn, this.#turn);
      party.line.push(waiter);
      this.#turns.add(party);
      this.#waiting += 1;
      party.want(nowMs, [user]);
      void this.#look();
    });
  }

  /**
   * Makes room for one more waiting request. If there is none, displaces a waiter of the principal's user with the most waiters in favor of
   * a user with fewer, unless the new request would wait too long even then. @throws TAP_FLOW_FULL
   */
  #makeRoom(party: Party, user: string, nowMs: number): void {
    const { line } = party;
    const own = line.sizeOf(user);
    const expectedMs = party.unitsWaitMs(user, nowMs, line.size - own, own);
    const because = this.#lacksRoom(line, expectedMs);
    if (because === undefined) return;
    const inTurnsMs = party.unitsWaitMs(user, nowMs, line.othersAhead(user), own);
    const displaced = inTurnsMs > this.#limits.waitMsMax ? undefined : line.displaceable(user);
    if (displaced === undefined) throw this.#full(party, user, expectedMs, because);
    if (this.#leave(party, displaced)) displaced.refuse(`${because}, and of others of it fewer`);
  }

  #lacksRoom({ size }: WaitingLine, expectedMs: number): string | undefined {
    const { queuedMax, queuedPerPrincipalMax, waitMsMax } = this.#limits;
    if (size >= queuedPerPrincipalMax) return `${size} of its requests are waiting already`;
    if (this.#waiting >= queuedMax) return `${this.#waiting} requests are waiting already`;
    return expectedMs > waitMsMax ? 'it has asked for more than its rate' : undefined;
  }

  #leave(party: Party, waiter: Waiter): boolean {
    if (!party.line.remove(waiter)) return false;
    this.#waiting -= 1;
    if (party.line.size === 0) this.#turns.delete(party);
    return true;
  }

  /** Grants free seats: first to the principal that has received the least since it began to wait. */
  fill(): void {
    if (this.#waiting === 0) return;
    const nowMs = this.#clock.nowMs();
    const passedOver = new Set<Party>();
    while (this.#taken < this.#limits.requestsMax) {
      const party = this.#next(passedOver);
      if (party === undefined) return;
      const waiter = party.line.shift((user) => party.hasUnit(user, nowMs));
      if (waiter === undefined) {
        passedOver.add(party);
        continue;
      }
      this.#waiting -= 1;
      if (party.line.size === 0) this.#turns.delete(party);
      waiter.admit();
    }
  }

  #next(passedOver: ReadonlySet<Party>): Party | undefined {
    let first: Party | undefined;
    for (const party of this.#turns) {
      if (first !== undefined && party.turn >= first.turn) continue;
      if (this.#hasSeat(party) && !passedOver.has(party)) first = party;
    }
    return first;
  }

  /** Units become available, and waiters time out, only as time passes; the loop stops when no request waits. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#waiting > 0) {
      await this.#clock.sleep(lookEveryMs, never);
      this.fill();
      const { waitMsMax } = this.#limits;
      for (const party of this.#turns) {
        party.want(this.#clock.nowMs());
        for (const waiter of party.line.olderThan(this.#clock.nowMs() - waitMsMax))
          if (this.#leave(party, waiter)) waiter.refuse(`it has waited for ${waitMsMax} ms`);
      }
    }
    this.#isLooking = false;
  }

  #full(party: Party, user: string, expectedMs: number, because: string): Error {
    return flowErrors.TAP_FLOW_FULL({
      message: `${party.id.what} ${party.id.name} has no room (${this.#name} level): ${because}`,
      retryAfterMs: Math.max(retryAfterMsMin, expectedMs),
      data: party.headers(user, this.#clock.nowMs()),
    });
  }
}
