import type { Clock } from '@tappaas/sdk';
import { holderOf } from './address-seats.js';
import { countMs } from './audit-limits.js';
import { CountedRequests } from './counted-requests.js';
import { AuditSampler } from './audit-sampler.js';
import { apiErrors } from '../errors.js';
import type { Audit } from '../../ports/audit.js';
import type { Seat } from '../stages.js';

/** Limits for unauthenticated clients. */
export interface UnauthenticatedClientLimits {
  /** Requests of one address per minute that are answered with 401; further ones get 429. */
  readonly perMinuteMax: number;
  /** Conversations that wait for a credential at once: of one address, and (`seatsMax`) of all addresses. */
  readonly seatsPerAddressMax: number;
  readonly seatsMax: number;
}

export const unauthenticatedSeats = { seatsPerAddressMax: 32, seatsMax: 1_000 };

const minuteMs = 60_000;
const addressesMax = 4_096;
const unauthenticated = { status: 401, errorCode: 'TAP_REQUEST_UNAUTHENTICATED' } as const;

interface Address {
  minuteMs: number;
  inMinute: number;
}

/**
 * Unauthenticated clients, by address. Anyone can send such requests as fast as a machine can, so each address has an allowance of its own.
 * The first requests are audited one by one, the others only as a count. So no client without a credential displaces other events from the
 * log, and no valid credential is refused because of such clients.
 */
export class UnauthenticatedClients {
  readonly #limits: UnauthenticatedClientLimits;
  readonly #clock: Clock;
  readonly #addresses = new Map<string, Address>();
  readonly #seats = new Map<string, number>();
  readonly #refusals: CountedRequests;
  readonly #refusalSampler = new AuditSampler();
  readonly #visits: CountedRequests;
  readonly #visitSampler = new AuditSampler();
  readonly #failureSampler = new AuditSampler();
  #seated = 0;
  #sinceMs = -Infinity;

  constructor(limits: UnauthenticatedClientLimits, audit: Audit, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#refusals = new CountedRequests('refused', audit, clock);
    this.#visits = new CountedRequests('visited', audit, clock);
  }

  /** Records an unauthenticated request. `isCounted`: it is audited later in a count; `refusal`: the address has exceeded its allowance. */
  meet(remoteAddress: string): { readonly isCounted: boolean; readonly refusal: Error | undefined } {
    const nowMs = this.#clock.nowMs();
    const holder = holderOf(remoteAddress);
    const address = this.#address(holder, nowMs);
    if (Math.abs(nowMs - address.minuteMs) >= minuteMs) Object.assign(address, { minuteMs: nowMs, inMinute: 0 });
    address.inMinute += 1;
    const retryAfterMs = address.minuteMs + minuteMs - nowMs;
    const refusal = address.inMinute <= this.#limits.perMinuteMax ? undefined : tooMany(holder, address.inMinute, retryAfterMs);
    const isCounted = !this.#refusalSampler.take(holder, nowMs);
    if (isCounted) this.#refusals.count(holder, unauthenticated);
    return { isCounted, refusal };
  }

  /**
   * Records a request for a route that authenticates by itself, whose sender is not known either. Returns whether it is audited
   * individually; if not, call `leave` with its outcome. Flow control limits how many an address may send.
   */
  visit(remoteAddress: string): boolean {
    return this.#visitSampler.take(holderOf(remoteAddress), this.#clock.nowMs());
  }

  /**
   * Counts the outcome of a visit that was not audited individually. Returns whether it must be audited after all: the first failures have
   * an allowance of their own, so that a flood of successes cannot hide them.
   */
  leave(remoteAddress: string, status: number): boolean {
    const holder = holderOf(remoteAddress);
    if (status >= 400 && this.#failureSampler.take(holder, this.#clock.nowMs())) return true;
    this.#visits.count(holder, { status });
    return false;
  }

  /** Takes a seat for the seconds until the client has authenticated. @throws TAP_REQUEST_STRANGERS */
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

  /** Audits the counts so far, and stops waiting for more. */
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

  /** Every ten minutes, drops addresses whose minute is over, also when the clock was set back. */
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
