import type { Clock } from '@tappaas/sdk';
import { holderOf } from './address-seats.js';
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
/** For so long requests are counted before the count is told. */
export const countMs = 600_000;
/** So many of an address, and of all addresses, are told one by one within that time. */
export const toldPerAddressMax = 20;
export const toldMax = 100;
/** Addresses whose counts are told apart; the rest is one count. */
export const countsMax = 16;
const addressesMax = 4_096;
/** How many requests a line stands for. */
export const countAnnotation = 'tappaas.dev/requests';

interface Address {
  minuteMs: number;
  inMinute: number;
  told: number;
}

/** What was counted and is not told yet. */
interface Count {
  requests: number;
  readonly sinceMs: number;
}

const elsewhere = '';

/**
 * Those who do not say who they are, by where they come from. Anybody can be one, as often as a machine can ask: each takes from its own address
 * only, and audit hears of the first ones each, of the others how many they were. So nobody without a credential pushes out of the log what
 * others did, and no credential is refused because of them.
 */
export class Strangers {
  readonly #limits: StrangerLimits;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #addresses = new Map<string, Address>();
  readonly #seats = new Map<string, number>();
  readonly #counts = new Map<string, Count>();
  readonly #over = new AbortController();
  #seated = 0;
  #told = 0;
  #sinceMs = -Infinity;
  #made = 0;
  #waits = false;

  constructor(limits: StrangerLimits, audit: Audit, clock: Clock) {
    this.#limits = limits;
    this.#audit = audit;
    this.#clock = clock;
  }

  /** Takes note of a request of nobody. `isCounted`: audit is told of it later, with others; `refusal`: the address has asked for too much. */
  meet(remoteAddress: string): { readonly isCounted: boolean; readonly refusal: Error | undefined } {
    const nowMs = this.#clock.nowMs();
    this.#begin(nowMs);
    const holder = holderOf(remoteAddress);
    const address = this.#address(holder, nowMs);
    if (Math.abs(nowMs - address.minuteMs) >= minuteMs) Object.assign(address, { minuteMs: nowMs, inMinute: 0 });
    address.inMinute += 1;
    const retryAfterMs = address.minuteMs + minuteMs - nowMs;
    const refusal = address.inMinute <= this.#limits.perMinuteMax ? undefined : tooMany(holder, address.inMinute, retryAfterMs);
    const isCounted = address.told >= toldPerAddressMax || this.#told >= toldMax;
    if (isCounted) this.#count(holder, nowMs);
    else {
      address.told += 1;
      this.#told += 1;
    }
    return { isCounted, refusal };
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
    this.#over.abort();
    await this.#tell();
  }

  #begin(nowMs: number): void {
    // Also over when the clock was set back.
    if (Math.abs(nowMs - this.#sinceMs) < countMs) return;
    this.#sinceMs = nowMs;
    this.#told = 0;
    for (const [holder, address] of this.#addresses) {
      address.told = 0;
      if (Math.abs(nowMs - address.minuteMs) >= minuteMs) this.#addresses.delete(holder);
    }
  }

  #address(holder: string, nowMs: number): Address {
    const known = this.#addresses.get(holder);
    if (known !== undefined) return known;
    const oldest = this.#addresses.size >= addressesMax ? this.#addresses.keys().next().value : undefined;
    if (oldest !== undefined) this.#addresses.delete(oldest);
    const made = { minuteMs: nowMs, inMinute: 0, told: 0 };
    this.#addresses.set(holder, made);
    return made;
  }

  #count(holder: string, nowMs: number): void {
    const key = this.#counts.has(holder) || this.#counts.size < countsMax ? holder : elsewhere;
    const count = this.#counts.get(key) ?? { requests: 0, sinceMs: nowMs };
    count.requests += 1;
    this.#counts.set(key, count);
    if (!this.#waits) void this.#tellLater();
  }

  async #tellLater(): Promise<void> {
    this.#waits = true;
    await this.#clock.sleep(countMs, this.#over.signal).catch(() => {});
    this.#waits = false;
    if (!this.#over.signal.aborted) await this.#tell();
  }

  async #tell(): Promise<void> {
    const counts = [...this.#counts];
    this.#counts.clear();
    for (const [holder, { requests, sinceMs }] of counts) await this.#tellCount(holder, requests, sinceMs);
  }

  async #tellCount(holder: string, requests: number, sinceMs: number): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const request = { method: '', path: '*', query: '', engine: 'platform', verb: 'refused', userAgent: '' };
    const requestId = `strangers-${nowMs.toString(36)}-${(this.#made += 1)}`;
    try {
      const trail = await this.#audit({ ...request, requestId, receivedAtMs: sinceMs, remoteAddress: holder });
      const annotations = new Map([
        [countAnnotation, String(requests)],
        ['tappaas.dev/since', new Date(sinceMs).toISOString()],
      ]);
      await trail.end({ status: 401, errorCode: 'TAP_REQUEST_UNAUTHENTICATED', durationMs: nowMs - sinceMs, annotations });
    } catch {
      // A sink that takes nothing now: the count goes on.
      const count = this.#counts.get(holder) ?? { requests: 0, sinceMs };
      this.#counts.set(holder, { requests: count.requests + requests, sinceMs });
    }
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
