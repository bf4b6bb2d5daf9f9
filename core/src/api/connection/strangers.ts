import type { Clock } from '@tappaas/sdk';
import { holderOf } from './address-seats.js';
import { countMs } from './audit-limits.js';
import { CountedRequests } from './counted-requests.js';
import { ToldEach } from './told-each.js';
import { apiErrors } from '../errors.js';
import type { Audit } from '../../ports/audit.js';
import type { Seat } from '../stages.js';

/** What is counted together of those who do not say who they are. */
export interface StrangerLimits {
  /** Refusals of one address in a minute that are answered 401; further ones 429. */
  readonly perMinuteMax: number;
  /** Conversations of one address that wait for a credential at once, and of all. */
  readonly seatsPerAddressMax: number;
  readonly seatsMax: number;
}

export const strangerSeats = { seatsPerAddressMax: 32, seatsMax: 1_000 };

const minuteMs = 60_000;
const addressesMax = 4_096;
const unauthenticated = { status: 401, errorCode: 'TAP_REQUEST_UNAUTHENTICATED' } as const;

interface Address {
  minuteMs: number;
  inMinute: number;
}

/**
 * Those who do not say who they are, by where they come from. Anybody can be one, as often as a machine can ask: each takes from its own address
 * only, and audit is told of the first ones one by one, and of the others how many they were. So nobody without a credential pushes out of the log what
 * others did, and no credential is refused because of them.
 */
export class Strangers {
  readonly #limits: StrangerLimits;
  readonly #clock: Clock;
  readonly #addresses = new Map<string, Address>();
  readonly #seats = new Map<string, number>();
  readonly #refusals: CountedRequests;
  readonly #refusalsTold = new ToldEach();
  readonly #visits: CountedRequests;
  readonly #visitsTold = new ToldEach();
  readonly #failuresTold = new ToldEach();
  #seated = 0;
  #sinceMs = -Infinity;

  constructor(limits: StrangerLimits, audit: Audit, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#refusals = new CountedRequests('refused', audit, clock);
    this.#visits = new CountedRequests('visited', audit, clock);
  }

  /** Takes note of a request of nobody. `isCounted`: audit is told of it later, with others; `refusal`: the address has asked for too much. */
  meet(remoteAddress: string): { readonly isCounted: boolean; readonly refusal: Error | undefined } {
    const nowMs = this.#clock.nowMs();
    const holder = holderOf(remoteAddress);
    const address = this.#address(holder, nowMs);
    if (Math.abs(nowMs - address.minuteMs) >= minuteMs) Object.assign(address, { minuteMs: nowMs, inMinute: 0 });
    address.inMinute += 1;
    const retryAfterMs = address.minuteMs + minuteMs - nowMs;
    const refusal = address.inMinute <= this.#limits.perMinuteMax ? undefined : tooMany(holder, address.inMinute, retryAfterMs);
    const isCounted = !this.#refusalsTold.take(holder, nowMs);
    if (isCounted) this.#refusals.count(holder, unauthenticated);
    return { isCounted, refusal };
  }

  /**
   * Takes note of a request for a route that authenticates by itself, whose sender nobody knows either. Answers whether audit is told of it one by one;
   * if not, `leave` says how it ended. Flow control bounds how many an address may send.
   */
  visit(remoteAddress: string): boolean {
    return this.#visitsTold.take(holderOf(remoteAddress), this.#clock.nowMs());
  }

  /**
   * Counts how a visit ended that audit has not been told of. Answers whether audit is to be told of it after all: the first failures have
   * room of their own, so that no flood of what succeeds hides them.
   */
  leave(remoteAddress: string, status: number): boolean {
    const holder = holderOf(remoteAddress);
    if (status >= 400 && this.#failuresTold.take(holder, this.#clock.nowMs())) return true;
    this.#visits.count(holder, { status });
    return false;
  }

  /** A seat until the client has said who it is, for seconds. @throws TAP_REQUEST_STRANGERS */
  takeSeat(remoteAddress: string): Seat {
    const holder = holderOf(remoteAddress);
    const mine = this.#seats.get(holder) ?? 0;
    const { seatsPerAddressMax, seatsMax } = this.#limits;
    if (mine >= seatsPerAddressMax) throw crowded(`address ${holder} has ${mine} conversations`, seatsPerAddressMax);
    if (this.#seated >= seatsMax) throw crowded(`there are ${this.#seated} conversations`, seatsMax);
    this.#seats.set(holder, mine + 1);
    this.#seated += 1;
    let isTaken = true;
    return {
      release: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#seated -= 1;
        const left = (this.#seats.get(holder) ?? 1) - 1;
        if (left === 0) this.#seats.delete(holder);
        else this.#seats.set(holder, left);
      },
    };
  }

  /** Tells what was counted so far, and waits for nothing more. */
  async stop(): Promise<void> {
    await Promise.all([this.#refusals.stop(), this.#visits.stop()]);
  }

  #address(holder: string, nowMs: number): Address {
    this.#forget(nowMs);
    const known = this.#addresses.get(holder);
    if (known !== undefined) return known;
    const oldest = this.#addresses.size >= addressesMax ? this.#addresses.keys().next().value : undefined;
    if (oldest !== undefined) this.#addresses.delete(oldest);
    const made = { minuteMs: nowMs, inMinute: 0 };
    this.#addresses.set(holder, made);
    return made;
  }

  /** Addresses whose minute is over, also because the clock was set back, are looked for every ten minutes. */
  #forget(nowMs: number): void {
    if (Math.abs(nowMs - this.#sinceMs) < countMs) return;
    this.#sinceMs = nowMs;
    for (const [holder, address] of this.#addresses) if (Math.abs(nowMs - address.minuteMs) >= minuteMs) this.#addresses.delete(holder);
  }
}

function tooMany(holder: string, count: number, retryAfterMs: number): Error {
  return apiErrors.TAP_REQUEST_STRANGERS({
    message: `address ${holder} has sent ${count} requests without a known credential within a minute`,
    retryAfterMs,
  });
}

function crowded(who: string, max: number): Error {
  return apiErrors.TAP_REQUEST_STRANGERS({ message: `${who} that wait for a credential, at most ${max} may`, retryAfterMs: 1000 });
}
