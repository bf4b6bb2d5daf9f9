import type { Seat, Work } from './stages.js';

/**
 * Reports the size of a request to flow control. A heavy request may have to wait; afterwards it yields to the event loop once, because it
 * continues with synchronous work.
 *
 * @throws TAP_FLOW_FULL
 */
export function weigh({ seat }: { readonly seat?: Seat | undefined }, work: Work): Promise<void> | undefined {
  return seat?.weigh?.(work)?.then(letOthersGo);
}

const letOthersGo = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
