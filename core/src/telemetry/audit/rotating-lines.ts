import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '@tappaas/sdk/durable-file';

/** What is done with files. */
export interface FileCalls {
  readonly open: (
    path: string,
    flags: 'a' | 'a+',
    mode: number,
  ) => Promise<Pick<FileHandle, 'read' | 'write' | 'datasync' | 'close' | 'stat'>>;
  readonly rename: (from: string, to: string) => Promise<void>;
}

type OpenFile = Awaited<ReturnType<FileCalls['open']>>;

const ownerOnly = 0o600;
const newline = '\n';

/**
 * A file of lines that is appended to. One that is large is followed by a new one under the same name; the one before stays as `.old`, and the
 * one before that goes.
 */
export class RotatingLines {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #files: FileCalls;
  #file: OpenFile;
  #bytes: number;
  /** The last line may be a piece of one. */
  #isTorn: boolean;

  private constructor(path: string, bytesMax: number, files: FileCalls, file: OpenFile, bytes: number, isTorn: boolean) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#files = files;
    this.#file = file;
    this.#bytes = bytes;
    this.#isTorn = isTorn;
  }

  static async open(path: string, bytesMax: number, files: FileCalls = { open, rename }): Promise<RotatingLines> {
    const file = await files.open(path, 'a+', ownerOnly);
    const { size } = await file.stat();
    const last = Buffer.from(newline);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    return new RotatingLines(path, bytesMax, files, file, size, last.toString() !== newline);
  }

  /** The line is on the disk when it resolves. One at a time. What a crash or a full disk has cut off before stands on a line of its own, where it hurts nobody. */
  async append(line: string): Promise<void> {
    // Where no other file can be begun, for lack of descriptors or space, this one is written on until one can.
    if (this.#bytes > this.#bytesMax) await this.#rotate().catch(() => undefined);
    const bytes = Buffer.from(`${this.#isTorn ? newline : ''}${line}${newline}`);
    this.#isTorn = true;
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, written);
      written += bytesWritten;
      this.#bytes += bytesWritten;
    }
    await this.#file.datasync();
    this.#isTorn = false;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** The next file is there before this one is left: whatever fails, there is a file to write to, and the next attempt goes on from there. */
  async #rotate(): Promise<void> {
    const draft = `${this.#path}.next`;
    const next = await this.#files.open(draft, 'a', ownerOnly);
    try {
      await this.#files.rename(this.#path, `${this.#path}.old`).catch(unlessGone);
      await this.#files.rename(draft, this.#path);
    } catch (error) {
      await next.close();
      throw error;
    }
    const before = this.#file;
    this.#file = next;
    this.#bytes = 0;
    this.#isTorn = false;
    await before.close();
    await syncFolder(dirname(this.#path));
  }
}

/** An attempt that failed half-way has renamed it already. */
function unlessGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
