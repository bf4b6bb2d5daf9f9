import { mkdir, open, rm, stat, truncate, utimes, type FileHandle } from 'node:fs/promises';
import type { AuditEnd, AuditLine, AuditLines, AuditSink, AuditWritten, Context } from '@tappaas/sdk';
import { syncFolder } from '@tappaas/sdk/durable-file';
import { errors } from './errors.js';
import { chainFile, chainFiles, chainNames, type ChainFile } from './file-names.js';
import { KeyedMutex } from './keyed-mutex.js';
import { linesBefore, offsetOf, tornBytes } from './line-file.js';
import { firstToKeep, isLastOld, type RetentionLimits } from './retention.js';

export interface AuditFilesSettings {
  readonly directory: string;
  readonly fileBytesMax: number;
  readonly totalBytesMax: number;
  readonly keepDays: number;
}

const newline = Buffer.from('\n');
const dayMs = 86_400_000;
const lookEveryMs = 3_600_000;
const readBytesMax = 1024 * 1024;

/** The file being written. */
interface OpenFile {
  readonly file: FileHandle;
  readonly path: string;
  size: number;
  /** Sequence number of the last line. */
  last: number;
  /** Time of the last write. Once it is too old, further lines go to a new file, so that this one can be removed. */
  writtenMs: number;
}

/** The files of the audit log in one directory. */
export class AuditFiles implements AuditSink {
  readonly #settings: AuditFilesSettings;
  readonly #nowMs: () => number;
  readonly #open = new Map<string, OpenFile>();
  /**
   * Serializes calls by chain. The platform gives up on a call after 5 s and calls again, while the first may still wait for a stalled
   * disk: concurrent calls would append the same lines twice, or truncate what the other one is writing.
   */
  readonly #mutex = new KeyedMutex();
  /** When the files of a chain are next checked for age and size. */
  readonly #nextLookMs = new Map<string, number>();

  private constructor(settings: AuditFilesSettings, nowMs: () => number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  static async open(settings: AuditFilesSettings, nowMs: () => number): Promise<AuditFiles> {
    await mkdir(settings.directory, { recursive: true, mode: 0o700 });
    return new AuditFiles(settings, nowMs);
  }

  end(chain: string, context?: Pick<Context, 'signal'>): Promise<AuditEnd> {
    return this.#mutex.run(chain, () => this.#end(chain), context?.signal);
  }

  async write(lines: AuditLines, context?: Pick<Context, 'signal'>): Promise<AuditWritten> {
    const [first] = lines;
    if (first === undefined) return {};
    const { chain } = first;
    return this.#mutex.run(chain, () => this.#writeOrForget(chain, lines), context?.signal);
  }

  async remove(chain: string, before: number): Promise<void> {
    const files = await chainFiles(this.#settings.directory, chain);
    for (const { path } of wholeBefore(files, before)) await rm(path);
  }

  async hasExpired(chain: string): Promise<boolean> {
    const { directory } = this.#settings;
    const limits = this.#limits();
    return (await firstToKeep(directory, chain, limits)) !== undefined || isLastOld(directory, chain, limits);
  }

  chains(): Promise<readonly string[]> {
    return chainNames(this.#settings.directory);
  }

  async read(chain: string, before: number, max: number): Promise<readonly AuditLine[]> {
    const files = await chainFiles(this.#settings.directory, chain);
    for (const { path } of files.filter(({ first }) => first < before).toReversed()) {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const lines = await linesBefore(file, await offsetOf(file, before, size), max, readBytesMax);
        if (lines.length > 0) return lines;
      } finally {
        await file.close();
      }
    }
    return [];
  }

  async close(): Promise<void> {
    for (const chain of this.#open.keys()) await this.#mutex.run(chain, () => this.#forget(chain));
  }

  async #end(chain: string): Promise<AuditEnd> {
    const { directory } = this.#settings;
    let torn = 0;
    for (const { path } of (await chainFiles(directory, chain)).toReversed()) {
      const found = await tornBytes(path);
      if (found.torn > 0) await cut(path, found.size - found.torn);
      torn += found.torn;
      const line = await this.#lastLine(chain, path);
      if (line !== undefined) return { line, tornBytes: torn };
    }
    return { tornBytes: torn };
  }

  async #writeOrForget(chain: string, lines: AuditLines): Promise<AuditWritten> {
    try {
      return await this.#write(chain, lines);
    } catch (error) {
      await this.#forget(chain);
      const why = error instanceof Error ? error.message : String(error);
      throw errors.TELEMETRY_AUDIT_FILE_FAILED({
        message: `the audit log in ${this.#settings.directory} was not written: ${why}`,
        cause: error,
      });
    }
  }

  async #write(chain: string, lines: AuditLines): Promise<AuditWritten> {
    const known = this.#open.get(chain) ?? (await this.#continue(chain));
    const fresh = after(lines, known?.last ?? 0);
    const [first] = fresh;
    if (first === undefined) return {};
    const isOld = known !== undefined && known.writtenMs < this.#limits().oldestMs;
    const isFull = isOld || (known !== undefined && known.size >= this.#settings.fileBytesMax);
    const current = known === undefined || isFull ? await this.#startFile(chain, first.sequence) : known;
    await append(current, fresh);
    current.writtenMs = this.#nowMs();
    return this.#retention(chain, isFull);
  }

  /** Determines which lines to remove, when a new file was started and once an hour. */
  async #retention(chain: string, hasStarted: boolean): Promise<AuditWritten> {
    const nowMs = this.#nowMs();
    if (!hasStarted && nowMs < (this.#nextLookMs.get(chain) ?? 0)) return {};
    this.#nextLookMs.set(chain, nowMs + lookEveryMs);
    const removesBefore = await firstToKeep(this.#settings.directory, chain, this.#limits());
    return removesBefore === undefined ? {} : { removesBefore };
  }

  #limits(): RetentionLimits {
    const { totalBytesMax, keepDays } = this.#settings;
    return { totalBytesMax, oldestMs: this.#nowMs() - keepDays * dayMs };
  }

  async #startFile(chain: string, first: number): Promise<OpenFile> {
    await this.#forget(chain);
    const { directory } = this.#settings;
    const { path } = chainFile(directory, chain, first);
    const started = { file: await open(path, 'a', 0o600), path, size: 0, last: first - 1, writtenMs: this.#nowMs() };
    this.#open.set(chain, started);
    await syncFolder(directory);
    return started;
  }

  async #continue(chain: string): Promise<OpenFile | undefined> {
    const { line } = await this.#end(chain);
    const last = (await chainFiles(this.#settings.directory, chain)).at(-1);
    if (line === undefined || last === undefined) return undefined;
    const file = await open(last.path, 'a', 0o600);
    const { size, mtimeMs: writtenMs } = await file.stat();
    const continued = { file, path: last.path, size, last: line.sequence, writtenMs };
    this.#open.set(chain, continued);
    return continued;
  }

  async #lastLine(chain: string, path: string): Promise<AuditLine | undefined> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const [line] = await linesBefore(file, size, 1, readBytesMax);
      return line?.chain === chain ? line : undefined;
    } finally {
      await file.close();
    }
  }

  /** Closes the file, so that the next write reads it again: after a failure its content is unknown. */
  async #forget(chain: string): Promise<void> {
    const known = this.#open.get(chain);
    this.#open.delete(chain);
    await known?.file.close().catch(() => undefined);
  }
}

/** Truncates an incomplete last line, keeping the file's times: its complete lines are as old as before. */
async function cut(path: string, size: number): Promise<void> {
  const { atime, mtime } = await stat(path);
  await truncate(path, size);
  await utimes(path, atime, mtime);
}

/** The lines that are not stored yet: usually all; only after a failure some may be stored already. */
function after(lines: AuditLines, last: number): AuditLines {
  return (lines[0]?.sequence ?? 0) > last ? lines : lines.filter(({ sequence }) => sequence > last);
}

async function append(current: OpenFile, lines: AuditLines): Promise<void> {
  const pieces = lines.pieces ?? [Buffer.concat(lines.flatMap((line) => [line.bytes ?? Buffer.from(line.text), newline]))];
  for (const piece of pieces) {
    let written = 0;
    while (written < piece.length) written += (await current.file.write(piece, written)).bytesWritten;
    current.size += piece.length;
  }
  await current.file.datasync();
  current.last = lines.at(-1)?.sequence ?? current.last;
}

/** The files that contain only lines before a number, which is so if the next file begins at or before it. */
function wholeBefore(files: readonly ChainFile[], before: number): readonly ChainFile[] {
  return files.filter((_, index) => (files[index + 1]?.first ?? Infinity) <= before);
}
