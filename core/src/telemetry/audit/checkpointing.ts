import type { Clock, Logger } from '@tappaas/sdk';
import type { ChainEnd } from './chain.js';
import type { CheckpointFiles } from './checkpoint-files.js';

export interface CheckpointingParts {
  readonly chain: string;
  readonly checkpoints: CheckpointFiles;
  readonly everyEvents: number;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Minimum time between checkpoints of a busy log: each costs a signature and writes to two places. */
const betweenMsMin = 100;

/**
 * Signs how far the lines of a chain are kept: after a number of lines, after a time, and at the end. One checkpoint at a time, and at most
 * ten per second.
 */
export class Checkpointing {
  readonly #parts: CheckpointingParts;
  readonly #appended: () => number;
  readonly #stopping = new AbortController();
  #stored: ChainEnd;
  #checkpointed: number;
  #writing: Promise<void> | undefined;

  /** `appended` returns the number of the last event. */
  constructor(parts: CheckpointingParts, stored: ChainEnd, appended: () => number) {
    this.#parts = parts;
    this.#appended = appended;
    this.#stored = stored;
    this.#checkpointed = stored.sequence;
  }

  /** Records that lines are kept up to this one; without an argument, up to the same as before. */
  storedTo(end: ChainEnd = this.#stored): void {
    this.#stored = end;
    if (end.sequence - this.#checkpointed >= this.#parts.everyEvents) this.#soon();
  }

  /** Signs checkpoints periodically until stopped. */
  async run(): Promise<void> {
    const { clock, everyMs } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(everyMs, signal).catch(() => undefined);
      if (this.#stored.sequence > this.#checkpointed) this.#soon();
    }
  }

  /** Signs the end of the chain. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#writing;
    await this.#write(true);
    await this.#parts.checkpoints.close();
  }

  #soon(): void {
    if (this.#stopping.signal.aborted) return;
    this.#writing ??= this.#writeAndRest();
  }

  /** A failed checkpoint is retried when more lines are kept, or at the next interval. */
  async #writeAndRest(): Promise<void> {
    const before = this.#checkpointed;
    await this.#write(false);
    await this.#parts.clock.sleep(betweenMsMin, this.#stopping.signal).catch(() => undefined);
    this.#writing = undefined;
    if (this.#checkpointed > before) this.storedTo();
  }

  async #write(final: boolean): Promise<void> {
    const { sequence, hash } = this.#stored;
    if (sequence === 0) return;
    const { chain, clock, checkpoints, log } = this.#parts;
    const at = new Date(clock.nowMs()).toISOString();
    try {
      await checkpoints.write({ chain, sequence, hash, at, appended: this.#appended(), final });
      this.#checkpointed = sequence;
    } catch (error) {
      log.error('a checkpoint of the audit log was not written', { error });
    }
  }
}
