/** A limit that several processes have together. */
export interface Limit {
  /** Places, or units at once after a pause. */
  readonly max: number;
  /** Units that come back each second; 0 for places, which come back when they are given. */
  readonly perSecond: number;
  /** What each process has from the beginning, without asking. */
  readonly start: number;
  /** When a process read that it holds: of two limits, the one that was read later. */
  readonly atMs: number;
}

/** What a process tells of its share of a limit; sums since it told last. */
export interface ShareReport {
  readonly key: string;
  readonly limit: Limit;
  /** It has what one has in the beginning, whatever it was granted before and has forgotten. */
  readonly isNew: boolean;
  /** Units that are gone. */
  readonly taken: number;
  /** What it does not need, and others may have. */
  readonly given: number;
  /** What it would like to have; replaces what it said before. */
  readonly wanted: number;
}

/** What a process is told of a limit. */
export interface ShareGrant {
  readonly key: string;
  readonly limit: Limit;
  readonly granted: number;
  /** Units that are left for the principal, in all processes together. */
  readonly left: number;
  /** Which part of what comes back it may expect, of 1. */
  readonly part: number;
  /** How many places it is to come down to, as others wait for theirs. */
  readonly fair?: number;
}

const startPart = 8;

/**
 * All processes together begin with an eighth, so that who asks for little never waits for an answer. Of units this comes on top once; of
 * places it is a part of all there are.
 */
export function startOf(max: number, processes: number): number {
  return Math.floor(max / (startPart * processes));
}

export const isSameLimit = (one: Limit, other: Limit): boolean =>
  one.max === other.max && one.perSecond === other.perSecond && one.start === other.start;
