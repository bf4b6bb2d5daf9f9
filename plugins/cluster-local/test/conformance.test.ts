import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import clusterLocal from '../dist/index.js';
import { CronJobs, DaemonSets, StatefulSets } from '../dist/kinds/handles.js';
import { freePort } from '../../../test/ports.ts';

const httpPort = await freePort();
const scratch = await mkdtemp(join(tmpdir(), 'cluster-local-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const namespace = 'default';
const template = (app: string, restartPolicy: string) => ({
  metadata: { labels: { app } },
  spec: { restartPolicy, containers: [{ name: 'main', image: 'process' }] },
});
const workload = (app: string, more: object = {}) => ({
  namespace,
  name: app,
  spec: { selector: { matchLabels: { app } }, template: template(app, 'Always'), ...more },
});
const objects = [
  { kind: StatefulSets, engine: 'local', object: workload('numbered', { serviceName: 'numbered' }) },
  { kind: DaemonSets, engine: 'local', object: workload('everywhere') },
  {
    kind: CronJobs,
    engine: 'local',
    object: {
      namespace,
      name: 'nightly',
      spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: template('nightly', 'Never') } } },
    },
  },
];

const make = async () => {
  const directory = await mkdtemp(join(scratch, 'case-'));
  return { plugin: load(clusterLocal, { directory, images: join(directory, 'images'), httpPort }, { id: 'local' }), objects };
};
// Serial, since all cases listen on the same port.
for (const { title, run } of conformance.plugin(make)) test.serial(title, (t) => t.notThrowsAsync(run));
