import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import type { LogFiles } from './log-files.js';

/** A container's log file, which becomes the older file once it exceeds its limit. */
export class RotatingLog {
  readonly #files: Pick<LogFiles, 'log' | 'older'>;
  readonly #bytesMax: () => number;
  #file: number;
  #bytes: number;

  /** Continues an existing file; anything after `bytesKept` is cut off. */
  constructor(files: Pick<LogFiles, 'log' | 'older'>, bytesMax: () => number, bytesKept: number) {
    this.#files = files;
    this.#bytesMax = bytesMax;
    this.#file = openSync(files.log, 'a', 0o600);
    if (fstatSync(this.#file).size > bytesKept) ftruncateSync(this.#file, bytesKept);
    this.#bytes = fstatSync(this.#file).size;
  }

  /** Size of the current file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes the complete text, or nothing of it. @throws the system's error when it cannot be written */
  write(text: string): void {
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      // A disk that is filling up may accept only a part.
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

  /** If rotation fails, the log continues in the same file, and the next write tries again. */
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
    // Closed only once the new file is open: the file descriptor of a closed file would be reused by the next file opened.
    closeSync(this.#file);
    this.#file = next;
    this.#bytes = 0;
  }
}

/** Whether an error comes from a system call, such as on a full disk; any other error is a bug. */
export function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
