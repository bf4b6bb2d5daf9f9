/** Silence that is no longer than this is what an event loop at work has between two beats. */
const ordinaryMs = 100;

/** How long two threads have stood in line for a processor since they began; 0 where the system does not say. Each wait counts when it is over. */
export interface Waits {
  readonly loopMs: number;
  readonly watcherMs: number;
}

const noWaits: Waits = { loopMs: 0, watcherMs: 0 };

/**
 * How long an event loop has been silent, and how much of that is its own doing: on a busy machine its thread may stand in line for a
 * processor, and a process that was stopped and goes on has missed time as a whole (docs/decisions/0230).
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

  /** At each look, and before what it has come to is asked. */
  look(nowMs: number): void {
    const lateMs = Math.max(0, nowMs - this.#lookedAtMs - this.#lookMs);
    this.#lookedAtMs = nowMs;
    const { loopMs, watcherMs } = this.#waitsSince();
    // What a thread that did not even stand in line has missed, the whole process has.
    this.#nobodysMs += loopMs + Math.max(0, lateMs - watcherMs);
  }

  /** Up to the latest look. */
  get lastsMs(): number {
    return this.#lookedAtMs - this.#sinceMs;
  }

  /** What of it is its own doing; exact while the thread runs. */
  get ownMs(): number {
    return Math.max(0, this.lastsMs - this.#nobodysMs);
  }

  /** The loop has turned. */
  end(): void {
    this.#sinceMs = this.#lookedAtMs;
    this.#nobodysMs = 0;
    this.#before = undefined;
  }

  /** Since the look before. Asking costs system calls, which a loop that turns is spared. */
  #waitsSince(): Waits {
    if (this.lastsMs < ordinaryMs) return noWaits;
    const now = this.#waits();
    const { loopMs, watcherMs } = this.#before ?? now;
    this.#before = now;
    return { loopMs: now.loopMs - loopMs, watcherMs: now.watcherMs - watcherMs };
  }
}
