import type { Clock } from '@tappaas/sdk';

const failuresMax = 5;
const windowMs = 30_000;
const coolDownMs = 60_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * Cuts a plugin off a hook after five failures of its own blame within 30 s; after 60 s one call is let through, and decides.
 */
export class Breaker {
  private readonly clock: Clock;
  private readonly onChange: (state: BreakerState) => void;
  /** When the last failures happened; the oldest is overwritten. */
  private readonly failedAtMs: number[] = [];
  private current: BreakerState = 'closed';
  private openUntilMs = 0;

  constructor(clock: Clock, onChange: (state: BreakerState) => void) {
    this.clock = clock;
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
    this.failedAtMs.length = 0;
    this.become('closed');
  }

  failed(): void {
    if (this.current === 'open') return;
    const nowMs = this.clock.nowMs();
    const recent = [...this.recent(nowMs), nowMs].slice(-failuresMax);
    this.failedAtMs.splice(0, this.failedAtMs.length, ...recent);
    if (this.current === 'closed' && recent.length < failuresMax) return;
    this.openUntilMs = nowMs + coolDownMs;
    this.become('open');
  }

  private recent(nowMs: number): readonly number[] {
    return this.failedAtMs.filter((atMs) => nowMs - atMs <= windowMs);
  }

  private become(state: BreakerState): void {
    this.current = state;
    this.onChange(state);
  }
}
