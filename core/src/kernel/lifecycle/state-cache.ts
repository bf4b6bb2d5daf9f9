import type { Clock, State } from '@tappaas/sdk';
import { Keyv } from 'keyv';
import { guardErrors } from '../errors.js';

export const stateValueBytesMax = 64 * 1024;
export const stateKeysMax = 10_000;

interface Kept {
  readonly json: string;
  readonly expiresAtMs: number;
}

/**
 * The state of one instance, in memory. Times are the platform's clock; Keyv is asked to keep nothing longer than it must, whatever it
 * stores into. Beyond the number of keys the oldest go: it is a cache.
 */
export function createState(instance: string, clock: Clock): State {
  const store = new Keyv<Kept>({ namespace: instance });
  const keys = new Set<string>();
  const forget = async (key: string): Promise<void> => {
    keys.delete(key);
    await store.delete(key);
  };
  return {
    async get(key) {
      const kept = await store.get(key);
      if (kept === undefined) return undefined;
      if (kept.expiresAtMs > clock.nowMs()) return JSON.parse(kept.json) as unknown;
      await forget(key);
      return undefined;
    },
    delete: forget,
    async set(key, value, { ttlMs }) {
      const json = JSON.stringify(value);
      const bytes = json === undefined ? 0 : Buffer.byteLength(json);
      if (json === undefined || bytes > stateValueBytesMax) {
        const what = json === undefined ? 'is no JSON value' : `has ${bytes} bytes of JSON, at most ${stateValueBytesMax} are kept`;
        throw guardErrors.TAP_STATE_TOO_LARGE({ message: `the state "${key}" of plugin ${instance} ${what}` });
      }
      keys.delete(key);
      keys.add(key);
      await store.set(key, { json, expiresAtMs: clock.nowMs() + ttlMs });
      for (const oldest of keys) {
        if (keys.size <= stateKeysMax) break;
        await forget(oldest);
      }
    },
  };
}
