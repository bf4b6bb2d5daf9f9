import test from 'ava';
import type { Kernel } from '../../dist/kernel/kernel.js';
import { asRequested, type Served } from '../../dist/platform/access/question.js';

const deployments = { group: 'apps', plural: 'deployments' };
const kernel = { registrations: () => ({ routes: [] }) } as unknown as Kernel;
const kinds = () => [
  { ...deployments, group: 'else', version: 'v3' },
  { ...deployments, version: 'v2' },
  { ...deployments, version: 'v1' },
];
const engine = (name: string) => (name === 'local' ? { kinds } : undefined);
const served = { kernel, engine } as unknown as Served;

test('a question that names no version is about one that is served, so that it finds the object that a request would find', (t) => {
  const versionOf = (version: string, { name = 'local', ...kind } = deployments as { group: string; plural: string; name?: string }) => {
    const question = { engine: name, verb: 'get', resource: { ...kind, version, namespace: 'a', name: 'x' } };
    const { resource, ...rest } = asRequested(question, served);
    t.deepEqual<unknown, unknown>({ ...rest, resource: { ...resource, version } }, question);
    return resource.version;
  };
  for (const version of ['', '*']) {
    t.is(versionOf(version), 'v2');
    t.is(versionOf(version, { ...deployments, plural: 'nothing' }), '');
    t.is(versionOf(version, { ...deployments, name: 'none' }), '');
  }
  for (const version of ['v1', 'v9']) t.is(versionOf(version), version);
});
