import type { Clock, Logger } from '@tappaas/sdk';
import type { ApiServer } from '../../api/api-server.js';

const everyMs = 2000;

export interface ClientAuthoritiesParts {
  /** Every server that performs TLS handshakes with clients. */
  readonly servers: readonly Pick<ApiServer, 'trustClients'>[];
  /** Returns the PEM of all current authorities. */
  readonly current: () => string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<Logger, 'error'>;
}

/** Keeps the client authorities of the listeners equal to those of the plugins. An unusable bundle changes nothing and is logged once. */
export class ClientAuthorities {
  readonly #parts: ClientAuthoritiesParts;
  #last: string | undefined;

  constructor(parts: ClientAuthoritiesParts) {
    this.#parts = parts;
  }

  /** Compares once. Called after a reload, so that new authorities take effect as soon as it is applied. */
  look(): void {
    const { servers, current, log } = this.#parts;
    try {
      const now = current();
      if (now === this.#last) return;
      this.#last = now;
      for (const server of servers) server.trustClients(now);
    } catch (error) {
      log.error('the authorities of client certificates cannot be used; the previous ones stay in use', { error });
    }
  }

  /** Compares every two seconds until `signal` aborts, because plugins read replaced files without a reload. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.look();
      await this.#parts.clock.sleep(everyMs, signal).catch(() => {});
    }
  }
}
