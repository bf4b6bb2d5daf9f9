import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../steady-clock.js';

const failuresMax = 5;
const windowMs = 30_000;
const coolDownMs = 60_000;
/** Maximum counted failures per tenant, so that a single tenant cannot open the breaker for all others. */
const ofTenantMax = 2;

interface CountedFailure {
  readonly atMs: number;
  readonly tenant: string | undefined;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Opens after five failures within 30 s for which the plugin is at fault, of which at most two count per tenant. After 60 s a single trial
 * call is let through, whose result closes or reopens it.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  /** The last counted failures; the oldest is dropped first. */
  readonly #counted: CountedFailure[] = [];
  #current: BreakerState = 'closed';
  #openUntilMs = 0;

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

  /** Whether a call may be made now. */
  admits(): boolean {
    if (this.#current === 'closed') return true;
    if (this.#current === 'half-open' || this.#clock.nowMs() < this.#openUntilMs) return false;
    this.#become('half-open');
    return true;
  }

  /** Call after every admitted call, unless it failed and the plugin was at fault. */
  succeeded(): void {
    if (this.#current !== 'half-open') return;
    this.#counted.length = 0;
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
    this.#openUntilMs = nowMs + coolDownMs;
    this.#become('open');
  }

  #recent(nowMs: number): readonly CountedFailure[] {
    return this.#counted.filter(({ atMs }) => nowMs - atMs <= windowMs);
  }

  #become(state: BreakerState): void {
    this.#current = state;
    this.#onChange(state);
  }
}
