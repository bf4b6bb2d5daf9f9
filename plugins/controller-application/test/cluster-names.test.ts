import test from 'ava';
import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { checkClusterNames } from '../dist/cluster-names.js';
import { shop } from './fixture.ts';

type Process = ApplicationObject['spec']['processes'][number];

const web: Process = { name: 'web', replicas: 1, ports: [{ name: 'http', port: 8080, protocol: 'HTTP' }] };
const worker: Process = { name: 'worker', replicas: 1 };
const migrate: Process = { name: 'migrate', replicas: 1, phase: 'Release' };
const nightly: Process = { name: 'nightly', replicas: 1, schedule: '0 3 * * *' };

function called(name: string, ...processes: Process[]) {
  const application = shop({ processes, routes: [] });
  return { ...application, metadata: { ...application.metadata, name } };
}

test('a name is refused that a cluster has no room for, with what it is for and how long it may be', (t) => {
  const [denial, ...others] = checkClusterNames(called('a'.repeat(60), web, worker));
  t.deepEqual(others, []);
  t.is(denial?.field, 'spec.processes[0].name');
  t.regex(denial?.message ?? '', /Service would be called "a+-web".*64 characters; at most 63/);
  t.is(checkClusterNames(called('a'.repeat(64), worker))[0]?.field, 'metadata.name');
});

test('the longest names that the objects of a cluster leave are taken', (t) => {
  const longest: readonly (readonly [number, Process])[] = [
    [59, web],
    [63, worker],
    [63 - 9 - '-migrate'.length, migrate],
    [52 - '-nightly'.length, nightly],
  ];
  for (const [characters, process] of longest) {
    t.deepEqual(checkClusterNames(called('a'.repeat(characters), process)), [], process.name);
    t.is(checkClusterNames(called('a'.repeat(characters + 1), process)).length, 1, process.name);
  }
});

test('a name that no Service can have is refused for a process with ports alone', (t) => {
  for (const name of ['1shop', 'shop.old']) {
    t.regex(checkClusterNames(called(name, web))[0]?.message ?? '', /beginning with a letter/);
    t.deepEqual(checkClusterNames(called(name, worker)), []);
  }
});

test('what is stored stays changeable, and a process that is new or has its first port is looked at', (t) => {
  const stored = called('a'.repeat(63), web);
  t.deepEqual(checkClusterNames(called('a'.repeat(63), { ...web, replicas: 0 }, worker), stored), []);
  t.is(checkClusterNames(called('a'.repeat(63), web, { ...web, name: 'api' }), stored)[0]?.field, 'spec.processes[1].name');
  t.is(checkClusterNames(called('a'.repeat(63), web), called('a'.repeat(63), { name: 'web', replicas: 1 })).length, 1);
});
