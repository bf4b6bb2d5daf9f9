/** A limit that several processes share. */
export interface Limit {
  /** Number of seats, or of units available at once after a pause. */
  readonly max: number;
  /** Units refilled per second; 0 for seats, which are returned explicitly. */
  readonly perSecond: number;
  /** What each process has from the start, without asking. */
  readonly start: number;
  /** When a process last read the limit from the configuration; of two limits, the more recently read one applies. */
  readonly atMs: number;
}

/** A process's report on its share of a limit; amounts are sums since its last report. */
export interface ShareReport {
  readonly key: string;
  readonly limit: Limit;
  /** The share starts over: it has only the initial amount, whatever was granted before. */
  readonly isNew: boolean;
  /** Units taken. */
  readonly taken: number;
  /** Amount that the process does not need and returns. */
  readonly given: number;
  /** Amount that the process would like to have; replaces the previous value. */
  readonly wanted: number;
}

/** A grant to a process for one limit. */
export interface ShareGrant {
  readonly key: string;
  readonly limit: Limit;
  readonly granted: number;
  /** Units that remain for the principal in all processes together. */
  readonly left: number;
  /** Fraction of the refilled units that the process may expect, from 0 to 1. */
  readonly part: number;
  /** Number of seats that the process should reduce to, because others wait for theirs. */
  readonly fair?: number;
}

const startPart = 8;

/**
 * Returns the initial amount of each process. All processes together start with an eighth, so that light users never wait for a response.
 * For units this comes on top, once; for seats it is part of the total.
 */
export function startOf(max: number, processes: number): number {
  return Math.floor(max / (startPart * processes));
}

export const isSameLimit = (one: Limit, other: Limit): boolean =>
  one.max === other.max && one.perSecond === other.perSecond && one.start === other.start;
