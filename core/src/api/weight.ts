import type { Seat, Work } from './stages.js';

/**
 * Tells flow control what a request turns out to be. One that is heavy may have to wait for its turn, and others have theirs before it
 * goes on: what it does next it does in one go.
 *
 * @throws TAP_FLOW_FULL
 */
export function weigh({ seat }: { readonly seat?: Seat | undefined }, work: Work): Promise<void> | undefined {
  return seat?.weigh?.(work)?.then(letOthersGo);
}

const letOthersGo = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
