import { administratorsGroup, type Caller, type Clock } from '@tappaas/sdk';
import { steadyClock } from '../kernel/steady-clock.js';
import type { Allowances } from './bucket.js';
import type { FlowSettings } from './flow-settings.js';
import { ownAllowances } from './own-allowances.js';
import { Principal, type PrincipalRates } from './principal.js';
import { PriorityLevel, type Seat } from './priority-level.js';
import { StreamSeats } from './stream-seats.js';
import type { Rate } from './token-bucket.js';

/** A request to flow control. */
export interface FlowRequest {
  readonly caller: Caller;
  readonly stream: boolean;
  /** Aborts when the client has gone; read only when the request has to wait. */
  readonly signal: AbortSignal;
}

export interface FlowOptions {
  readonly settings: FlowSettings;
  readonly clock: Clock;
  /** A tenant's own rate; looked up at most once a second per tenant. */
  readonly rateOf?: (tenant: string) => Partial<Rate> | undefined;
  /** Where buckets and seats come from. Default: the limits apply to this process alone. */
  readonly allowances?: Allowances;
}

interface Known {
  readonly principal: Principal;
  readonly level: PriorityLevel;
}

/** Prefix of the platform's own users, which are exempt: refusing their requests would stop the work that frees capacity. */
const exempt = 'system:engine:';
const free: Seat = { release: () => {} };
const principalsMax = 10_000;
/** Maximum number of waiting heavy requests; each holds its body in memory. */
const heavyQueuedMax = 64;
const heavyQueuedPerPrincipalMax = 16;
const ratesMsMax = 1000;

/**
 * Creates flow control with two levels that have seats of their own, so that administrators get through while tenants fill theirs. Within
 * a level, principals take turns. A caller's principal is its tenant, or the user itself without one, so that a tenant does not get more
 * by having more users; users of a tenant take turns among themselves.
 */
export function createFlow(options: FlowOptions): (request: FlowRequest) => Seat | Promise<Seat> {
  return new Flow(options).admit;
}

class Flow {
  readonly #options: FlowOptions;
  readonly #allowances: Allowances;
  readonly #system: PriorityLevel;
  readonly #tenants: PriorityLevel;
  readonly #heavy: readonly PriorityLevel[];
  readonly #streams: StreamSeats;
  readonly #principals = new Map<string, Principal>();
  readonly #known = new WeakMap<Caller, Known>();
  readonly #exempt = new WeakMap<Caller, boolean>();

  constructor(options: FlowOptions) {
    const clock = steadyClock(options.clock);
    this.#options = { ...options, clock };
    const { settings, allowances = ownAllowances } = options;
    this.#allowances = allowances;
    const { heavyRequestsMax, queuedMax, queuedPerPrincipalMax } = settings;
    const heavy = {
      ...settings,
      requestsMax: heavyRequestsMax,
      queuedMax: Math.min(queuedMax, heavyQueuedMax),
      queuedPerPrincipalMax: Math.min(queuedPerPrincipalMax, heavyQueuedPerPrincipalMax),
    };
    this.#heavy = ['heavy system', 'heavy tenants'].map((name) => new PriorityLevel(name, heavy, clock));
    const [ofSystem, ofTenants] = this.#heavy;
    this.#system = new PriorityLevel('system', settings, clock, ofSystem);
    this.#tenants = new PriorityLevel('tenants', settings, clock, ofTenants);
    this.#streams = new StreamSeats(settings, allowances);
    allowances.onMore(() => {
      for (const level of [this.#system, this.#tenants, ...this.#heavy]) level.fill();
    });
  }

  readonly admit = (request: FlowRequest): Seat | Promise<Seat> => {
    const { caller, stream } = request;
    if (this.#isExempt(caller)) return free;
    const nowMs = this.#options.clock.nowMs();
    const { principal, level } = this.#knownOf(caller, nowMs);
    const seat = level.admit(principal, caller.name, request, nowMs);
    if (!stream) return seat;
    return seat instanceof Promise ? seat.then((admitted) => this.#stream(admitted, principal)) : this.#stream(seat, principal);
  };

  /** Opening a stream counts as a request; keeping it open does not. */
  #stream(admitted: Seat, { id: { what, name } }: Principal): Seat | Promise<Seat> {
    admitted.release();
    const seat = this.#streams.take(`${what} ${name}`);
    const streaming = (taken: Seat): Seat => ({ ...admitted, release: () => taken.release() });
    return seat instanceof Promise ? seat.then(streaming) : streaming(seat);
  }

  #isExempt(caller: Caller): boolean {
    const known = this.#exempt.get(caller);
    if (known !== undefined) return known;
    const isExempt = caller.groups.some((group) => group.startsWith(exempt));
    this.#exempt.set(caller, isExempt);
    return isExempt;
  }

  #knownOf(caller: Caller, nowMs: number): Known {
    let known = this.#known.get(caller);
    if (known === undefined || known.principal.isForgotten) {
      const level = caller.groups.includes(administratorsGroup) ? this.#system : this.#tenants;
      known = { principal: this.#principalOf(caller, level, nowMs), level };
      this.#known.set(caller, known);
    }
    const { principal } = known;
    if (nowMs - principal.readAtMs >= ratesMsMax) principal.change(this.#ratesOf(caller), nowMs);
    return known;
  }

  #principalOf(caller: Caller, level: PriorityLevel, nowMs: number): Principal {
    const { tenant } = caller;
    const key = level === this.#system ? `system ${caller.name}` : tenant === undefined ? `user ${caller.name}` : `tenant ${tenant}`;
    const known = this.#principals.get(key);
    if (known !== undefined && !known.isForgotten) return known;
    if (this.#principals.size >= principalsMax) this.#forget(nowMs);
    const isTenant = tenant !== undefined && level === this.#tenants;
    const id = { key, what: isTenant ? 'tenant' : 'user', name: isTenant ? tenant : caller.name } as const;
    const { requestsPerPrincipalMax } = this.#options.settings;
    const made = new Principal(id, this.#ratesOf(caller), requestsPerPrincipalMax, this.#allowances, nowMs);
    this.#principals.set(key, made);
    return made;
  }

  /** Drops idle principals; if there are none, drops the oldest, which then starts with a fresh allowance. */
  #forget(nowMs: number): void {
    for (const [key, principal] of this.#principals) {
      principal.bucket.refill(nowMs);
      if (principal.isIdle) this.#drop(key, principal);
    }
    const [oldest] = this.#principals;
    if (oldest !== undefined && this.#principals.size >= principalsMax) this.#drop(...oldest);
  }

  #drop(key: string, principal: Principal): void {
    principal.drop();
    this.#principals.delete(key);
  }

  #ratesOf({ tenant, groups }: Caller): PrincipalRates {
    const { settings, rateOf } = this.#options;
    if (groups.includes(administratorsGroup)) return { own: settings.system };
    if (tenant === undefined) return { own: settings.user };
    return { own: { ...settings.tenant, ...rateOf?.(tenant) }, user: settings.user };
  }
}
