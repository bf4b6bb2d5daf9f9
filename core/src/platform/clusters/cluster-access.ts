import type { Clock, Cluster, Context, Logger } from '@tappaas/sdk';
import { createClusterClient, type ClusterClient } from '../../cluster/client.js';
import { createBackoff } from '../../queue/backoff.js';
import { sourceBackoff } from '../back-off.js';

/** A connected cluster: its plugin's service, and the client that all stages share. */
export interface ClusterAccess {
  readonly name: string;
  readonly cluster: Cluster;
  readonly client: ClusterClient;
}

export interface ClusterAccessOptions {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly context: () => Context;
  /** Returns the instance whose code is running; it is named in the user agent of each request. */
  readonly pluginOf: () => string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly version: string;
  readonly log: Logger;
  /** Returns a client for clusters that are not reached over their connection. Default: there are none. */
  readonly clientOf?: (name: string) => ClusterClient | undefined;
}

/** One client per cluster instance, created on first use; credentials are requested again at each reconnect. */
export class ClusterAccesses {
  readonly #options: ClusterAccessOptions;
  readonly #known = new Map<string, ClusterAccess>();

  constructor(options: ClusterAccessOptions) {
    this.#options = options;
  }

  names(): readonly string[] {
    return [...this.#options.clusters.keys()].toSorted();
  }

  of(name: string): ClusterAccess | undefined {
    const cluster = this.#options.clusters.get(name);
    if (cluster === undefined) return undefined;
    const known = this.#known.get(name);
    if (known) return known;
    const { clock, random, version, pluginOf, context, clientOf } = this.#options;
    const client =
      clientOf?.(name) ??
      createClusterClient({
        connect: () => cluster.connection(context()),
        clock,
        backoff: createBackoff(sourceBackoff, random),
        userAgent: () => `tappaas/${version} (${pluginOf() ?? 'platform'})`,
      });
    const access = { name, cluster, client };
    this.#known.set(name, access);
    return access;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ client }) => client.close()));
    this.#known.clear();
  }
}
