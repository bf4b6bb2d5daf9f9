/** The position up to which a log was delivered. Clocks are coarse: many lines may have the same time. */
export interface LogPlace {
  /** The time of the last line that has one, in RFC 3339 as in the log. */
  readonly time: string;
  /** {@link lineMark} of the first delivered line with this time, and how many such lines were delivered. */
  readonly first: string;
  readonly count: number;
}

/** Reads a log within one connection: it starts at the time of the last delivered line, so that some lines are repeated. */
export class LogReading {
  #place: LogPlace | undefined;
  /** While lines are repeated: the position of the previous connection, and how many lines with its time have been repeated. */
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
      const { time } = timedLine(line);
      // A line without a time is the rest of a long line, and is delivered if that one was.
      if (time === undefined) return this.#before === undefined;
      if (this.#before !== undefined && this.#comesAgain(this.#before, time, line)) return false;
      this.#before = undefined;
      const known = this.#place;
      this.#place = known?.time === time ? { ...known, count: known.count + 1 } : { time, first: lineMark(line), count: 1 };
      return true;
    });
    return { fresh, place: this.#place };
  }

  #comesAgain({ time: last, first, count }: LogPlace, time: string, line: string): boolean {
    const order = compareTimes(time, last);
    if (order !== 0) return order < 0;
    // If only the end of a log was requested, lines of this time can precede those that were delivered.
    if (this.#again > 0 || lineMark(line) === first) this.#again += 1;
    return this.#again <= count;
  }
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) /;

/** Splits a line that was requested with timestamps into its time, if it has one, and its text. */
export function timedLine(line: string): { readonly time: string | undefined; readonly text: string } {
  const time = rfc3339.exec(line)?.[1];
  return { time, text: time === undefined ? line : line.slice(time.length + 1) };
}

/** A short hash that distinguishes lines with the same time. @source FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
export function lineMark(line: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < line.length; index += 1) hash = Math.imul(hash ^ line.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** Compares times: engines differ in the number of fractional digits and in the time zone. */
function compareTimes(one: string, other: string): number {
  const order = Date.parse(one) - Date.parse(other);
  return order === 0 ? fractionOf(one) - fractionOf(other) : order;
}

function fractionOf(time: string): number {
  return Number(/\.\d+/.exec(time)?.[0] ?? 0);
}
