import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../steady-clock.js';

const failuresMax = 5;
const windowMs = 30_000;
const coolDownMs = 60_000;
/** Maximum counted failures per tenant, so that a single tenant cannot open the breaker for all others. */
const ofTenantMax = 2;
/** Trial calls of as many tenants must fail in a row for the breaker to reopen for all. */
const triedTenantsMax = 3;

interface TenantFailure {
  readonly atMs: number;
  readonly tenant: string;
}

interface CountedFailure {
  readonly atMs: number;
  readonly tenant: string | undefined;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Opens after five failures within 30 s for which the plugin is at fault, of which at most two count per tenant. After 60 s a single trial
 * call is let through, whose success closes it. A failed trial reopens it for 60 s: for the tenant whose call it was, and for all once the
 * trials of three tenants, or one that is no tenant's, have failed.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  /** The last counted failures; the oldest is dropped first. */
  readonly #counted: CountedFailure[] = [];
  #current: BreakerState = 'closed';
  #openUntilMs = 0;
  /** Failed trials since it opened for all. */
  #tried: readonly TenantFailure[] = [];

  constructor(clock: Clock, onChange: (state: BreakerState) => void) {
    this.#clock = steadyClock(clock);
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#current;
  }

  get failures(): number {
    return this.#recent(this.#clock.nowMs()).length;
  }

  /** Whether a call may be made now; `tenant` as in `failed`. */
  admits(tenant?: string): boolean {
    if (this.#current === 'closed') return true;
    const nowMs = this.#clock.nowMs();
    if (this.#current === 'half-open' || nowMs < this.#openUntilMs) return false;
    if (this.#triedSince(nowMs - coolDownMs).some((tried) => tried.tenant === tenant)) return false;
    this.#become('half-open');
    return true;
  }

  /** Call after every admitted call, unless it failed and the plugin was at fault. */
  succeeded(): void {
    if (this.#current !== 'half-open') return;
    this.#counted.length = 0;
    this.#tried = [];
    this.#become('closed');
  }

  /** Call after a failure; `tenant` is undefined for calls of the platform or for several tenants. */
  failed(tenant?: string): void {
    if (this.#current === 'open') return;
    const nowMs = this.#clock.nowMs();
    const before = this.#recent(nowMs);
    const ofTenant = tenant === undefined ? [] : before.filter((failure) => failure.tenant === tenant);
    const others = ofTenant.length < ofTenantMax ? before : before.filter((failure) => failure !== ofTenant[0]);
    const recent = [...others, { atMs: nowMs, tenant }].slice(-failuresMax);
    this.#counted.splice(0, this.#counted.length, ...recent);
    if (this.#current === 'closed' && recent.length < failuresMax) return;
    if (this.#current === 'closed' || this.#isTriedEnough(tenant, nowMs)) {
      this.#tried = [];
      this.#openUntilMs = nowMs + coolDownMs;
    }
    this.#become('open');
  }

  /** Records a failed trial; returns whether it, or that many, decide for all. */
  #isTriedEnough(tenant: string | undefined, nowMs: number): boolean {
    if (tenant === undefined) return true;
    this.#tried = [...this.#triedSince(nowMs - coolDownMs).filter((tried) => tried.tenant !== tenant), { atMs: nowMs, tenant }];
    return this.#tried.length >= triedTenantsMax;
  }

  #triedSince(ms: number): readonly TenantFailure[] {
    return this.#tried.filter(({ atMs }) => atMs > ms);
  }

  #recent(nowMs: number): readonly CountedFailure[] {
    return this.#counted.filter(({ atMs }) => nowMs - atMs <= windowMs);
  }

  #become(state: BreakerState): void {
    this.#current = state;
    this.#onChange(state);
  }
}
