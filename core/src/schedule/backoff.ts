export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Returns the delay after the nth failed attempt (from 1): doubling, with random jitter in the upper half. */
export function backoffMs({ baseMs, maxMs }: BackoffOptions, attempts: number, random: () => number): number {
  const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 52));
  return (fullMs * (1 + random())) / 2;
}
