import { setTimeout as wait } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Deployment, Pod } from '@tappaas/sdk';
import { Deployments, Ingresses, Pods, ReplicaSets, Services } from '../dist/kinds/handles.js';
import { HttpClient, type Answer } from './support/http-client.ts';
import { LocalCluster, until } from './support/local-cluster.ts';
import { container, deployment, ingress, service } from './support/manifests.ts';

const key = { namespace: 'default', name: 'shop' };

async function serving(t: ExecutionContext, version: string, replicas: number) {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  cluster.store.create(Deployments, deployment('shop', version, replicas));
  cluster.store.create(Services, service('shop'));
  cluster.store.create(Ingresses, ingress('shop', 'shop.localhost'));
  await until(
    `${replicas} replicas available`,
    () => cluster.store.get<Deployment>(Deployments, key)?.status?.availableReplicas === replicas,
  );
  const client = new HttpClient(cluster.settings.httpPort);
  await until('an answer', async () => (await client.ask('shop.localhost')).status === 200);
  return { cluster, client };
}

test('an Ingress host answers from all ready pods in turn', async (t) => {
  const { client } = await serving(t, 'one', 2);
  await until('both pods in the slices', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.ask('shop.localhost')));
    return new Set(answers.map(({ text }) => text)).size === 2;
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.ask('SHOP.localhost:8080', '/some/path?x=1')));
  const counts = [...Map.groupBy(answers, ({ text }) => text).values()].map((group) => group.length);
  t.deepEqual(counts, [10, 10]);
});

test('a rolling update replaces every pod without a failed request', async (t) => {
  const { cluster, client } = await serving(t, 'one', 2);
  const answers: (Answer | Error)[] = [];
  const stop = new AbortController();
  const asking = Promise.all(
    Array.from({ length: 4 }, async (_, worker) => {
      while (!stop.signal.aborted) {
        answers.push(
          await client.ask('shop.localhost', '/', worker === 0 ? { method: 'POST', body: 'x' } : {}).catch((error: Error) => error),
        );
        await wait(2);
      }
    }),
  );
  for (const version of ['two', 'three']) {
    cluster.store.patch(Deployments, key, { spec: { template: { spec: { containers: [container(version)] } } } });
    await until(`version ${version} rolled out`, () => {
      const { metadata, status } = cluster.store.get<Deployment>(Deployments, key) ?? {};
      if (status?.observedGeneration !== metadata?.generation) return false;
      const pods = cluster.store.all<Pod>(Pods);
      return status?.updatedReplicas === 2 && status.replicas === 2 && status.availableReplicas === 2 && pods.length === 2;
    });
  }
  stop.abort();
  await asking;
  const failed = answers.filter((answer) => answer instanceof Error || answer.status !== 200);
  t.deepEqual(failed, [], `${failed.length} of ${answers.length} failed`);
  const versions = answers.map((answer) => (answer instanceof Error ? answer.message : answer.text.split(' ')[0]));
  t.deepEqual([...new Set(versions)].toSorted(), ['one', 'three', 'two'], 'each of them has answered');
  t.is(versions.at(-1), 'three');
  const progressing = cluster.store.get<Deployment>(Deployments, key)?.status?.conditions?.find(({ type }) => type === 'Progressing');
  t.is(progressing?.reason, 'NewReplicaSetAvailable');
  t.is(cluster.store.all(ReplicaSets).length, 3);
  t.deepEqual(cluster.controllers?.errors, []);
});

test('a deleted deployment leaves no pod and no process', async (t) => {
  const { cluster, client } = await serving(t, 'one', 2);
  const pids = new Set<number>();
  await until('both pods seen', async () => {
    pids.add(Number((await client.ask('shop.localhost')).text.split(' ')[1]));
    return pids.size === 2;
  });
  cluster.store.delete(Deployments, key);
  await until('no pods', () => cluster.store.all(Pods).length === 0);
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  const answer = await client.ask('shop.localhost');
  t.is(answer.status, 503);
  t.regex(answer.text, /shop.* has no pod that is ready/);
});
