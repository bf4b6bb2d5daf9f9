import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Pod } from '@tappaas/sdk';
import { Nodes, Pods } from '../dist/kinds/handles.js';
import { LocalCluster, until } from './support/local-cluster.ts';

const server = `
  const http = require('node:http');
  http.createServer((q, s) => s.end('hello from ' + process.pid)).listen(process.env.PORT);
`;

const pod = (name: string, spec: object, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels },
  spec: { terminationGracePeriodSeconds: 2, ...spec },
});

test('a bound pod runs as a process, is ready on its injected port, and goes when deleted', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  await until('node', () => cluster.store.all(Nodes).length === 1);
  cluster.store.create(
    Pods,
    pod('web', {
      containers: [{ name: 'web', image: 'process', command: ['node', '-e', server], ports: [{ name: 'http', containerPort: 8080 }] }],
    }),
  );
  const key = { namespace: 'default', name: 'web' };
  const ready = await until('ready', () => {
    const found = cluster.store.get<Pod>(Pods, key);
    return found?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ? found : undefined;
  }).catch(async (error: unknown) => {
    t.log(
      JSON.stringify(cluster.store.get(Pods, key), undefined, 1),
      await readFile(join(cluster.directory, 'agent', 'agent.log'), 'utf8'),
    );
    throw error;
  });
  t.is(ready.status?.phase, 'Running');
  const ports = JSON.parse(ready.metadata.annotations?.['local.tappaas.dev/host-ports'] ?? '{}') as Record<string, number>;
  const answer = await fetch(`http://127.0.0.1:${ports['web/8080/TCP']}/`);
  t.regex(await answer.text(), /^hello from \d+$/);
  cluster.store.delete(Pods, key);
  await until('gone', () => cluster.store.get(Pods, key) === undefined);
  await t.throwsAsync(fetch(`http://127.0.0.1:${ports['web/8080/TCP']}/`));
  void writeFile;
});
