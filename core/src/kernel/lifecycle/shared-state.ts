import type { Clock } from '@tappaas/sdk';
import { StateCache } from './state-cache.js';

/** State of instances shared by all processes of the platform, as JSON; it outlives an instance in any one process. */
export interface SharedState {
  readonly get: (instance: string, key: string) => Promise<string | undefined>;
  readonly set: (instance: string, key: string, json: string, ttlMs: number) => Promise<void>;
  readonly delete: (instance: string, key: string) => Promise<void>;
}

const instancesMax = 1_000;

/**
 * Keeps shared state in the memory of this process. When there are too many instances, drops those that have stored nothing for the longest
 * time.
 */
export function memoryState(clock: Clock): SharedState {
  const caches = new Map<string, StateCache>();
  const cacheOf = (instance: string): StateCache => {
    const cache = caches.get(instance) ?? new StateCache(instance, clock);
    caches.delete(instance);
    caches.set(instance, cache);
    const [oldest] = caches.keys();
    if (caches.size > instancesMax && oldest !== undefined) caches.delete(oldest);
    return cache;
  };
  return {
    get: async (instance, key) => caches.get(instance)?.get(key),
    set: (instance, key, json, ttlMs) => cacheOf(instance).set(key, json, ttlMs),
    delete: async (instance, key) => caches.get(instance)?.delete(key),
  };
}
