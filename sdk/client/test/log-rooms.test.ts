/** A room of a log over a connection that breaks while the container is restarted. */
import { createClient } from '@tappaas/client';
import test from 'ava';
import { at, startLogCluster } from '../../../core/test/api/graphql/log-cluster.ts';
import { startFlakyProxy } from './flaky-proxy.ts';

test('what a container wrote before it was restarted during a break comes before what it writes then, each line once', async (t) => {
  const cluster = await startLogCluster(t);
  const pod = await cluster.run('shop-web-1');
  const proxy = await startFlakyProxy(cluster.server.port, () => ({ bytesMax: Infinity, delayMs: 0 }));
  const client = createClient({ server: proxy.url, token: 'admin' });
  t.teardown(async () => {
    await client.close();
    await proxy.close();
  });
  pod.write(at(1, 'a'), at(2, 'b'));
  const told: string[] = [];
  let isCut = false;
  const room = { topic: 'logs', engine: 'local', namespace: 'team', pod: 'shop-web-1' } as const;
  for await (const message of client.room(room, new AbortController().signal)) {
    if (message.type === 'LINES') told.push(...message.lines.map((line) => line.replace(/^\S+ /, '')));
    if (told.includes('b') && !isCut) {
      isCut = true;
      proxy.cut();
      pod.write(at(2, 'c'), at(3, 'ends'));
      pod.restart();
      pod.write(at(4, 'begins'));
    }
    if (told.includes('begins')) break;
  }
  t.deepEqual(told, ['a', 'b', 'c', 'ends', 'begins']);
});
