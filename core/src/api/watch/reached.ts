import type { WatchEvent } from '../../ports/engine.js';

/** The version up to which a watch is complete with this event: a watch from there misses nothing. Undefined during the initial events. */
export function reachedWith({ served, initial }: WatchEvent): string | undefined {
  return initial === undefined ? served.resourceVersion : initial.reached;
}
