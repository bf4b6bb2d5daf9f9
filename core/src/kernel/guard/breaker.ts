import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../steady-clock.js';

const failuresMax = 5;
const windowMs = 30_000;
const coolDownMs = 60_000;
/** Failures for one tenant that count: what a tenant alone can bring about must not cut the plugin off from the others. */
const ofTenantMax = 2;

interface CountedFailure {
  readonly atMs: number;
  readonly tenant: string | undefined;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Cuts a plugin off a hook after five failures of its own blame within 30 s, of which at most two for one tenant; after 60 s one call is let
 * through, and decides.
 */
export class Breaker {
  private readonly clock: Clock;
  private readonly onChange: (state: BreakerState) => void;
  /** The last failures that count; the oldest is overwritten. */
  private readonly counted: CountedFailure[] = [];
  private current: BreakerState = 'closed';
  private openUntilMs = 0;

  constructor(clock: Clock, onChange: (state: BreakerState) => void) {
    this.clock = steadyClock(clock);
    this.onChange = onChange;
  }

  get state(): BreakerState {
    return this.current;
  }

  get failures(): number {
    return this.recent(this.clock.nowMs()).length;
  }

  /** Whether a call may be made now. */
  admits(): boolean {
    if (this.current === 'closed') return true;
    if (this.current === 'half-open' || this.clock.nowMs() < this.openUntilMs) return false;
    this.become('half-open');
    return true;
  }

  /** Told after every call that was let through, unless it failed by the plugin's own blame. */
  succeeded(): void {
    if (this.current !== 'half-open') return;
    this.counted.length = 0;
    this.become('closed');
  }

  /** For whom: a tenant, or the platform and everybody. */
  failed(tenant?: string): void {
    if (this.current === 'open') return;
    const nowMs = this.clock.nowMs();
    const before = this.recent(nowMs);
    const ofTenant = tenant === undefined ? [] : before.filter((failure) => failure.tenant === tenant);
    const others = ofTenant.length < ofTenantMax ? before : before.filter((failure) => failure !== ofTenant[0]);
    const recent = [...others, { atMs: nowMs, tenant }].slice(-failuresMax);
    this.counted.splice(0, this.counted.length, ...recent);
    if (this.current === 'closed' && recent.length < failuresMax) return;
    this.openUntilMs = nowMs + coolDownMs;
    this.become('open');
  }

  private recent(nowMs: number): readonly CountedFailure[] {
    return this.counted.filter(({ atMs }) => nowMs - atMs <= windowMs);
  }

  private become(state: BreakerState): void {
    this.current = state;
    this.onChange(state);
  }
}
