import type { PolicyRule, RoleRef, Subject } from '@tappaas/sdk/kubernetes';
import test from 'ava';
import * as fc from 'fast-check';
import { roleAuthorizer } from '../dist/authorizer.js';
import { RoleIndex } from '../dist/role-index.js';
import { CompiledRules } from '../dist/rule.js';
import { slowlyAllowed, type BindingObject, type RoleObject } from './slow-rbac.ts';

const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1, maxLength: 3 });
const verbs = ['get', 'list', 'create', '*'];
const groups = ['', 'apps', '*'];
const resources = ['pods', 'pods/log', 'scales', '*/scale', 'deployments', 'deployments/scale', '*'];
const names = ['a', 'b'];
const projects = ['red', 'blue'];
const urls = ['/metrics', '/plugins/*', '/plugins/a', '*', '/m*'];

const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({ verbs: some(verbs), apiGroups: some(groups), resources: some(resources), resourceNames: fc.subarray(names) }),
  fc.record({ verbs: some(verbs), nonResourceURLs: some(urls) }),
);
const namespace = fc.option(fc.constantFrom(...projects), { nil: undefined });
const inPlace = (place: string | undefined) => (place === undefined ? {} : { namespace: place });
const role: fc.Arbitrary<RoleObject> = fc
  .record({ at: namespace, name: fc.constantFrom('r1', 'r2'), rules: fc.array(rule, { maxLength: 3 }) })
  .map(({ at, ...rest }) => ({ ...rest, ...inPlace(at) }));
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({ kind: fc.constant('User'), name: fc.constantFrom('ann', 'system:serviceaccount:red:bot') }),
  fc.record({ kind: fc.constant('Group'), name: fc.constantFrom('devs', 'ops') }),
  fc.record({ kind: fc.constant('ServiceAccount'), name: fc.constant('bot'), namespace: fc.constantFrom(...projects) }),
);
const roleRef: fc.Arbitrary<RoleRef> = fc.record({
  apiGroup: fc.constant('rbac.authorization.k8s.io'),
  kind: fc.constantFrom('Role', 'ClusterRole'),
  name: fc.constantFrom('r1', 'r2', 'absent'),
});
const binding: fc.Arbitrary<BindingObject> = fc
  .record({ at: namespace, name: fc.constantFrom('b1', 'b2', 'b3'), roleRef, subjects: fc.array(subject, { maxLength: 3 }) })
  .map(({ at, ...rest }) => ({ ...rest, ...inPlace(at), ...(at === undefined && { roleRef: { ...rest.roleRef, kind: 'ClusterRole' } }) }));
const step = fc.oneof(
  role.map((value) => ({ role: value, gone: false })),
  role.map((value) => ({ role: value, gone: true })),
  binding.map((value) => ({ binding: value, gone: false })),
  binding.map((value) => ({ binding: value, gone: true })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const caller = fc.record({
  name: fc.constantFrom('ann', 'eve', 'system:serviceaccount:red:bot', 'system:serviceaccount:blue:bot'),
  groups: fc.subarray(['devs', 'ops', 'others']),
});
const question = fc.oneof(
  fc
    .record({
      caller,
      verb: fc.constantFrom('get', 'list', 'create', 'delete'),
      project: namespace,
      group: fc.constantFrom('', 'apps', 'batch'),
      plural: fc.constantFrom('pods', 'scales', 'deployments', 'jobs'),
      subresource: fc.option(fc.constantFrom('log', 'scale'), { nil: undefined }),
      name: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    })
    .map(({ caller: who, verb, project, group, plural, subresource, name }) => ({
      caller: who,
      verb,
      ...(project !== undefined && { project }),
      resource: { group, version: 'v1', plural, ...(subresource !== undefined && { subresource }), ...(name !== undefined && { name }) },
    })),
  fc.record({ caller, verb: fc.constantFrom('get', 'list'), path: fc.constantFrom('/metrics', '/plugins/a', '/plugins/b/c', '/x', '/m') }),
);

/** Keeps the index and the inputs of the slow reference decision in sync. */
class Indexed {
  readonly index = new RoleIndex();
  readonly #roles = new Map<string, RoleObject>();
  readonly #bindings = new Map<string, BindingObject>();

  get world() {
    return { roles: [...this.#roles.values()], bindings: [...this.#bindings.values()] };
  }

  take(each: Step): void {
    const { namespace: at, name } = 'role' in each ? each.role : each.binding;
    const key = `${at ?? ''}/${name}`;
    if ('role' in each) {
      if (each.gone) this.index.removeRole(at, name);
      else this.index.setRole(at, name, each.role.rules);
      if (each.gone) this.#roles.delete(key);
      else this.#roles.set(key, each.role);
    } else {
      if (each.gone) this.index.removeBinding(at, name);
      else this.index.setBinding({ ...each.binding, namespace: at });
      if (each.gone) this.#bindings.delete(key);
      else this.#bindings.set(key, each.binding);
    }
  }
}

test('whatever roles and bindings come, change and go, the index decides as the rules say', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.array(question, { minLength: 5, maxLength: 20 }), (steps, questions) => {
      const indexed = new Indexed();
      for (const each of steps) indexed.take(each);
      const { index, world } = indexed;
      for (const request of questions) {
        const expected = slowlyAllowed(world, request);
        if ((index.decide(request).decision === 'allow') !== expected) return false;
        const subjects = index
          .subjects(request)
          .map(({ kind, name, namespace: home }) => (kind === 'ServiceAccount' ? `system:serviceaccount:${home}:${name}` : name));
        if (subjects.some((name) => name === request.caller.name || request.caller.groups.includes(name)) !== expected) return false;
      }
      return true;
    }),
    { numRuns: 1500 },
  );
  t.pass();
});

test('as long as the index is at the same revision, it decides as before', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.array(question, { minLength: 5, maxLength: 20 }), (steps, questions) => {
      const indexed = new Indexed();
      const answers = () => questions.map((request) => indexed.index.decide(request));
      for (const each of steps) {
        const [revision, before] = [indexed.index.revision, answers()];
        indexed.take(each);
        if (indexed.index.revision === revision) t.deepEqual(answers(), before);
      }
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('answers hold for nobody while the roles are not known', (t) => {
  const followed = { problem: undefined as string | undefined };
  const index = new RoleIndex();
  const authorizer = roleAuthorizer(index, followed);
  t.is(authorizer.revision, index.revision);
  followed.problem = 'Role objects: they are not known';
  t.is(authorizer.revision, undefined);
});

const developer = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const bind = (name: string, at: string, user: string, role = 'developer') => ({
  namespace: at,
  name,
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'User', name: user }],
});
const pods = (name: string, project: string) => ({
  caller: { name, groups: [] },
  verb: 'get',
  project,
  resource: { group: '', version: 'v1', plural: 'pods' },
});

test('a changed binding compiles nothing, and a changed role itself alone', (t) => {
  let compiled = 0;
  const index = new RoleIndex((rules) => {
    compiled += 1;
    return new CompiledRules(rules);
  });
  index.setRole(undefined, 'developer', developer);
  for (let tenant = 0; tenant < 1000; tenant += 1) {
    for (let each = 0; each < 10; each += 1) index.setBinding(bind(`b${each}`, `tenant-${tenant}`, `user-${tenant}-${each}`));
  }
  t.is(compiled, 1);
  index.setBinding(bind('b0', 'tenant-7', 'somebody'));
  t.is(compiled, 1);
  t.is(index.decide(pods('somebody', 'tenant-7')).decision, 'allow');
  t.is(index.decide(pods('user-7-0', 'tenant-7')).decision, 'no-opinion');
  index.setRole(undefined, 'developer', []);
  t.is(compiled, 2);
  t.is(index.decide(pods('somebody', 'tenant-7')).decision, 'no-opinion');
});

test('who is allowed is told through which binding, and a role that comes after its binding counts', (t) => {
  const index = new RoleIndex();
  index.setBinding(bind('devs', 'red', 'ann'));
  t.is(index.decide(pods('ann', 'red')).decision, 'no-opinion');
  index.setRole(undefined, 'developer', developer);
  t.deepEqual(index.decide(pods('ann', 'red')), {
    decision: 'allow',
    reason: 'RBAC: allowed by RoleBinding "red/devs" of ClusterRole "developer" to User "ann"',
  });
});

test('a path of many stars is compiled in the time that its length takes', (t) => {
  const before = process.threadCpuUsage();
  const rules = new CompiledRules([{ verbs: ['get'], nonResourceURLs: [`${'*'.repeat(100_000)}x**`] }]);
  const { user } = process.threadCpuUsage(before);
  t.true(user < 1_000_000, `${user} µs`);
  t.truthy(rules);
});
