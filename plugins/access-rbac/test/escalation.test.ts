import type { AccessScope, Caller } from '@tappaas/sdk';
import type { Role, RoleBinding } from '@tappaas/sdk/kubernetes';
import test from 'ava';
import { bindingEscalation, roleEscalation } from '../dist/escalation.js';
import { RoleIndex } from '../dist/role-index.js';

const rbac = 'rbac.authorization.k8s.io';
const everything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
const roles = {
  boss: everything,
  reader: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'] }],
  remover: [{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['secrets'] }],
};

/** An index in which tom has the role boss in one namespace, and administrators have it everywhere. */
function world(): RoleIndex {
  const index = new RoleIndex();
  for (const [name, rules] of Object.entries(roles)) index.setRole(undefined, name, rules);
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'boss' };
  index.setBinding({ namespace: 'shop', name: 'boss', roleRef, subjects: [{ kind: 'User', name: 'tom', apiGroup: rbac }] });
  index.setBinding({ namespace: undefined, name: 'all', roleRef, subjects: [{ kind: 'Group', name: 'system:masters', apiGroup: rbac }] });
  return index;
}

const binding = (name: string): RoleBinding => ({
  apiVersion: `${rbac}/v1`,
  kind: 'RoleBinding',
  metadata: { name: 'new', namespace: 'shop' },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
  subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'shop' }],
});

for (const [who, groups] of [
  ['tom', []],
  ['an administrator', ['system:masters']],
] as const) {
  test(`with a credential for some verbs ${who} hands on these alone, and with one that may bind or escalate, all`, (t) => {
    const index = world();
    const may = (name: keyof typeof roles, scope?: AccessScope): boolean => {
      const caller: Caller = { name: who, groups, ...(scope !== undefined && { scope }) };
      const bound = bindingEscalation(index, { caller, object: binding(name) });
      const role: Role = {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata: { name: 'own', namespace: 'shop' },
        rules: [...roles[name]],
      };
      const written = roleEscalation(index, { caller, object: role });
      t.is(bound.length, written.length, name);
      for (const { message } of bound) t.regex(message, /not currently held with a credential for create, get/);
      return bound.length === 0;
    };
    t.true(may('boss'));
    t.true(may('boss', { namespaces: ['shop'] }));
    t.true(may('boss', { verbs: ['*'] }));
    const some = ['create', 'get', 'list'];
    t.true(may('reader', { verbs: some }));
    t.false(may('remover', { verbs: some }));
    t.false(may('boss', { verbs: some }));
    t.true(may('boss', { verbs: [...some, 'bind', 'escalate'] }));
  });
}
