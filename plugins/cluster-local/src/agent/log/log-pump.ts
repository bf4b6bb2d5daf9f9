import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, watch, writeSync, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';
import type { LogFiles } from './log-files.js';
import { logEntry, LineSplitter, type Stream } from './log-line.js';
import { isOfTheSystem, RotatingLog } from './rotating-log.js';

/** Size at which a raw output file is truncated once it has been read completely, bytes. */
const rawBytesMax = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;
/** Maximum number of bytes read from one source before other work gets a turn. */
const turnBytes = 1024 * 1024;
const pollMs = 500;
/** Maximum number of failed attempts to write the rest of an ended process's output, for example to a full disk. */
const closeTriesMax = 10;
const positionBytes = 96;

interface Source {
  readonly stream: Stream;
  readonly file: number;
  readonly splitter: LineSplitter;
  offset: number;
}

/**
 * Converts the raw output of a process to its log with timestamps.
 *
 * The process writes to plain files, so it never blocks on the agent and survives the agent's death; a new agent continues at the saved
 * position. A raw file is truncated by the system call right after the read that found its end: output written exactly in between is lost,
 * at most once per four megabytes.
 *
 * While the log cannot be written, for example because the disk is full, no raw output is lost: unwritten output is read again half a
 * second later.
 */
export class LogPump {
  readonly #files: LogFiles;
  readonly #clock: Clock;
  readonly #logBytesMax: () => number;
  readonly #sources: readonly Source[];
  readonly #chunk = Buffer.alloc(chunkBytes);
  readonly #listeners = new Set<(entries: string | undefined) => void>();
  readonly #stop = new AbortController();
  readonly #position: number;
  readonly #log: RotatingLog;
  #watcher: FSWatcher | undefined;
  #scheduled = false;
  #closed = false;

  constructor(files: LogFiles, clock: Clock, logBytesMax: () => number) {
    this.#files = files;
    this.#clock = clock;
    this.#logBytesMax = logBytesMax;
    this.#position = openSync(files.position, constants.O_RDWR | constants.O_CREAT, 0o600);
    const position = readPosition(this.#position);
    const source = (stream: Stream, path: string, offset: number): Source => {
      const file = openSync(path, 'a+', 0o600);
      return { stream, file, splitter: new LineSplitter(), offset: Math.min(offset, fstatSync(file).size) };
    };
    this.#sources = [source('stdout', files.stdout, position.stdout), source('stderr', files.stderr, position.stderr)];
    // Cuts off entries that were written after the position was last saved: they are read and written again.
    this.#log = new RotatingLog(files, logBytesMax, position.log);
  }

  /** Follows the raw files until closed. */
  start(): void {
    try {
      this.#watcher = watch(dirname(this.#files.stdout), { persistent: false }, () => this.#schedule());
      this.#watcher.on('error', () => undefined);
    } catch {
      // Without file notifications, polling must suffice.
    }
    void this.#poll();
  }

  /**
   * Registers a listener that gets all entries as they are written, and undefined when the log is complete. Returns a function that
   * unregisters it.
   */
  listen(listener: (entries: string | undefined) => void): () => void {
    if (this.#closed) listener(undefined);
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads what is available, complete lines only. */
  drain(): void {
    if (this.#closed) return;
    try {
      for (const source of this.#sources) if (this.#read(source)) this.#schedule();
    } catch (error) {
      // The caller cannot help it, and the poll retries.
      if (!isOfTheSystem(error)) throw error;
    }
  }

  /**
   * Reads the rest of the output in turns, and closes; the process must have ended. Skips what rotation would delete anyway, and gives up
   * on what the disk does not accept within some seconds. Returns whether it was closed here, false if the pump was abandoned meanwhile.
   */
  async close(): Promise<boolean> {
    for (const source of this.#sources) if (!this.#closed) this.#skip(source);
    for (let failures = 0; !this.#closed && failures < closeTriesMax;) {
      try {
        if (!this.#finish()) await turn();
        else break;
      } catch (error) {
        if (!isOfTheSystem(error)) throw error;
        failures += 1;
        await this.#clock.sleep(pollMs, this.#stop.signal).catch(() => undefined);
      }
    }
    if (this.#closed) return false;
    this.#release();
    return true;
  }

  /** Stops without touching unread output, which another agent will read. */
  abandon(): void {
    if (!this.#closed) this.#release();
  }

  #release(): void {
    this.#closed = true;
    try {
      this.#savePosition();
    } catch (error) {
      // The previously saved position stays valid: entries written since are cut off and written again.
      if (!isOfTheSystem(error)) throw error;
    }
    this.#stop.abort();
    this.#watcher?.close();
    for (const { file } of this.#sources) closeSync(file);
    this.#log.close();
    closeSync(this.#position);
    for (const listener of this.#listeners) listener(undefined);
    this.#listeners.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.drain();
    });
  }

  async #poll(): Promise<void> {
    while (!this.#closed) {
      this.drain();
      await this.#clock.sleep(pollMs, this.#stop.signal).catch(() => undefined);
    }
  }

  /** Reads one turn of the remaining output of an ended process; returns whether that was all. */
  #finish(): boolean {
    if (this.#sources.map((source) => this.#read(source)).some(Boolean)) return false;
    for (const { stream, splitter } of this.#sources) {
      const rest = splitter.rest();
      if (rest === undefined) continue;
      this.#write([logEntry(this.#clock.nowMs(), stream, true, rest)]);
      splitter.clear();
    }
    return true;
  }

  /** Skips forward to what the log and its previous file can hold; anything earlier would be rotated away. */
  #skip(source: Source): void {
    const start = fstatSync(source.file).size - 2 * (this.#logBytesMax() + turnBytes);
    if (start <= source.offset) return;
    source.splitter.clear();
    const bytes = readSync(source.file, this.#chunk, 0, chunkBytes, start);
    source.offset = start + this.#chunk.subarray(0, bytes).indexOf(10) + 1;
  }

  /** Reads one turn of a source; returns whether more is available. */
  #read(source: Source): boolean {
    const start = source.offset - source.splitter.pendingBytes;
    let left = turnBytes;
    let bytes = 0;
    const entries: string[] = [];
    do {
      bytes = readSync(source.file, this.#chunk, 0, chunkBytes, source.offset);
      source.offset += bytes;
      left -= bytes;
      const nowMs = this.#clock.nowMs();
      for (const { text, isWhole } of source.splitter.take(this.#chunk.subarray(0, bytes)))
        entries.push(logEntry(nowMs, source.stream, isWhole, text));
    } while (bytes === chunkBytes && left > 0);
    try {
      if (entries.length > 0) this.#write(entries);
    } catch (error) {
      source.splitter.clear();
      source.offset = start;
      throw error;
    }
    if (source.offset >= rawBytesMax && bytes < chunkBytes) this.#empty(source);
    if (entries.length > 0) this.#savePosition();
    return left <= 0;
  }

  #empty(source: Source): void {
    if (readSync(source.file, this.#chunk, 0, 1, source.offset) > 0) return;
    ftruncateSync(source.file, 0);
    source.offset = 0;
  }

  #write(entries: readonly string[]): void {
    const text = entries.join('');
    this.#log.write(text);
    for (const listener of this.#listeners) listener(text);
  }

  /** A single write of constant size, so that a killed agent leaves a complete record. */
  #savePosition(): void {
    const [stdout = 0, stderr = 0] = this.#sources.map(({ offset, splitter }) => offset - splitter.pendingBytes);
    writeSync(this.#position, JSON.stringify({ stdout, stderr, log: this.#log.bytes }).padEnd(positionBytes), 0);
  }
}

interface Position {
  readonly stdout: number;
  readonly stderr: number;
  readonly log: number;
}

function readPosition(file: number): Position {
  const bytes = Buffer.alloc(positionBytes);
  const length = readSync(file, bytes, 0, positionBytes, 0);
  return length === 0 ? { stdout: 0, stderr: 0, log: 0 } : (JSON.parse(bytes.toString('utf8', 0, length)) as Position);
}
