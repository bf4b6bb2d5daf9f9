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
  readonly reportOpen: (worker: string, open: readonly OpenBreaker[]) => void;
}

/** Makes the handlers for what all workers share and report to: the platform's limits, and the open circuit breakers. */
export function workerDesks({ clock, reportOpen }: WorkerDesksOptions): OpenDesk {
  const recipients = new Map<string, (grants: readonly ShareGrant[]) => Promise<void>>();
  const sendGrants = (worker: string, grants: readonly ShareGrant[]): void => {
    // A worker that does not accept grants is ending, and its share is returned then.
    void recipients
      .get(worker)?.(grants)
      .catch(() => undefined);
  };
  const shares = new ShareLedger({ clock, sendGrants });
  return (worker, grant) => {
    recipients.set(worker, grant);
    shares.join(worker);
    return {
      calls: {
        openBreakers: async (open) => reportOpen(worker, open),
        flowReport: async (reports) => shares.report(worker, reports),
      },
      close() {
        recipients.delete(worker);
        shares.leave(worker);
        reportOpen(worker, []);
      },
    };
  };
}
