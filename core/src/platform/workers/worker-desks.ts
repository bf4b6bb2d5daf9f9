import type { Clock } from '@tappaas/sdk';
import { ShareLedger } from '../../flow/shares/share-ledger.js';
import type { ShareGrant } from '../../flow/shares/protocol.js';
import type { PrimaryCalls } from './calls.js';
import type { OpenBreaker } from './open-breakers.js';

/** What the primary keeps of each worker, apart from the others. */
export interface WorkerDesk {
  readonly calls: Pick<PrimaryCalls, 'openBreakers' | 'flowReport'>;
  /** The process has ended. */
  close(): void;
}

/** Opens a desk for a process that starts, which is told things over `grant`. */
export type OpenDesk = (worker: string, grant: (grants: readonly ShareGrant[]) => Promise<void>) => WorkerDesk;

export interface WorkerDesksOptions {
  readonly clock: Clock;
  readonly tellOpen: (worker: string, open: readonly OpenBreaker[]) => void;
}

/** What is one for all workers and told by each: their shares of the platform's limits, and which circuit breakers are open. */
export function workerDesks({ clock, tellOpen }: WorkerDesksOptions): OpenDesk {
  const told = new Map<string, (grants: readonly ShareGrant[]) => Promise<void>>();
  const tell = (worker: string, grants: readonly ShareGrant[]): void => {
    // One that does not take it ends, or has: then its share is given back.
    void told
      .get(worker)?.(grants)
      .catch(() => undefined);
  };
  const shares = new ShareLedger({ clock, tell });
  return (worker, grant) => {
    told.set(worker, grant);
    shares.join(worker);
    return {
      calls: {
        openBreakers: async (open) => tellOpen(worker, open),
        flowReport: async (reports) => shares.report(worker, reports),
      },
      close() {
        told.delete(worker);
        shares.leave(worker);
        tellOpen(worker, []);
      },
    };
  };
}
