import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import type { LogFiles } from './log-files.js';

/** A container's log, which becomes its older part when it is larger than its limit. */
export class RotatingLog {
  readonly #files: Pick<LogFiles, 'log' | 'older'>;
  readonly #bytesMax: () => number;
  #file: number;
  #bytes: number;

  /** Goes on with what is there; what stands behind `bytesKept` is cut off. */
  constructor(files: Pick<LogFiles, 'log' | 'older'>, bytesMax: () => number, bytesKept: number) {
    this.#files = files;
    this.#bytesMax = bytesMax;
    this.#file = openSync(files.log, 'a', 0o600);
    if (fstatSync(this.#file).size > bytesKept) ftruncateSync(this.#file, bytesKept);
    this.#bytes = fstatSync(this.#file).size;
  }

  /** Its length, of the newer part alone. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The whole text, or nothing of it. @throws what the system says when it cannot be written */
  write(text: string): void {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      // A disk that becomes full takes a part.
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      ftruncateSync(this.#file, this.#bytes);
      throw error;
    }
    this.#bytes += written;
    if (this.#bytes > this.#bytesMax()) this.#rotate();
  }

  close(): void {
    closeSync(this.#file);
  }

  /** A log that cannot be rotated goes on as it is, and is tried again with the next text. */
  #rotate(): void {
    const { log, older } = this.#files;
    try {
      renameSync(log, older);
      this.#replace();
    } catch (error) {
      if (!isOfTheSystem(error)) throw error;
    }
  }

  #replace(): void {
    const { log, older } = this.#files;
    let next: number;
    try {
      next = openSync(log, 'a', 0o600);
    } catch (error) {
      renameSync(older, log);
      throw error;
    }
    // Not before there is another: the number of a closed file is given to whatever is opened next.
    closeSync(this.#file);
    this.#file = next;
    this.#bytes = 0;
  }
}

/** What a call of the system failed with, as it does on a full disk; anything else is a mistake of ours. */
export function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
