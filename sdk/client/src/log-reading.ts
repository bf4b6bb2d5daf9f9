/** The position up to which a log was delivered. Clocks are coarse: many lines may have the same time. */
export interface LogPlace {
  /** The time of the last line that has one. */
  readonly time: string;
  /** The first delivered line with this time, and how many such lines were delivered. */
  readonly first: string;
  readonly count: number;
}

/** Reads a log within one join: it starts at the time of the last delivered line, so that some lines are repeated. */
export class LogReading {
  #place: LogPlace | undefined;
  /** While lines are repeated: the position of the previous join, and how many lines with its time have been repeated. */
  #before: LogPlace | undefined;
  #again = 0;

  constructor(before: LogPlace | undefined) {
    this.#place = before;
    this.#before = before;
  }

  /** Whether the last delivered line, or one of the same time, was repeated: it is the same log, and no line was missed. */
  get hasComeAgain(): boolean {
    return this.#again > 0;
  }

  /** Filters out lines that were delivered before; returns the others and the new position. */
  take(lines: readonly string[]): { readonly fresh: readonly string[]; readonly place: LogPlace | undefined } {
    const fresh = lines.filter((line) => {
      const time = timeOf(line);
      // A line without a time is the rest of a long line, and is delivered if that one was.
      if (time === undefined) return this.#before === undefined;
      if (this.#before !== undefined && this.#comesAgain(this.#before, time, line)) return false;
      this.#before = undefined;
      this.#place = this.#place?.time === time ? { ...this.#place, count: this.#place.count + 1 } : { time, first: line, count: 1 };
      return true;
    });
    return { fresh, place: this.#place };
  }

  #comesAgain({ time: last, first, count }: LogPlace, time: string, line: string): boolean {
    const order = compareTimes(time, last);
    if (order !== 0) return order < 0;
    // If only the end of a log was requested, lines of this time can precede those that were delivered.
    if (this.#again > 0 || line === first) this.#again += 1;
    return this.#again <= count;
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)(?= )/;

function timeOf(line: string): string | undefined {
  return rfc3339.exec(line)?.[0];
}

/** Compares times: engines differ in the number of fractional digits and in the time zone. */
function compareTimes(one: string, other: string): number {
  const order = Date.parse(one) - Date.parse(other);
  return order === 0 ? fractionOf(one) - fractionOf(other) : order;
}

function fractionOf(time: string): number {
  return Number(/\.\d+/.exec(time)?.[0] ?? 0);
}
