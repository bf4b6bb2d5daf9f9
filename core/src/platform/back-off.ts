import type { BackoffOptions } from '../queue/backoff.js';

/** Back-off of caches and clients that lost their source; below 20 s, in order to recover within 30 s. */
export const sourceBackoff: BackoffOptions = Object.freeze({ baseMs: 500, maxMs: 16_000, jitter: 0.3 });

/** Back-off of keys whose reconcile failed. */
export const keyBackoff: BackoffOptions = Object.freeze({ baseMs: 50, maxMs: 60_000, jitter: 0.2 });
