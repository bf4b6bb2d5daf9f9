import { BackOff, type Devices } from './back-off.js';
import { ApiError, UnreachableError } from './errors.js';
import type { Http } from './http.js';
import { LogReading, type LogPlace } from './log-reading.js';

/** Which lines of a log to deliver, and until when. */
export interface LogOptions {
  /** Number of existing lines to begin with. Default: all. */
  readonly tailLines?: number;
  /** Only lines of this output. Default: both. */
  readonly stream?: 'Stdout' | 'Stderr';
  readonly signal: AbortSignal;
}

/**
 * Yields the lines of a pod's log, each after its time, across broken connections and restarts of the container. Ends when the pod no
 * longer exists, the signal aborts or the client is closed.
 *
 * @throws ApiError or UnreachableError if a retry would not help
 */
export async function* followLog(http: Http, pod: string, options: LogOptions, devices: Devices): AsyncGenerator<string> {
  const signal = AbortSignal.any([options.signal, http.closing]);
  const log = new FollowedLog(http, pod, options.stream, signal);
  const backOff = new BackOff(devices);
  while (!signal.aborted) {
    let retryAfterMs: number | undefined;
    try {
      for await (const line of log.connection(options.tailLines)) {
        backOff.reset();
        yield line;
      }
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.status === 404)) return;
      if (!isPassing(error, log.hasBegun)) throw error;
      retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    }
    // The container or the platform has stopped; it may continue.
    await backOff.wait(signal, retryAfterMs).catch(() => {});
  }
}

/** Whether an error may pass: a container that had a log before and has none now is about to restart. */
function isPassing(error: unknown, hasBegun: boolean): boolean {
  if (error instanceof ApiError) return error.isPassing || (hasBegun && error.status === 400);
  return error instanceof UnreachableError && error.isPassing;
}

class FollowedLog {
  readonly #http: Http;
  readonly #pod: string;
  readonly #query: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;
  #place: LogPlace | undefined;
  /** Whether the platform has delivered this log at all. */
  hasBegun = false;

  constructor(http: Http, pod: string, stream: string | undefined, signal: AbortSignal) {
    this.#http = http;
    this.#pod = pod;
    this.#query = { timestamps: 'true', ...(stream !== undefined && { stream }) };
    this.#signal = signal;
  }

  /** The lines that were not delivered before, until the connection ends. */
  async *connection(tailLines: number | undefined): AsyncGenerator<string> {
    const before = this.#place;
    const tail: Readonly<Record<string, string>> = tailLines === undefined ? {} : { tailLines: String(tailLines) };
    const from = before === undefined ? tail : { sinceTime: before.time };
    const reading = new LogReading(before);
    let isSameRun = before === undefined;
    for await (const line of this.#lines({ ...from, follow: 'true' })) {
      const { fresh, place } = reading.take([line]);
      // If no line is repeated, another run has begun, and the previous one may have written more.
      if (!isSameRun && !reading.hasComeAgain) yield* this.#endOfRun(before);
      isSameRun = true;
      this.#place = place;
      yield* fresh;
    }
    this.hasBegun = true;
  }

  async *#endOfRun(before: LogPlace | undefined): AsyncGenerator<string> {
    const reading = new LogReading(before);
    const from: Readonly<Record<string, string>> = before === undefined ? {} : { sinceTime: before.time };
    try {
      for await (const line of this.#lines({ ...from, previous: 'true' })) {
        const { fresh, place } = reading.take([line]);
        this.#place = place;
        yield* fresh;
      }
    } catch (error) {
      // There is no previous log, or it is gone.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async *#lines(query: Readonly<Record<string, string>>): AsyncGenerator<string> {
    for await (const line of this.#http.lines(
      `${this.#pod}/log?${new URLSearchParams({ ...this.#query, ...query }).toString()}`,
      this.#signal,
    )) {
      this.hasBegun = true;
      yield line;
    }
  }
}
