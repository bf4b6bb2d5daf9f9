import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import { Quota } from '../dist/contract.js';
import admissionQuota from '../dist/index.js';
import { ConfigMaps, RoleBindings, Roles } from '../dist/usage.js';

const objects = [
  { kind: Quota, object: { name: 'shop', spec: { of: { namespace: 'default' }, limits: { configMaps: 3 } } } },
  { kind: ConfigMaps, object: { name: 'one', namespace: 'default', data: { a: '1' } } },
  { kind: Roles, object: { name: 'one', namespace: 'default', rules: [] } },
  {
    kind: RoleBindings,
    object: { name: 'one', namespace: 'default', roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'one' } },
  },
];

const make = () => ({ plugin: load(admissionQuota), objects });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));
