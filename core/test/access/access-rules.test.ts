import type { AccessSubject, Authorizer } from '@tappaas/sdk';
import test from 'ava';
import { accessRules, subjectsFor } from '../../dist/access/access-rules.js';
import { accessOf } from './access-of.ts';

const owners = new Map([
  ['shop', 'acme'],
  ['theirs', 'rival'],
]);
const placeOf = (_: string, namespace: string) => ({ project: namespace, ...(owners.has(namespace) && { tenant: owners.get(namespace) }) });
const places = {
  now: placeOf,
  settled: placeOf,
  isSuspended: () => false,
  labels: () => undefined,
  owners: { fields: () => undefined, now: () => undefined, settled: () => Promise.resolve(undefined) },
  spansNamespaces: () => false,
  isShared: () => false,
};
const listing: Authorizer = {
  knowsProjects: true,
  authorize: ({ caller, resource, isProjectOnly }) => ({
    decision:
      caller.name === 'boss' ||
      (caller.name === 'lead' && resource?.plural === 'rolebindings') ||
      (resource?.plural === 'pods' && (caller.name === 'here' || (caller.name === 'everywhere' && isProjectOnly !== true)))
        ? 'allow'
        : 'no-opinion',
    reason: '',
  }),
  rules: () => ({ resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], nonResourceRules: [] }),
  subjects: (): readonly AccessSubject[] => [
    { kind: 'User', name: 'here', through: 'a binding', project: 'shop' },
    { kind: 'User', name: 'everywhere', through: 'a binding' },
  ],
};
const sources = (...authorizers: Authorizer[]) => ({
  access: accessOf(authorizers, places),
  authorizers: () => authorizers,
  engine: 'platform',
});
const caller = (name: string, tenant?: string) => ({ name, groups: [], ...(tenant !== undefined && { tenant }) });
const pods = { verb: 'get', resource: { group: '', version: 'v1', plural: 'pods', namespace: 'shop' } };

test('who can is told as far as the asker may list the bindings that give it', async (t) => {
  const reported = async (asker: string) => {
    const { subjects, hidden } = await subjectsFor(sources(listing), caller(asker), pods);
    return [subjects.map(({ name }) => name), hidden];
  };
  t.deepEqual(await reported('boss'), [['system:masters', 'here', 'everywhere'], []]);
  t.deepEqual(await reported('lead'), [['here'], ['clusterrolebindings']]);
  t.deepEqual(await reported('eve'), [[], ['clusterrolebindings', 'rolebindings of shop']]);
});

test('who-can omits subjects that a policy forbids by name or group', async (t) => {
  const denying = (forbids: (caller: { readonly name: string; readonly groups: readonly string[] }) => boolean): Authorizer => ({
    authorize: ({ caller }) => ({ decision: forbids(caller) ? 'deny' : 'no-opinion', reason: 'a policy' }),
    subjects: () => [],
  });
  const reported = async (...policies: Authorizer[]) =>
    (await subjectsFor(sources(listing, ...policies), caller('boss'), pods)).subjects.map(({ name }) => name);
  t.deepEqual(await reported(), ['system:masters', 'here', 'everywhere']);
  t.deepEqual(await reported(denying(({ name }) => name === 'here')), ['system:masters', 'everywhere']);
  t.deepEqual(await reported(denying(({ name, groups }) => name !== 'boss' && groups.includes('system:authenticated'))), [
    'system:masters',
  ]);
});

test('who can is told with the tenant that one has to be of, and without whom the boundary of tenants refuses', async (t) => {
  const account = (namespace: string): AccessSubject => ({
    kind: 'ServiceAccount',
    name: 'ci',
    namespace,
    through: 'a binding',
    project: 'shop',
  });
  const accounts: Authorizer = {
    knowsProjects: true,
    authorize: ({ caller, resource }) => ({
      decision: caller.name.startsWith('system:serviceaccount:') && resource?.plural === 'pods' ? 'allow' : 'no-opinion',
      reason: '',
    }),
    subjects: () => [
      account('shop'),
      account('theirs'),
      account('default'),
      { kind: 'User', name: 'nobody', through: 'what no longer holds' },
    ],
  };
  const reported = async (requested: typeof pods) => {
    const { subjects } = await subjectsFor(sources(listing, accounts), caller('boss'), requested);
    return subjects.map(({ name, namespace, tenant, withoutTenant, ofAnyTenant }) =>
      JSON.parse(JSON.stringify({ name, namespace, tenant, withoutTenant, ofAnyTenant })),
    );
  };
  t.deepEqual(await reported(pods), [
    { name: 'system:masters', ofAnyTenant: true },
    { name: 'here', tenant: 'acme', withoutTenant: true },
    { name: 'everywhere', tenant: 'acme' },
    { name: 'ci', namespace: 'shop', tenant: 'acme' },
    { name: 'ci', namespace: 'default' },
  ]);
  const unowned = { verb: 'get', resource: { ...pods.resource, namespace: 'default' } };
  t.deepEqual(await reported(unowned), [
    { name: 'system:masters', ofAnyTenant: true },
    { name: 'here', withoutTenant: true },
    { name: 'everywhere', withoutTenant: true },
    { name: 'ci', namespace: 'default' },
  ]);
});

test('of subjects without end so many are asked about, others get their turns meanwhile, and how many are left is told', async (t) => {
  const users = (count: number): readonly AccessSubject[] =>
    Array.from({ length: count }, (_, index) => ({ kind: 'User', name: `here-${index}`, through: 'a binding', project: 'shop' }));
  const requested = new Set<string>();
  const many = (count: number): Authorizer => ({
    knowsProjects: true,
    authorize: ({ caller: { name } }) => (requested.add(name), { decision: 'allow', reason: '' }),
    subjects: () => users(count),
  });
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 0);
  t.teardown(() => clearInterval(counting));
  const reported = await subjectsFor(sources(many(1_500)), caller('boss'), pods);
  t.is(reported.subjects.length, 1_000);
  t.is(reported.remaining, 501);
  t.true(requested.has('here-0') && !requested.has('here-1000'));
  t.true(turns > 0);
  const few = await subjectsFor(sources(many(3)), caller('boss'), pods);
  t.deepEqual([few.subjects.length, few.remaining], [4, 0]);
});

test('rules are whole when every authorizer lists them, and say when one does not', async (t) => {
  const whole = await accessRules(sources(listing), caller('ann'), 'shop');
  t.is(whole.incomplete, undefined);
  t.true(whole.resourceRules.some(({ resources }) => resources?.includes('pods')));
  const silent: Authorizer = { authorize: () => ({ decision: 'no-opinion', reason: '' }) };
  t.is((await accessRules(sources(listing, silent), caller('ann'), 'default')).incomplete, 'an authorizer does not list its rules');
});

test('of another’s namespace a tenant is listed nothing but what everybody may', async (t) => {
  const lists = async (tenant: string) => (await accessRules(sources(listing), caller('ann', tenant), 'shop')).resourceRules;
  t.true((await lists('acme')).some(({ resources }) => resources?.includes('pods')));
  t.false((await lists('rival')).some(({ resources }) => resources?.includes('pods')));
});

test('to somebody of no tenant only what a tenant’s namespace itself grants is listed, by who can tell', async (t) => {
  const given: (true | undefined)[] = [];
  const telling: Authorizer = {
    ...listing,
    rules: ({ isProjectOnly }) => (given.push(isProjectOnly), { resourceRules: [], nonResourceRules: [] }),
  };
  const { knowsProjects: _, ...untold } = listing;
  const rules = await accessRules(sources(telling, untold), caller('ann'), 'shop');
  t.false(rules.resourceRules.some(({ resources }) => resources?.includes('pods')));
  await accessRules(sources(telling), caller('ann', 'acme'), 'shop');
  await accessRules(sources(telling), caller('ann'), 'default');
  await accessRules(sources(telling), caller('boss'), 'shop');
  t.deepEqual(given, [true, undefined, undefined, undefined]);
});
