/** A silence up to this length is normal between two beats of a busy event loop. */
const ordinaryMs = 100;

/** Total time that two threads have waited for a CPU; 0 where the system does not report it. Each wait is counted once it is over. */
export interface Waits {
  readonly loopMs: number;
  readonly watcherMs: number;
}

const noWaits: Waits = { loopMs: 0, watcherMs: 0 };

/**
 * Measures how long an event loop has been silent, and which part of that it caused itself: on a busy machine its thread may wait for a
 * CPU, and a suspended process loses time as a whole (docs/decisions/0230).
 */
export class Silence {
  readonly #lookMs: number;
  readonly #waits: () => Waits;
  #sinceMs: number;
  #lookedAtMs: number;
  #nobodysMs = 0;
  #before: Waits | undefined;

  constructor(nowMs: number, lookMs: number, waits: () => Waits) {
    this.#sinceMs = nowMs;
    this.#lookedAtMs = nowMs;
    this.#lookMs = lookMs;
    this.#waits = waits;
  }

  /** Call at each check, and before reading the results. */
  look(nowMs: number): void {
    const lateMs = Math.max(0, nowMs - this.#lookedAtMs - this.#lookMs);
    this.#lookedAtMs = nowMs;
    const { loopMs, watcherMs } = this.#waitsSince();
    // Time that the watching thread lost without waiting for a CPU was lost by the whole process.
    this.#nobodysMs += loopMs + Math.max(0, lateMs - watcherMs);
  }

  /** Duration of the silence until the latest check. */
  get lastsMs(): number {
    return this.#lookedAtMs - this.#sinceMs;
  }

  /** The part of the silence caused by the event loop itself; exact while its thread runs. */
  get ownMs(): number {
    return Math.max(0, this.lastsMs - this.#nobodysMs);
  }

  /** Call when the event loop has turned. */
  end(): void {
    this.#sinceMs = this.#lookedAtMs;
    this.#nobodysMs = 0;
    this.#before = undefined;
  }

  /** Returns the waits since the previous check. Reading them costs system calls, which are avoided while the loop turns. */
  #waitsSince(): Waits {
    if (this.lastsMs < ordinaryMs) return noWaits;
    const now = this.#waits();
    const { loopMs, watcherMs } = this.#before ?? now;
    this.#before = now;
    return { loopMs: now.loopMs - loopMs, watcherMs: now.watcherMs - watcherMs };
  }
}
