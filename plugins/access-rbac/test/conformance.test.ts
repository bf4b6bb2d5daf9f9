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

const request = (name: string, verb: string, plural: string, namespace: string) => ({
  caller: { name, groups: ['system:authenticated'] },
  engine: 'platform',
  verb,
  resource: { group: '', version: 'v1', plural, namespace },
  project: namespace,
});
const access = () => ({
  plugin: load(accessRbac, {}, { id: 'roles' }),
  objects: [
    { kind: Roles, object: { name: 'reader', namespace: 'default', rules } },
    {
      kind: RoleBindings,
      object: { name: 'readers', namespace: 'default', roleRef: { ...roleRef, kind: 'Role', name: 'reader' }, subjects },
    },
  ],
  questions: [
    { request: request('ann', 'get', 'pods', 'default'), decision: 'allow' as const },
    { request: request('ann', 'delete', 'pods', 'default'), decision: 'no-opinion' as const },
    { request: request('ann', 'get', 'secrets', 'default'), decision: 'no-opinion' as const },
    { request: request('ann', 'get', 'pods', 'other'), decision: 'no-opinion' as const },
    { request: request('joe', 'get', 'pods', 'default'), decision: 'no-opinion' as const },
  ],
});
for (const { title, run } of conformance.authorizer(access)) test(`as an authorizer: ${title}`, (t) => t.notThrowsAsync(run));
