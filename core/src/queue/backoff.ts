/** Delay after the nth consecutive failure: `baseMs × 2ⁿ`, at most `maxMs`, of which the fraction `jitter` is random. */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0: no randomness, 1: anything between zero and the full delay. */
  readonly jitter: number;
}

/** Returns the delay after a failure, given the number of failures before it. */
export type Backoff = (failures: number) => number;

/** Makes a back-off. Jitter only shortens delays, so `maxMs` is kept, and many keys that failed together do not return together. */
export function createBackoff(options: BackoffOptions, random: () => number): Backoff {
  const { baseMs, maxMs, jitter } = options;
  return (failures) => {
    // Beyond 2^52 the product far exceeds any sensible maximum; capping the exponent keeps it finite.
    const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 52));
    return fullMs * (1 - jitter * random());
  };
}
