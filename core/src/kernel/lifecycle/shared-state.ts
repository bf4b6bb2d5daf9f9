import type { Clock } from '@tappaas/sdk';
import { StateCache } from './state-cache.js';

/** What instances keep for the whole platform, as JSON: one for all its processes, whatever becomes of an instance in one of them. */
export interface SharedState {
  readonly get: (instance: string, key: string) => Promise<string | undefined>;
  readonly set: (instance: string, key: string, json: string, ttlMs: number) => Promise<void>;
  readonly delete: (instance: string, key: string) => Promise<void>;
}

const instancesMax = 1_000;

/** In the memory of this process. Instances that come and go take the place of those that have kept nothing for longest. */
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
