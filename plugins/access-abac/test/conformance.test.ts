import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import { Policy } from '../dist/contract.js';
import accessAbac from '../dist/index.js';

const objects = [
  { kind: Policy, object: { name: 'sample', spec: { cedar: 'forbid (principal, action, resource is Path);', mode: 'Enforce' } } },
];
const make = () => ({ plugin: load(accessAbac), objects });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));
