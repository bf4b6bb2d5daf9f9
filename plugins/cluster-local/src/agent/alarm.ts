import type { Clock } from '@tappaas/sdk';

/** Wakes one waiting loop; a ring that arrives while the loop is not waiting is remembered. */
export class Alarm {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, at the given time or on abort, whichever is first. */
  async wait(untilMs: number, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) {
      this.#rung = false;
      return;
    }
    const timer = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true, signal: timer.signal });
    if (Number.isFinite(untilMs)) {
      const waitMs = Math.max(0, untilMs - this.#clock.nowMs());
      void this.#clock.sleep(Math.min(waitMs, 2 ** 31 - 1), timer.signal).then(resolve, () => undefined);
    }
    await promise;
    this.#wake = undefined;
    this.#rung = false;
    timer.abort();
  }
}
