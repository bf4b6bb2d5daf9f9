import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import { Policy } from '../dist/contract.js';
import accessAbac from '../dist/index.js';

const objects = [
  { kind: Policy, object: { name: 'sample', spec: { cedar: 'forbid (principal, action, resource is Path);', mode: 'Enforce' } } },
];
const make = () => ({ plugin: load(accessAbac), objects });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

const request = (name: string, verb: string) => ({
  caller: { name, groups: ['system:authenticated'] },
  engine: 'platform',
  verb,
  resource: { group: '', version: 'v1', plural: 'pods', namespace: 'default', name: 'web' },
  project: 'default',
});
const cedar = 'forbid (principal, action == Action::"delete", resource is Object) when { principal.name == "ann" };';
const access = () => ({
  plugin: load(accessAbac, {}, { id: 'policies' }),
  objects: [{ kind: Policy, object: { name: 'no-deletes', spec: { cedar, mode: 'Enforce', description: 'ann deletes nothing' } } }],
  questions: [
    { request: request('ann', 'delete'), decision: 'deny' as const },
    { request: request('ann', 'get'), decision: 'no-opinion' as const },
    { request: request('joe', 'delete'), decision: 'no-opinion' as const },
  ],
});
for (const { title, run } of conformance.authorizer(access)) test(`as an authorizer: ${title}`, (t) => t.notThrowsAsync(run));
