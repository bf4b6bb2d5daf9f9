import type { SharedState } from '../../kernel/kernel.js';
import type { PrimaryCalls } from './calls.js';
import type { Peer } from './peer.js';

/** Plugins wait for this within their own deadlines. The owner of the state responds within a millisecond, unless it has a problem. */
export const stateAnswerMsMax = 1_000;

/** Accesses the shared state, which is in the platform's process. @throws TAP_PROCESS_FAILED when it does not respond in time */
export function remoteState(primary: Pick<Peer<PrimaryCalls>, 'callWithin'>): SharedState {
  return {
    get: (instance, key) => primary.callWithin(stateAnswerMsMax, 'stateGet', instance, key),
    set: (instance, key, json, ttlMs) => primary.callWithin(stateAnswerMsMax, 'stateSet', instance, key, json, ttlMs),
    delete: (instance, key) => primary.callWithin(stateAnswerMsMax, 'stateDelete', instance, key),
  };
}
