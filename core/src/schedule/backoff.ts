export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How long a pod rests after its nth failed attempt, the first being 1: doubling, with the upper half left to chance. */
export function backoffMs({ baseMs, maxMs }: BackoffOptions, attempts: number, random: () => number): number {
  const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 52));
  return (fullMs * (1 + random())) / 2;
}
