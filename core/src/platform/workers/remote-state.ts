import type { SharedState } from '../../kernel/kernel.js';
import type { PrimaryCalls } from './calls.js';
import type { Peer } from './peer.js';

/** A plugin waits for it within its own deadline: whoever has the state answers in a millisecond, or is in trouble. */
export const stateAnswerMsMax = 1_000;

/** What plugins keep for the whole platform lies with the platform's process. @throws TAP_PROCESS_FAILED when it does not answer in time */
export function remoteState(primary: Pick<Peer<PrimaryCalls>, 'callWithin'>): SharedState {
  return {
    get: (instance, key) => primary.callWithin(stateAnswerMsMax, 'stateGet', instance, key),
    set: (instance, key, json, ttlMs) => primary.callWithin(stateAnswerMsMax, 'stateSet', instance, key, json, ttlMs),
    delete: (instance, key) => primary.callWithin(stateAnswerMsMax, 'stateDelete', instance, key),
  };
}
