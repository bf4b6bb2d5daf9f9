import type { AuditLine, AuditLines, AuditWritten, Awaitable, Clock, Logger } from '@tappaas/sdk';
import { auditErrors } from './errors.js';
import { inPieces, sizeOf } from './sealed-line.js';
import { Waiters } from './waiters.js';

/** How a sink is used. */
export interface SinkSettings {
  /** `blocking`: a request proceeds once its first line is kept. `batch`: lines are collected and written shortly after. */
  readonly mode: 'blocking' | 'batch';
  /** What requests do when the buffer is full: wait for room, be refused at once, or proceed without a line in this sink. */
  readonly onOverflow: 'block' | 'refuse' | 'drop';
  /** How long a request waits before it is refused, in milliseconds. */
  readonly waitMsMax: number;
  /** Maximum number of waiting lines, including those reserved by running requests. */
  readonly bufferLinesMax: number;
  readonly bufferBytesMax: number;
  /** How long lines are collected in mode `batch`, in milliseconds. */
  readonly gatherMs: number;
}

/** A range of lines that a sink did not receive. */
export interface DroppedLines {
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

export interface SinkQueueParts {
  readonly name: string;
  readonly settings: SinkSettings;
  /** Makes one attempt to write. */
  readonly write: (lines: AuditLines) => Promise<AuditWritten>;
  /** Returns the number of lines that are still to be made and pushed. */
  readonly unmade: () => number;
  /** Makes those lines. */
  readonly make: () => Awaitable<void>;
  readonly clock: Clock;
  /** Returns a number from 0 to 1; used to spread retries. */
  readonly random: () => number;
  readonly log: Logger;
  /** Called when lines have been kept. */
  readonly onWritten: (last: AuditLine, written: AuditWritten) => void;
  /** Called when there is room again after lines were dropped. */
  readonly onDropped: (dropped: DroppedLines) => void;
}

const batchLinesMax = 1_000;
const batchBytesMax = 1024 * 1024;
const retryMsMin = 100;
const retryMsMax = 10_000;

/** The queue of lines for one sink: ordered and bounded, with one attempt at a time, which is retried until it succeeds. */
export class SinkQueue {
  readonly name: string;
  readonly settings: SinkSettings;
  readonly #parts: SinkQueueParts;
  readonly #room: Waiters;
  readonly #kept: Waiters;
  #lines: AuditLine[] = [];
  #bytes = 0;
  #reserved = 0;
  #storedTo = 0;
  #failures = 0;
  #lost = 0;
  #dropped: DroppedLines | undefined;
  #running: Promise<void> | undefined;
  #sleeping: AbortController | undefined;
  /** `ending`: no more collecting or long pauses. `ended`: no more attempts. */
  #phase: 'open' | 'ending' | 'ended' = 'open';

  constructor(parts: SinkQueueParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.settings = parts.settings;
    this.#room = new Waiters(parts.clock);
    this.#kept = new Waiters(parts.clock);
  }

  /** Whether the last attempt failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Numbers of waiting and of dropped lines. */
  get counts(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#lines.length + this.#parts.unmade(), dropped: this.#lost };
  }

  /** Reserves room for the lines of a request. Returns false if there is none; a sink that may drop lines always has room. */
  reserve(lines: number): boolean {
    const { onOverflow, bufferLinesMax } = this.settings;
    if (onOverflow !== 'drop' && (this.#lines.length + this.#reserved + lines > bufferLinesMax || this.#isOver())) return false;
    this.#reserved += lines;
    return true;
  }

  /** Reserves room for a line that cannot be refused, even if the queue is full. */
  occupy(): void {
    this.#reserved += 1;
  }

  /** Releases a reservation: its line has been pushed, or is not needed. */
  release(lines: number): void {
    this.#reserved -= lines;
    this.#room.wake();
  }

  /** Waits for room. @throws TAP_AUDIT_UNAVAILABLE when there is none in time */
  async waitForRoom(lines: number): Promise<void> {
    const { onOverflow, waitMsMax } = this.settings;
    const deadlineMs = this.#parts.clock.nowMs() + (onOverflow === 'refuse' ? 0 : waitMsMax);
    while (!this.reserve(lines)) {
      if (!(await this.#room.wait(deadlineMs))) throw this.#unavailable('has no room');
    }
  }

  push(line: AuditLine): void {
    if (this.settings.onOverflow === 'drop' && this.#isOver()) {
      this.#drop(line);
      return;
    }
    this.#lines.push(line);
    this.#bytes += sizeOf(line);
    this.expect();
  }

  /** Call when lines have been pushed, or will be made once the sink is ready. */
  expect(): void {
    if (this.#sleeping !== undefined && this.#count() >= batchLinesMax && !this.isFailing) this.#sleeping.abort();
    this.#running ??= this.#run();
  }

  /** Resolves when a line is kept. @throws TAP_AUDIT_UNAVAILABLE when that takes too long, or immediately while the sink is failing */
  async whenStored(sequence: number): Promise<void> {
    const deadlineMs = this.#parts.clock.nowMs() + this.settings.waitMsMax;
    while (this.#storedTo < sequence) {
      if (this.isFailing || !(await this.#kept.wait(deadlineMs))) throw this.#unavailable('does not keep its lines');
    }
  }

  /** @throws TAP_AUDIT_UNAVAILABLE while a blocking sink is failing */
  refuseWhileFailing(): void {
    if (this.settings.mode === 'blocking' && this.isFailing) throw this.#unavailable('does not keep its lines');
  }

  /** Writes the waiting lines for at most `msMax`; returns how many are left. */
  async stop(msMax: number): Promise<number> {
    this.#phase = 'ending';
    this.#sleeping?.abort();
    const over = new AbortController();
    const late = this.#parts.clock.sleep(msMax, over.signal).catch(() => undefined);
    await Promise.race([this.#running, late]);
    over.abort();
    this.#phase = 'ended';
    this.#sleeping?.abort();
    return this.#lines.length;
  }

  #isOver(): boolean {
    return this.#lines.length >= this.settings.bufferLinesMax || this.#bytes >= this.settings.bufferBytesMax;
  }

  #drop({ sequence }: AuditLine): void {
    this.#lost += 1;
    if (this.#dropped === undefined)
      this.#parts.log.error('lines are left out of an audit sink that does not keep up', { sink: this.name });
    const { count, from } = this.#dropped ?? { count: 0, from: sequence };
    this.#dropped = { count: count + 1, from, to: sequence };
  }

  #count(): number {
    return this.#lines.length + this.#parts.unmade();
  }

  async #run(): Promise<void> {
    await this.#gather();
    while (this.#count() > 0 && this.#phase !== 'ended') {
      if (this.#lines.length < batchLinesMax) await this.#parts.make();
      if (this.#lines.length === 0) continue;
      if (!(await this.#writeSome())) await this.#pause();
      else if (this.#count() > 0) await this.#gather();
    }
    this.#running = undefined;
  }

  /** A separate function, so that written lines are not retained while others are collected. */
  async #writeSome(): Promise<boolean> {
    const batch = this.#batch();
    const isWritten = await this.#attempt(batch);
    if (isWritten) this.#done(batch);
    return isWritten;
  }

  /** Collects lines that arrive in quick succession, since a call costs more than a line. */
  async #gather(): Promise<void> {
    const { mode, gatherMs } = this.settings;
    if (mode === 'batch' && gatherMs > 0 && this.#phase === 'open' && this.#count() < batchLinesMax) await this.#sleep(gatherMs);
    else await Promise.resolve();
  }

  #batch(): AuditLines {
    let bytes = 0;
    let count = 0;
    for (const line of this.#lines) {
      bytes += sizeOf(line);
      if (count > 0 && (count >= batchLinesMax || bytes > batchBytesMax)) break;
      count += 1;
    }
    return inPieces(this.#lines.slice(0, count));
  }

  async #attempt(batch: AuditLines): Promise<boolean> {
    const { write, log, onWritten } = this.#parts;
    try {
      const written = await write(batch);
      if (this.isFailing) log.info('an audit sink keeps its lines again', { sink: this.name });
      this.#failures = 0;
      const last = batch.at(-1);
      if (last !== undefined) onWritten(last, written);
      return true;
    } catch (error) {
      if (!this.isFailing) log.error('an audit sink did not keep its lines; it is tried again until it does', { sink: this.name, error });
      this.#failures += 1;
      this.#kept.wake();
      return false;
    }
  }

  #done(batch: readonly AuditLine[]): void {
    this.#storedTo = batch.at(-1)?.sequence ?? this.#storedTo;
    this.#lines = this.#lines.slice(batch.length);
    for (const line of batch) this.#bytes -= sizeOf(line);
    this.#kept.wake();
    this.#room.wake();
    const dropped = this.#dropped;
    if (dropped === undefined || this.#isOver()) return;
    this.#dropped = undefined;
    this.#parts.onDropped(dropped);
  }

  async #pause(): Promise<void> {
    const growing = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#failures - 1, 10));
    await this.#sleep((this.#phase === 'open' ? growing : retryMsMin) * (0.5 + this.#parts.random() / 2));
  }

  async #sleep(ms: number): Promise<void> {
    this.#sleeping = new AbortController();
    await this.#parts.clock.sleep(ms, this.#sleeping.signal).catch(() => undefined);
    this.#sleeping = undefined;
  }

  #unavailable(problem: string): Error {
    const message = `the request cannot be recorded: audit sink ${this.name} ${problem}`;
    return auditErrors.TAP_AUDIT_UNAVAILABLE({ message, retryAfterMs: 1_000 });
  }
}
