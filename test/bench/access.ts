/** Decisions of roles: 1,000 tenants with ten bindings each, asked by callers in three groups, a third of whom may not. */
import type { AccessRequest, Authorizer } from '@tappaas/sdk';
import { createAccess } from '../../core/dist/access/access.js';
import { roleAuthorizer } from '../../plugins/access-rbac/dist/authorizer.js';
import { defaultRoles } from '../../plugins/access-rbac/dist/default-roles.js';
import { RoleIndex } from '../../plugins/access-rbac/dist/role-index.js';
import type { BenchmarkRow } from './row.ts';

const tenants = 1000;
const bindingsEach = 10;
const group = 'rbac.authorization.k8s.io';
const roleNames = ['tappaas:viewer', 'tappaas:developer', 'tappaas:tenant-admin'];

function filledIndex(): RoleIndex {
  const index = new RoleIndex();
  for (const { name, rules = [] } of defaultRoles) index.setRole(undefined, name, rules);
  for (let tenant = 0; tenant < tenants; tenant += 1) {
    for (let each = 0; each < bindingsEach; each += 1) index.setBinding(binding(tenant, each));
  }
  return index;
}

const binding = (tenant: number, each: number) => ({
  namespace: `tenant-${tenant}`,
  name: `b${each}`,
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: roleNames[each % roleNames.length] ?? '' },
  subjects: [
    { kind: 'Group', name: `team-${tenant}-${each}`, apiGroup: group },
    { kind: 'User', name: `user-${tenant}-${each}`, apiGroup: group },
  ],
});

function questions(): readonly AccessRequest[] {
  const tried = [
    { verb: 'list', resource: { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications' } },
    { verb: 'get', resource: { group: '', version: 'v1', plural: 'secrets', name: 'x' } },
    { verb: 'get', resource: { group: '', version: 'v1', plural: 'pods', subresource: 'log', name: 'x' } },
  ];
  return Array.from({ length: 3000 }, (_, index) => {
    const tenant = (index * 7) % tenants;
    const each = index % bindingsEach;
    const { verb, resource } = tried[index % tried.length] ?? tried[0] ?? { verb: '', resource: { group: '', version: '', plural: '' } };
    const project = `tenant-${tenant}`;
    const groups = ['staff', index % 2 === 0 ? `team-${tenant}-${each}` : 'others', 'system:authenticated'];
    return {
      caller: { name: `user-${tenant}-${each}`, groups },
      engine: 'platform',
      verb,
      project,
      resource: { ...resource, namespace: project },
    };
  });
}

/** Calls a second, the best of several rounds. */
function perSecond(rounds: number, calls: number, call: (n: number) => unknown): number {
  let best = 0;
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now();
    for (let n = 0; n < calls; n += 1) call(n);
    best = Math.max(best, (calls * 1000) / (performance.now() - startMs));
  }
  return best;
}

export async function run({ smoke }: { smoke: boolean }): Promise<BenchmarkRow[]> {
  const [rounds, calls] = smoke ? [2, 10_000] : [7, 500_000];
  const index = filledIndex();
  const tried = questions();
  const [first] = tried;
  if (first === undefined) throw new Error('there is nothing to ask');
  const of = (n: number): AccessRequest => tried[n % tried.length] ?? first;
  const authorizer: Authorizer = roleAuthorizer(index, { problem: undefined });
  const places = {
    now: (_: string, project: string) => ({ project }),
    settled: (_: string, project: string) => ({ project }),
    isSuspended: () => false,
    labels: () => undefined,
    owners: { fields: () => undefined, now: () => undefined, settled: () => Promise.resolve(undefined) },
    spansNamespaces: () => false,
    isShared: () => false,
  };
  const access = createAccess({ authorizers: () => [authorizer], missing: () => [], places });
  const known = new Map(
    tried.map((request) => [request.caller.name + (request.project ?? '') + request.verb + (request.resource?.plural ?? ''), true]),
  );
  const bare = perSecond(rounds, calls, (n) => {
    const { caller, project = '', verb, resource } = of(n);
    return known.get(caller.name + project + verb + (resource?.plural ?? ''));
  });
  const decided = perSecond(rounds, calls, (n) => authorizer.authorize(of(n)));
  const whole = perSecond(rounds, calls, (n) => access.authorize(of(n)));
  const changes = perSecond(rounds, Math.min(calls, 20_000), (n) => index.setBinding(binding(n % tenants, n % bindingsEach)));
  const row = (name: string, value: number, target?: string): BenchmarkRow => ({
    name: `access: ${name}, ${tenants} tenants × ${bindingsEach} bindings`,
    value: Math.round(value),
    unit: '/s',
    peer: `one lookup in a Map by a joined key: ${Math.round(bare).toLocaleString('en')}/s`,
    ratio: value / bare,
    ...(target !== undefined && { target }),
  });
  return [
    row('decisions of roles', decided, '≥ 500,000'),
    row('decisions of the whole stage', whole, '≥ 500,000'),
    row('bindings changed', changes),
  ];
}
