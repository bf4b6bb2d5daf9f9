/** Up to where a log has been told. Clocks are coarse: many lines may have the same time. */
export interface LogPlace {
  /** Of the last line that has one. */
  readonly time: string;
  /** The first line with this time that was told, and how many were. */
  readonly first: string;
  readonly count: number;
}

/** A log as one join tells it: from the time on that was told last, so that some lines come again. */
export class LogReading {
  #place: LogPlace | undefined;
  /** While lines come again: where the join before this one left off, and how many lines of its time have come. */
  #before: LogPlace | undefined;
  #again = 0;

  constructor(before: LogPlace | undefined) {
    this.#place = before;
    this.#before = before;
  }

  /** Whether the line that was told last has come again, or one of its time: it is the same log, and nothing between was missed. */
  get hasComeAgain(): boolean {
    return this.#again > 0;
  }

  /** Those of the next lines that were not told before, and up to where they come. */
  take(lines: readonly string[]): { readonly fresh: readonly string[]; readonly place: LogPlace | undefined } {
    const fresh = lines.filter((line) => {
      const time = timeOf(line);
      // A line without a time is the rest of a long one, and is told if that was.
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
    // Where the end of a log was asked for, lines of this time stand before those that were told.
    if (this.#again > 0 || line === first) this.#again += 1;
    return this.#again <= count;
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)(?= )/;

function timeOf(line: string): string | undefined {
  return rfc3339.exec(line)?.[0];
}

/** Times of engines differ in how many digits a second has, and in their zones. */
function compareTimes(one: string, other: string): number {
  const order = Date.parse(one) - Date.parse(other);
  return order === 0 ? fractionOf(one) - fractionOf(other) : order;
}

function fractionOf(time: string): number {
  return Number(/\.\d+/.exec(time)?.[0] ?? 0);
}
