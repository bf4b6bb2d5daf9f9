import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '@tappaas/sdk/durable-file';

/** The file system calls that are used. */
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
 * An append-only file of lines. A large file is rotated: it is kept as `.old`, which replaces the previous `.old`, and a new one is started
 * under the same name.
 */
export class RotatingLines {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #files: FileCalls;
  #file: OpenFile;
  #bytes: number;
  /** Whether the last line may be incomplete. */
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

  /**
   * Appends a line; resolves once it is on disk. Calls must not overlap. An incomplete line left by a crash or a full disk is terminated
   * first.
   */
  async append(line: string): Promise<void> {
    // If no new file can be created, for lack of descriptors or space, continue with this one until it is possible.
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

  /** Creates the next file before leaving this one, so that there is always a file to write to, and the next attempt can continue. */
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

/** Ignores a missing file, which a previous attempt that failed halfway has renamed already. */
function unlessGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
