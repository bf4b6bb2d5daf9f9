import test from 'ava';
import { nodeStatus } from '../dist/agent/node/node-object.js';

const facts = {
  cpu: 2,
  memoryBytes: 8 * 1024 ** 3,
  storageBytes: 100 * 1024 ** 3,
  hostname: 'laptop',
  architecture: 'amd64',
  operatingSystem: 'linux',
  kernelVersion: '6.1',
  osImage: 'Debian',
  machineId: 'm',
  bootId: 'b',
};
const status = (cpuOvercommit: number, nodes = 1) =>
  nodeStatus({ name: 'local-1', nodes, podsMax: 250, cpuOvercommit, facts, version: '1', runtimeVersion: 'v26', agentPort: 1, nowMs: 0 });

test('processors may be asked for several times over, memory and room for pods once', (t) => {
  t.like(status(10).capacity, { cpu: '2000m', memory: '8388608Ki', pods: '250' });
  t.like(status(10).allocatable, { cpu: '20000m', memory: '8388608Ki', pods: '250' });
});

test('nodes of one machine share it in equal parts, what may be asked for several times over, too', (t) => {
  t.like(status(10, 4).capacity, { cpu: '500m', memory: '2097152Ki', pods: '62' });
  t.is(status(10, 4).allocatable?.['cpu'], '5000m');
});
