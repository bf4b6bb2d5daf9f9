import { setImmediate as macrotask } from 'node:timers/promises';

interface Sleeper {
  dueMs: number;
  order: number;
  wake(): void;
}

/** Time that moves only when a test says so; sleepers wake one by one in the order of their time. */
export class VirtualClock {
  private now: number;
  private order = 0;
  private readonly sleepers = new Set<Sleeper>();

  constructor(startMs = 1_800_000_000_000) {
    this.now = startMs;
  }

  nowMs(): number {
    return this.now;
  }

  get sleeping(): number {
    return this.sleepers.size;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper: Sleeper = {
        dueMs: this.now + ms,
        order: (this.order += 1),
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          this.sleepers.delete(sleeper);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.sleepers.add(sleeper);
    });
  }

  /** Moves time on by `ms`, letting everything that wakes run before the next does. */
  async advance(ms: number): Promise<void> {
    const endMs = this.now + ms;
    await settled();
    for (let next = this.earliest(endMs); next !== undefined; next = this.earliest(endMs)) {
      this.now = Math.max(this.now, next.dueMs);
      next.wake();
      await settled();
    }
    this.now = endMs;
  }

  /** Jumps without waking anybody on the way: what a process sees that was stopped for `ms`. */
  async freeze(ms: number): Promise<void> {
    this.now += ms;
    await this.advance(0);
  }

  /** The clock is set back; timers run on as before. */
  setBack(ms: number): void {
    this.now -= ms;
    for (const sleeper of this.sleepers) sleeper.dueMs -= ms;
  }

  private earliest(endMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.sleepers) {
      if (sleeper.dueMs > endMs) continue;
      if (!first || sleeper.dueMs < first.dueMs || (sleeper.dueMs === first.dueMs && sleeper.order < first.order)) first = sleeper;
    }
    return first;
  }
}

/** Lets all work that does not wait for the clock or the network finish. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await macrotask();
}

/** A repeatable source of chance (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
