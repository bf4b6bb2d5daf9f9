/** How long to wait after the nth failure in a row: `baseMs × 2ⁿ`, at most `maxMs`, of which the share `jitter` is left to chance. */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0: no chance, 1: anything between nothing and the full delay. */
  readonly jitter: number;
}

/** The delay after `failures` failures before this one; 0 is the first. */
export type Backoff = (failures: number) => number;

/** Delays are spread downwards, so `maxMs` is kept and many keys that failed together do not come back together. */
export function createBackoff(options: BackoffOptions, random: () => number): Backoff {
  const { baseMs, maxMs, jitter } = options;
  return (failures) => {
    // Beyond 2^52 the product is far over any sensible maximum; capping the exponent keeps it finite.
    const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 52));
    return fullMs * (1 - jitter * random());
  };
}
