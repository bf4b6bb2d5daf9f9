import type { Clock, State } from '@tappaas/sdk';
import { guardErrors } from '../errors.js';
import type { SharedState } from './shared-state.js';
import { StateCache, stateValueBytesMax } from './state-cache.js';

/**
 * Makes the state of one instance: values kept in this process, and values shared by all processes. A key belongs to the scope in which
 * this process last set it; a key that is not in this process is read from the shared scope.
 */
export function createState(instance: string, clock: Clock, shared: SharedState): State {
  const own = new StateCache(instance, clock);
  return {
    async get(key) {
      const json = (await own.get(key)) ?? (await shared.get(instance, key));
      return json === undefined ? undefined : (JSON.parse(json) as unknown);
    },
    async delete(key) {
      await Promise.all([own.delete(key), shared.delete(instance, key)]);
    },
    async set(key, value, { ttlMs, scope }) {
      const json = checkedJson(instance, key, value);
      if (scope === 'replica') return own.set(key, json, ttlMs);
      await Promise.all([own.delete(key), shared.set(instance, key, json, ttlMs)]);
    },
  };
}

/** @throws TAP_STATE_TOO_LARGE */
function checkedJson(instance: string, key: string, value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  const bytes = json === undefined ? 0 : Buffer.byteLength(json);
  if (json !== undefined && bytes <= stateValueBytesMax) return json;
  const what = json === undefined ? 'is not a JSON value' : `has ${bytes} bytes of JSON, at most ${stateValueBytesMax} are kept`;
  throw guardErrors.TAP_STATE_TOO_LARGE({ message: `the state "${key}" of plugin ${instance} ${what}` });
}
