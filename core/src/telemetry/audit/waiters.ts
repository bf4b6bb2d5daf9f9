import type { Clock } from '@tappaas/sdk';

interface Waiter {
  readonly deadlineMs: number;
  readonly go: (inTime: boolean) => void;
}

/** Callers that wait for something, each until a deadline, with a single timer for all. */
export class Waiters {
  readonly #clock: Clock;
  #waiting = new Set<Waiter>();
  #timer: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves to true when woken, to false when the deadline has passed. */
  wait(deadlineMs: number): Promise<boolean> {
    if (deadlineMs <= this.#clock.nowMs()) return Promise.resolve(false);
    return new Promise((go) => {
      this.#waiting.add({ deadlineMs, go });
      if (this.#timer === undefined) void this.#expire();
    });
  }

  /** Wakes all waiters, which then check again. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const woken = this.#waiting;
    this.#waiting = new Set();
    this.#timer?.abort();
    this.#timer = undefined;
    for (const { go } of woken) go(true);
  }

  async #expire(): Promise<void> {
    const timer = new AbortController();
    this.#timer = timer;
    while (this.#waiting.size > 0 && !timer.signal.aborted) {
      const firstMs = Math.min(...[...this.#waiting].map(({ deadlineMs }) => deadlineMs));
      await this.#clock.sleep(Math.max(1, firstMs - this.#clock.nowMs()), timer.signal).catch(() => undefined);
      for (const waiter of [...this.#waiting].filter(({ deadlineMs }) => deadlineMs <= this.#clock.nowMs())) {
        this.#waiting.delete(waiter);
        waiter.go(false);
      }
    }
    if (this.#timer === timer) this.#timer = undefined;
  }
}
