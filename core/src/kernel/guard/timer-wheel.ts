import type { Clock } from '@tappaas/sdk';
import { steadyClock } from '../steady-clock.js';

/** An entry that can expire; it contains the links of the wheel, so that inserting allocates nothing. */
export interface WheelEntry {
  dueTick: number;
  previous: WheelEntry | undefined;
  next: WheelEntry | undefined;
  expire(): void;
}

const tickMs = 10;
const slots = 512;
/** A wake-up later than this means that the event loop was blocked, not that all waiting calls were slow. */
const lagMsMax = 100;
/** Time to read responses that arrived during the block. */
const graceMs = 50;

/**
 * Runs the deadlines of all calls on one timer, with a resolution of 10 ms: inserting and removing are a few writes, whereas a timer of
 * their own would cost 3-5 µs.
 *
 * Time during which the event loop was blocked does not count; otherwise one plugin that blocks it would make all others time out.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #heads: (WheelEntry | undefined)[] = Array.from({ length: slots });
  readonly #startMs: number;
  #blockedMs = 0;
  #waiting = 0;
  #doneTick = 0;
  #armedTick = Number.POSITIVE_INFINITY;
  #sleep: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = steadyClock(clock);
    this.#startMs = this.#clock.nowMs();
  }

  get size(): number {
    return this.#waiting;
  }

  /** Schedules expiry after `delayMs`, never earlier. */
  insert(entry: WheelEntry, delayMs: number): void {
    const nowMs = this.#clock.nowMs();
    if (this.#waiting === 0) this.#doneTick = Math.max(this.#doneTick, this.#tickOf(nowMs));
    entry.dueTick = Math.max(this.#doneTick + 1, Math.ceil((nowMs - this.#startMs - this.#blockedMs + delayMs) / tickMs));
    const slot = entry.dueTick % slots;
    const head = this.#heads[slot];
    entry.previous = undefined;
    entry.next = head;
    if (head) head.previous = entry;
    this.#heads[slot] = entry;
    this.#waiting += 1;
    if (entry.dueTick < this.#armedTick) this.#arm(entry.dueTick, nowMs);
  }

  remove(entry: WheelEntry): void {
    if (entry.dueTick < 0) return;
    if (entry.previous) entry.previous.next = entry.next;
    else this.#heads[entry.dueTick % slots] = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    entry.dueTick = -1;
    this.#waiting -= 1;
  }

  /** Stops the timer; no entry expires afterwards. */
  close(): void {
    this.#armedTick = Number.NEGATIVE_INFINITY;
    this.#sleep?.abort();
  }

  #tickOf(nowMs: number): number {
    return Math.floor((nowMs - this.#startMs - this.#blockedMs) / tickMs);
  }

  #arm(tick: number, nowMs: number): void {
    this.#sleep?.abort();
    const sleep = new AbortController();
    this.#sleep = sleep;
    this.#armedTick = tick;
    const dueMs = this.#startMs + this.#blockedMs + tick * tickMs;
    this.#clock.sleep(Math.max(0, dueMs - nowMs), sleep.signal).then(
      () => {
        if (this.#sleep === sleep) this.#wake(dueMs);
      },
      () => {},
    );
  }

  #wake(dueMs: number): void {
    this.#sleep = undefined;
    this.#armedTick = Number.POSITIVE_INFINITY;
    const lagMs = this.#clock.nowMs() - dueMs;
    if (lagMs > lagMsMax) this.#blockedMs += lagMs + graceMs;
    const nowTick = this.#tickOf(this.#clock.nowMs());
    const turns = Math.min(slots, nowTick - this.#doneTick);
    const doneTick = this.#doneTick;
    for (let turn = 1; turn <= turns; turn += 1) this.#expireSlot((doneTick + turn) % slots, nowTick);
    this.#doneTick = Math.max(doneTick, nowTick);
    this.#armNext();
  }

  #expireSlot(slot: number, nowTick: number): void {
    const expired: WheelEntry[] = [];
    for (let entry = this.#heads[slot]; entry; entry = entry.next) if (entry.dueTick <= nowTick) expired.push(entry);
    for (const entry of expired) {
      if (entry.dueTick < 0) continue;
      this.remove(entry);
      entry.expire();
    }
  }

  #armNext(): void {
    if (this.#waiting === 0) return;
    for (let turn = 1; turn <= slots; turn += 1) {
      if (this.#heads[(this.#doneTick + turn) % slots]) {
        const tick = this.#doneTick + turn;
        if (tick < this.#armedTick) this.#arm(tick, this.#clock.nowMs());
        return;
      }
    }
  }
}
