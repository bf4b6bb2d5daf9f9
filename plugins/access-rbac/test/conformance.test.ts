import { conformance, load } from '@tappaas/testing';
import test from 'ava';
import accessRbac from '../dist/index.js';
import { ClusterRoleBindings, ClusterRoles, Namespaces, RoleBindings, Roles } from '../dist/kinds.js';

const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'viewer' };
const subjects = [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }];
const objects = [
  { kind: Namespaces, object: { name: 'team-a', annotations: { 'tappaas.dev/requester': 'ann' } } },
  { kind: Roles, object: { name: 'reader', namespace: 'default', rules } },
  { kind: ClusterRoles, object: { name: 'sum', aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'of-sum' } }] } } },
  { kind: RoleBindings, object: { name: 'readers', namespace: 'default', roleRef, subjects } },
  { kind: ClusterRoleBindings, object: { name: 'readers', roleRef, subjects } },
];

const make = () => ({ plugin: load(accessRbac), objects });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));
