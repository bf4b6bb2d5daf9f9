import { existsSync, readFileSync } from 'node:fs';
import type { LogFiles } from './log-files.js';
import type { LogPump } from './log-pump.js';
import { parseEntry, type Stream } from './log-line.js';

/** The part of a log that is requested. */
export interface LogQuery {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  /** Earliest time of entries, milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
  /** Only lines of this output. Default: both. */
  readonly stream?: Stream;
}

/** Maximum number of unsent bytes of a follower; a slower reader is cut off. */
const waitingBytesMax = 16 * 1024 * 1024;

/** Yields the requested lines; with `follow` also later ones, until the container ends or the signal aborts. */
export async function* readLog(files: LogFiles, query: LogQuery, pump: LogPump | undefined, signal: AbortSignal): AsyncGenerator<string> {
  const feed = query.follow && pump ? new Feed(pump, signal) : undefined;
  pump?.drain();
  let left = query.limitBytes ?? Infinity;
  const cut = (text: string): string => {
    const part = Buffer.from(text).subarray(0, left);
    left -= part.length;
    return part.toString('utf8');
  };
  try {
    // No write may happen between these two calls, or a follower would get entries twice or not at all: both are synchronous.
    feed?.discard();
    const present = choose(entriesIn(files), query);
    if (present !== '') yield cut(present);
    for await (const entries of feed?.entries() ?? []) {
      if (left <= 0) return;
      const text = cut(choose(entries.split('\n'), { ...query, tailLines: Infinity }));
      if (text !== '') yield text;
    }
  } finally {
    feed?.end();
  }
}

function entriesIn({ older, log }: LogFiles): string[] {
  const texts = [older, log].map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''));
  return texts.join('').split('\n');
}

/** Selects entries and restores the lines; parts of one line are joined. */
function choose(entries: readonly string[], { timestamps, tailLines = Infinity, sinceMs = -Infinity, stream }: LogQuery): string {
  const lines: string[] = [];
  let open = false;
  for (const entry of entries) {
    const parsed = parseEntry(entry);
    if (parsed === undefined || Date.parse(`${parsed.time.slice(0, 23)}Z`) < sinceMs) continue;
    if (stream !== undefined && parsed.stream !== stream) continue;
    if (open) lines[lines.length - 1] += parsed.text;
    else lines.push(timestamps ? `${parsed.time} ${parsed.text}` : parsed.text);
    open = !parsed.isWhole;
    if (parsed.isWhole) lines[lines.length - 1] += '\n';
  }
  return (tailLines === Infinity ? lines : tailLines <= 0 ? [] : lines.slice(-tailLines)).join('');
}

/** Queues the entries of a pump for one reader. */
class Feed {
  #waiting: string[] = [];
  #bytes = 0;
  #over = false;
  #wake: () => void = () => undefined;
  readonly #unlisten: () => void;
  readonly #onAbort = () => this.#finish();
  readonly #signal: AbortSignal;

  constructor(pump: LogPump, signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#unlisten = pump.listen((entries) => {
      if (entries === undefined || this.#bytes > waitingBytesMax) return this.#finish();
      this.#waiting.push(entries);
      this.#bytes += entries.length;
      this.#wake();
    });
  }

  /** Drops queued entries, since they are about to be read from the file. */
  discard(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  async *entries(): AsyncGenerator<string> {
    for (;;) {
      const [next] = this.#waiting.splice(0, 1);
      if (next !== undefined) {
        this.#bytes -= next.length;
        yield next;
      } else if (this.#over) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  end(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#unlisten();
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#wake();
  }
}
