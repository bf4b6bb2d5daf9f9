/** What the typed client follows on a platform whose API is served by processes of its own, one of which is killed. */
import { createClient } from '@tappaas/client';
import test from 'ava';
import { eventually } from '../platform-process.ts';
import { collection, configMap, count, untilBothAnswer, withWorkers, workersOf, type ConfigMap } from '../worker-load.ts';

test.serial('kill -9 of a worker breaks what typed clients follow, and they go on by themselves without a gap', async (t) => {
  const { platform } = await withWorkers(t);
  const { server, token, ca } = platform.connection;
  const ending = new AbortController();
  const { resourceVersion } = (await platform.api('GET', collection)).json<{ metadata: { resourceVersion: string } }>().metadata;
  const document =
    'subscription ($since: String) { configMapChanges(namespace: "default", since: $since) { type resourceVersion object { name data { key value } } } }';
  const faults: string[] = [];
  const seen: Map<string, number>[] = [];
  /** Values come one after the other. */
  const taker = (how: string) => {
    const by = new Map<string, number>();
    seen.push(by);
    return (name: string, value: number): void => {
      if (value !== (by.get(name) ?? -1) + 1) faults.push(`${how}: ${name} was ${value} after ${by.get(name)}`);
      by.set(name, value);
    };
  };
  // Connections are taken by the worker that comes first: with several, both have some.
  const following = Array.from({ length: 4 }, async (_, index) => {
    const client = createClient({ server, token, certificateAuthority: ca.toString() });
    const subscribe = async (): Promise<void> => {
      const take = taker(`subscription ${index}`);
      interface ReceivedEvent {
        readonly configMapChanges: { object: { name: string; data: readonly { key: string; value: string }[] } | null };
      }
      for await (const received of client.subscribe<ReceivedEvent>(document, { since: resourceVersion }, { signal: ending.signal })) {
        const { object } = received.configMapChanges;
        if (object !== null) take(object.name, Number(object.data[0]?.value));
      }
    };
    const join = async (): Promise<void> => {
      const take = taker(`room ${index}`);
      const room = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'default', resourceVersion } as const;
      for await (const message of client.room(room, ending.signal)) {
        if (message.type !== 'ADDED' && message.type !== 'MODIFIED') continue;
        const { metadata, data } = message.object as ConfigMap;
        take(metadata.name, Number(data.value));
      }
    };
    await Promise.all([subscribe(), join()]);
    await client.close();
  });
  const names = ['a', 'b'];
  for (const name of names) await platform.api('POST', collection, configMap(name, '0'));
  let isOver = false;
  const ignore = (): void => undefined;
  const counting = names.map((name) => count(platform, name, () => isOver, ignore));
  for (let round = 0; round < 2; round += 1) {
    // The oldest, so that both have their turn.
    const victim = Math.min(...(await workersOf(platform)));
    process.kill(victim, 'SIGKILL');
    await eventually(
      () => workersOf(platform),
      (found) => found.length === 2 && !found.includes(victim),
    );
    await untilBothAnswer(platform.connection, 200);
  }
  isOver = true;
  const written = await Promise.all(counting);
  const isBehind = (by: Map<string, number>): boolean => names.some((name, index) => by.get(name) !== written[index]);
  await eventually(
    async () => seen.map((by) => [...by]),
    () => !seen.some(isBehind),
  );
  ending.abort();
  await Promise.all(following);
  t.deepEqual(faults, []);
  t.is(seen.length, 8);
  t.true(written.every((value) => value > 2));
});
