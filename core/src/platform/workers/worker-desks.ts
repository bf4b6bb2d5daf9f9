import type { Clock } from '@tappaas/sdk';
import { ShareLedger } from '../../flow/shares/share-ledger.js';
import type { ShareGrant } from '../../flow/shares/protocol.js';
import type { PrimaryCalls } from './calls.js';
import type { OpenBreaker } from './open-breakers.js';

/** The primary's handlers for one worker. */
export interface WorkerDesk {
  readonly calls: Pick<PrimaryCalls, 'openBreakers' | 'flowReport'>;
  /** Call when the process has ended. */
  close(): void;
}

/** Makes the handlers for a starting process, which receives its grants through `grant`. */
export type OpenDesk = (worker: string, grant: (grants: readonly ShareGrant[]) => Promise<void>) => WorkerDesk;

export interface WorkerDesksOptions {
  readonly clock: Clock;
  readonly tellOpen: (worker: string, open: readonly OpenBreaker[]) => void;
}

/** Makes the handlers for what all workers share and report to: the platform's limits, and the open circuit breakers. */
export function workerDesks({ clock, tellOpen }: WorkerDesksOptions): OpenDesk {
  const told = new Map<string, (grants: readonly ShareGrant[]) => Promise<void>>();
  const tell = (worker: string, grants: readonly ShareGrant[]): void => {
    // A worker that does not accept grants is ending, and its share is returned then.
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
