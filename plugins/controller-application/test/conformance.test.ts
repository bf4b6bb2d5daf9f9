import { Application } from '@tappaas/sdk/kinds';
import { conformance, fakeCluster, fakeRuntime, load } from '@tappaas/testing';
import test from 'ava';
import controllerApplication from '../dist/index.js';

const application = (name: string, source: object) => ({
  kind: Application,
  object: { namespace: 'default', name, spec: { source, runtime: 'standard', processes: [{ name: 'web', replicas: 2 }] } },
});
const digest = `sha256:${'0'.repeat(64)}`;
const make = () => ({
  plugin: load(controllerApplication),
  with: [load(fakeCluster, {}, { id: 'cluster' }), load(fakeRuntime, {}, { id: 'standard' })],
  objects: [application('from-image', { image: 'example/shop:1' }), application('from-source', { upload: { digest } })],
});

for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));
