import { LogReading, type LogPlace } from './log-reading.js';

/** A line that was not delivered before, and the position behind it. */
export interface LogEntry {
  readonly line: string;
  readonly place: LogPlace | undefined;
}

/** Access to a pod's log. */
export interface LogSource {
  /** Reads the lines selected by a query of `pods/log`, each after its time. */
  readonly read: (query: Readonly<Record<string, string>>) => AsyncIterable<string>;
  /** Whether an error is a response of the server, such as that the log does not exist; any other error is a broken connection. */
  readonly isAnswer: (error: unknown) => boolean;
}

/**
 * Reads the log of a pod over any number of connections. Each continues behind the last line of the previous one, so that no line is missed
 * or delivered twice. If no line is repeated, another run of the container has begun, and the end of the previous run is read first.
 */
export class FollowedLog {
  readonly #source: LogSource;
  #place: LogPlace | undefined;
  #hasBegun = false;

  /** With `place` it continues behind that position, for example one reached by another replica. */
  constructor(source: LogSource, place?: LogPlace) {
    this.#source = source;
    this.#place = place;
    this.#hasBegun = place !== undefined;
  }

  /** Whether the log has existed. If so, a container without a log is about to restart. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * The lines that were not delivered before, until the connection ends. `query` may contain `follow`, `stream` and `tailLines`; the latter
   * is ignored once a line was delivered.
   */
  async *connection({ tailLines, ...query }: Readonly<Record<string, string>>): AsyncGenerator<LogEntry> {
    const before = this.#place;
    const tail: Readonly<Record<string, string>> = tailLines === undefined ? {} : { tailLines };
    const from = before === undefined ? tail : { sinceTime: before.time };
    const reading = new LogReading(before);
    let isSameRun = before === undefined;
    for await (const line of this.#lines({ ...from, ...query })) {
      const { fresh, place } = reading.take([line]);
      if (!isSameRun && !reading.hasComeAgain && before !== undefined) yield* this.#endOfRun(before, query);
      isSameRun = true;
      this.#place = place;
      for (const each of fresh) yield { line: each, place };
    }
    this.#hasBegun = true;
  }

  async *#endOfRun(before: LogPlace, failure: Readonly<Record<string, string>>): AsyncGenerator<LogEntry> {
    const { follow: _, ...query } = failure;
    const reading = new LogReading(before);
    try {
      for await (const line of this.#lines({ sinceTime: before.time, ...query, previous: 'true' })) {
        const { fresh, place } = reading.take([line]);
        this.#place = place;
        for (const each of fresh) yield { line: each, place };
      }
    } catch (error) {
      // The previous run has no log, or it was deleted.
      if (!this.#source.isAnswer(error)) throw error;
    }
  }

  async *#lines(query: Readonly<Record<string, string>>): AsyncGenerator<string> {
    for await (const line of this.#source.read({ timestamps: 'true', ...query })) {
      this.#hasBegun = true;
      yield line;
    }
  }
}
