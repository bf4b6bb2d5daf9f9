import type { Clock } from '@tappaas/sdk';
import type { BackoffOptions } from './backoff.js';

/** What a queue tells while it works; every call is made in line, so it must be short. */
export interface QueueObserver {
  /** Items that are ready, after each change of that number. */
  readonly depth?: (items: number) => void;
  /** From being ready to being handed out. */
  readonly latencyMs?: (ms: number) => void;
  /** A failed item was put back with a delay. */
  readonly retry?: (delayMs: number) => void;
  /** A key found the queue full. */
  readonly refused?: () => void;
}

export interface WorkQueueOptions<K extends string | number> {
  readonly clock: Clock;
  /** Between 0 and 1; spreads the back-off. */
  readonly random: () => number;
  readonly backoff: BackoffOptions;
  /** Tenants take turns. Default: all keys belong to one. */
  readonly tenantOf?: (key: K) => string;
  /** Items a tenant may have handed out per turn. Default 1. */
  readonly weightOf?: (tenant: string) => number;
  /** Distinct keys that may be waiting, delayed or processing. Default 1,000,000. */
  readonly keysMax?: number;
  /** Called once there is room again (half of `keysMax`) after a key was refused: feed the queue from the cache again. */
  readonly onRoom?: () => void;
  readonly observer?: QueueObserver;
}
