import type { Clock, Logger } from '@tappaas/sdk';
import type { ApiServer } from '../../api/api-server.js';

const everyMs = 2000;

export interface ClientAuthorities {
  /** Everything that shakes hands with clients. */
  readonly servers: readonly Pick<ApiServer, 'trustClients'>[];
  /** PEM of all authorities as they are now. */
  readonly current: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps the listener's client authorities in step with those of plugins, until `signal` aborts; ones that cannot be used change nothing. */
export async function followClientAuthorities({ servers, current, clock, log }: ClientAuthorities, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      const now = current();
      if (now !== last) for (const server of servers) server.trustClients(now);
      last = now;
    } catch (error) {
      log.error('the authorities of client certificates cannot be used; those before count', { error });
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
