import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import type { Node, Pod } from '@tappaas/sdk';
import { processesMarked, processTable } from '../dist/agent/process/table.js';
import { isAlive } from '../dist/agent/process/identity.js';
import { Nodes, Pods } from '../dist/kinds/handles.js';
import { LocalCluster, until } from './support/local-cluster.ts';
import { pod } from './support/manifests.ts';
import { isReady, pidOf } from './support/pods.ts';

const rounds = 10;
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

test('an agent killed at any moment of creating and deleting leaves no pod doubled, lost or behind', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  const uids = new Set<string>();
  const create = (name: string) => {
    const sleeper = { name: 'main', image: 'process', command: ['/bin/sh', '-c', 'sleep 300'] };
    const made = cluster.store.create(Pods, pod(name, { terminationGracePeriodSeconds: 1, containers: [sleeper] }));
    uids.add(made.metadata.uid ?? '');
  };
  for (let round = 0; round < rounds; round += 1) {
    const record = await until('agent', () => cluster.control.running());
    for (const [index, name] of names.entries()) {
      const key = { namespace: 'default', name };
      const present = cluster.store.get<Pod>(Pods, key);
      if (present === undefined) create(name);
      else if ((index + round) % 3 === 0 && present.metadata.deletionTimestamp === undefined) cluster.store.delete(Pods, key);
      if (index === round % names.length) await wait((round * 7) % 60);
    }
    await wait((round * 13) % 90);
    process.kill(record.pid, 'SIGKILL');
    await until('agent gone', () => !isAlive(record));
    await cluster.startAgent();
  }
  const isLeaving = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;
  await until('what was deleted is gone', () => !cluster.store.all<Pod>(Pods).some((found) => isLeaving(found as Pod)));
  for (const name of names) if (cluster.store.get(Pods, { namespace: 'default', name }) === undefined) create(name);
  const settled = () => {
    const pods = cluster.store.all<Pod>(Pods);
    return pods.every(isReady) && pods;
  };
  const pods = await until('all pods are ready', settled);
  t.is(pods.length, names.length);
  const groups = new Set((await processTable()).map(({ groupId }) => groupId));
  const marked = async (uid: string | undefined) =>
    (await Promise.all([1, 2, 3, 4].map((run) => processesMarked(`TAPPAAS_CONTAINER=${uid}/main/${run}`)))).flat();
  for (const found of pods) {
    t.true(groups.has(pidOf(found, 'main')), `${found.metadata.name} runs`);
    // The supervising shell, the command's shell and, unless that shell has exec'ed it, the sleep.
    await until(`pod ${found.metadata.name} has its processes`, async () => (await marked(found.metadata.uid)).length >= 2);
    t.true((await marked(found.metadata.uid)).length <= 3, `${found.metadata.name} is not doubled`);
  }
  const alive = new Set(pods.map(({ metadata }) => metadata.uid));
  for (const uid of uids) {
    if (!alive.has(uid)) await until(`pod ${uid} has left no process`, async () => (await marked(uid)).length === 0);
  }
});

test('several nodes are one agent: each has its part of the machine and its own pods', async (t) => {
  const cluster = await LocalCluster.make({ nodes: ['east', 'west'], podsMax: 10 });
  t.teardown(() => cluster.end());
  await cluster.start();
  const nodes = await until('two nodes', () => {
    const found = cluster.store.all<Node>(Nodes).filter(({ status }) => status?.capacity !== undefined);
    return found.length === 2 && found;
  });
  t.deepEqual(new Set(nodes.map(({ metadata }) => metadata.name)), new Set(['east', 'west']));
  t.deepEqual(
    nodes.map(({ status }) => status?.capacity?.['pods']),
    ['5', '5'],
  );
  for (const node of ['east', 'west'])
    cluster.store.create(
      Pods,
      pod(`on-${node}`, { nodeName: node, containers: [{ name: 'main', image: 'process', command: ['sleep', '60'] }] }),
    );
  await until('both run', () => cluster.store.all<Pod>(Pods).length === 2 && cluster.store.all<Pod>(Pods).every(isReady));
  t.pass();
});
