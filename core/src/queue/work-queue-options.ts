import type { Clock } from '@tappaas/sdk';
import type { BackoffOptions } from './backoff.js';

/** Callbacks of a queue; they are called synchronously, so they must be fast. */
export interface QueueObserver {
  /** The number of ready items, after each change. */
  readonly depth?: (items: number) => void;
  /** Time from being ready to being handed out. */
  readonly latencyMs?: (ms: number) => void;
  /** A failed item was re-queued with a delay. */
  readonly retry?: (delayMs: number) => void;
  /** A key was refused because the queue was full. */
  readonly refused?: () => void;
}

export interface WorkQueueOptions<K extends string | number> {
  readonly clock: Clock;
  /** Returns a number from 0 to 1; used for jitter. */
  readonly random: () => number;
  readonly backoff: BackoffOptions;
  /** Returns the tenant of a key; tenants take turns. Default: all keys belong to one. */
  readonly tenantOf?: (key: K) => string;
  /** Returns how many items a tenant may hand out per turn. Default 1. */
  readonly weightOf?: (tenant: string) => number;
  /** Maximum number of distinct keys that are waiting, delayed or processing. Default 1,000,000. */
  readonly keysMax?: number;
  /** Called once there is room again (half of `keysMax`) after a key was refused: add the cached keys again. */
  readonly onRoom?: () => void;
  readonly observer?: QueueObserver;
}
