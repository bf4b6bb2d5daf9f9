import type { AuditLine, AuditLines, AuditWritten, Awaitable, Clock, Logger } from '@tappaas/sdk';
import { auditErrors } from './errors.js';
import { inPieces, sizeOf } from './sealed-line.js';
import { Waiters } from './waiters.js';

/** How a sink is used. */
export interface SinkSettings {
  /** `blocking`: a request goes on when its first line is kept. `batch`: lines are kept together, shortly after. */
  readonly mode: 'blocking' | 'batch';
  /** What a full buffer means to requests: wait for room, be refused at once, or go on without a line in this sink. */
  readonly onOverflow: 'block' | 'refuse' | 'drop';
  /** How long a request waits before it is refused, milliseconds. */
  readonly waitMsMax: number;
  /** Lines that may wait, those that running requests will still need included. */
  readonly bufferLinesMax: number;
  readonly bufferBytesMax: number;
  /** How long lines are gathered in mode `batch`, milliseconds. */
  readonly gatherMs: number;
}

/** Lines in a row that a sink was not given. */
export interface DroppedLines {
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

export interface SinkQueueParts {
  readonly name: string;
  readonly settings: SinkSettings;
  /** One attempt. */
  readonly write: (lines: AuditLines) => Promise<AuditWritten>;
  /** How many lines are still to be made and then pushed. */
  readonly unmade: () => number;
  /** Makes them. */
  readonly make: () => Awaitable<void>;
  readonly clock: Clock;
  /** Between 0 and 1; spreads repeated attempts. */
  readonly random: () => number;
  readonly log: Logger;
  /** These lines are kept. */
  readonly onWritten: (last: AuditLine, written: AuditWritten) => void;
  /** There is room again after lines were dropped. */
  readonly onDropped: (dropped: DroppedLines) => void;
}

const batchLinesMax = 1_000;
const batchBytesMax = 1024 * 1024;
const retryMsMin = 100;
const retryMsMax = 10_000;

/** Lines on their way to one sink: in order, bounded, one attempt at a time, repeated until it succeeds. */
export class SinkQueue {
  readonly name: string;
  readonly settings: SinkSettings;
  readonly #parts: SinkQueueParts;
  readonly #room: Waiters;
  readonly #kept: Waiters;
  #lines: AuditLine[] = [];
  #bytes = 0;
  #reserved = 0;
  #keptTo = 0;
  #failures = 0;
  #lost = 0;
  #dropped: DroppedLines | undefined;
  #running: Promise<void> | undefined;
  #sleeping: AbortController | undefined;
  /** `ending`: no more gathering and long pauses. `ended`: no more attempts. */
  #phase: 'open' | 'ending' | 'ended' = 'open';

  constructor(parts: SinkQueueParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.settings = parts.settings;
    this.#room = new Waiters(parts.clock);
    this.#kept = new Waiters(parts.clock);
  }

  /** The last attempt has failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Lines that wait, and lines that were left out. */
  get counts(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#lines.length + this.#parts.unmade(), dropped: this.#lost };
  }

  /** Keeps room for the lines of a request. False when there is none; a sink that may be left out always has some. */
  reserve(lines: number): boolean {
    const { onOverflow, bufferLinesMax } = this.settings;
    if (onOverflow !== 'drop' && (this.#lines.length + this.#reserved + lines > bufferLinesMax || this.#isOver())) return false;
    this.#reserved += lines;
    return true;
  }

  /** Keeps room for a line that cannot be refused, full or not. */
  occupy(): void {
    this.#reserved += 1;
  }

  /** Gives back what was reserved: its line has come, or is not needed. */
  release(lines: number): void {
    this.#reserved -= lines;
    this.#room.wake();
  }

  /** @throws TAP_AUDIT_UNAVAILABLE when there is no room in time */
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

  /** Lines have come, or will be made when the sink is to be given some. */
  expect(): void {
    if (this.#sleeping !== undefined && this.#count() >= batchLinesMax && !this.isFailing) this.#sleeping.abort();
    this.#running ??= this.#run();
  }

  /** Resolves when a line is kept. @throws TAP_AUDIT_UNAVAILABLE when that takes too long, at once while the sink is failing */
  async whenKept(sequence: number): Promise<void> {
    const deadlineMs = this.#parts.clock.nowMs() + this.settings.waitMsMax;
    while (this.#keptTo < sequence) {
      if (this.isFailing || !(await this.#kept.wait(deadlineMs))) throw this.#unavailable('does not keep its lines');
    }
  }

  /** @throws TAP_AUDIT_UNAVAILABLE while a blocking sink is failing */
  refuseWhileFailing(): void {
    if (this.settings.mode === 'blocking' && this.isFailing) throw this.#unavailable('does not keep its lines');
  }

  /** Writes what waits, for at most `msMax`; answers how many lines were left. */
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

  /** By itself, so that nobody holds lines that are written while others are gathered. */
  async #writeSome(): Promise<boolean> {
    const batch = this.#batch();
    const isWritten = await this.#attempt(batch);
    if (isWritten) this.#done(batch);
    return isWritten;
  }

  /** Lines that come within a moment go out together: a call costs more than a line. */
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
    this.#keptTo = batch.at(-1)?.sequence ?? this.#keptTo;
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
