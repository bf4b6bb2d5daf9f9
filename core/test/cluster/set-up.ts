import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { ApiResource } from '../../dist/cluster/api-resource.js';
import { createClusterClient, type ClusterClient, type ClusterClientOptions } from '../../dist/cluster/client.js';
import type { Connection } from '../../dist/cluster/connection.js';
import { VirtualClock } from '../virtual-clock.ts';
import { ApiServer } from './api-server.ts';

export const podResource: ApiResource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

export interface TestCluster {
  readonly clock: VirtualClock;
  readonly server: ApiServer;
  readonly client: ClusterClient;
  readonly url: string;
  /** Lets time pass until `condition` holds, at most `withinMs`; the network works in real time meanwhile. */
  readonly eventually: (condition: () => boolean, withinMs?: number) => Promise<number>;
  /** The same until `work` settles. */
  readonly during: <T>(work: Promise<T>, withinMs?: number) => Promise<T>;
}

export async function startCluster(
  t: ExecutionContext,
  options: Partial<ClusterClientOptions> & { server?: ApiServer; connection?: Partial<Connection> } = {},
): Promise<TestCluster> {
  const { server = new ApiServer(), connection, ...clientOptions } = options;
  const clock = new VirtualClock();
  const url = `http://127.0.0.1:${await server.listen()}`;
  const client = createClusterClient({
    connect: async () => ({ server: url, ...connection }),
    clock,
    backoff: (failures) => Math.min(5_000, 100 * 2 ** failures),
    userAgent: () => 'tappaas/test (plugin-a)',
    ...clientOptions,
  });
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  const eventually = async (condition: () => boolean, withinMs = 30_000): Promise<number> => {
    const startMs = clock.nowMs();
    while (!condition()) {
      if (clock.nowMs() - startMs >= withinMs) throw new Error(`not within ${withinMs} ms`);
      await pause(2);
      await clock.advance(100);
    }
    return clock.nowMs() - startMs;
  };
  const during = async <T>(work: Promise<T>, withinMs = 60_000): Promise<T> => {
    let settled = false;
    work.then(
      () => (settled = true),
      () => (settled = true),
    );
    await eventually(() => settled, withinMs);
    return work;
  };
  return { clock, server, client, url, eventually, during };
}
