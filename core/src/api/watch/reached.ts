import type { WatchEvent } from '../../ports/engine.js';

/** Up to where a watch has told everything with this event: from there on it misses nothing. Nothing while what is there at the beginning is told. */
export function reachedWith({ served, initial }: WatchEvent): string | undefined {
  return initial === undefined ? served.resourceVersion : initial.reached;
}
