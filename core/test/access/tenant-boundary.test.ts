import type { AccessRequest, Authorizer } from '@tappaas/sdk';
import test from 'ava';
import type { Place, Places } from '../../dist/access/access.js';
import { requested, tenancyDenials } from '../../dist/access/namespace-tenancy.js';
import { accessOf, reviewsOf } from './access-of.ts';

const everything: Authorizer = { authorize: () => ({ decision: 'allow', reason: 'a role allows everything' }) };
/** Allows everything to everybody, but stands nobody above tenants. */
const nearlyEverything: Authorizer = {
  authorize: ({ verb }) => (verb === 'administer' ? { decision: 'no-opinion', reason: '' } : { decision: 'allow', reason: 'a role' }),
};
const ann = { name: 'ann', groups: ['devs'], tenant: 'acme' };
const owners: Readonly<Record<string, Place>> = {
  'platform/shop': { project: 'shop', tenant: 'acme' },
  'platform/other': { project: 'other', tenant: 'rival' },
  'platform/default': { project: 'default' },
  'local/tappaas-shop': { project: 'shop', tenant: 'acme' },
  'local/tappaas-other': { project: 'other', tenant: 'rival' },
};
const places = (later: Readonly<Record<string, Place>> = {}): Places => ({
  now: (engine, namespace) => owners[`${engine}/${namespace}`] ?? {},
  settled: (engine, namespace) => Promise.resolve(later[`${engine}/${namespace}`] ?? owners[`${engine}/${namespace}`] ?? {}),
  isSuspended: (tenant) => tenant === 'late-payer',
  labels: () => undefined,
  owners: { fields: () => undefined, now: () => undefined, settled: () => Promise.resolve(undefined) },
  spansNamespaces: (_, { plural }) => plural !== 'nodes',
  isShared: (engine, { group, plural }) => engine === 'platform' && `${group}/${plural}` === 'acme.example/classes',
});
type Asked = Partial<AccessRequest> & {
  readonly of?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly canNarrow?: boolean;
};
const question = ({ of = '/secrets', namespace, name, ...rest }: Asked) => {
  const [group = '', plural = ''] = of.split('/');
  const resource = { group, version: 'v1', plural, ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }) };
  return { caller: ann, engine: 'platform', verb: 'get', ...(rest.path === undefined && { resource }), ...rest };
};
const decide = async (asked: Asked, authorizer = nearlyEverything, known = places()) =>
  (await accessOf([authorizer], known).authorize(question(asked))).decision;

test('whatever roles say, a tenant has only the namespaces that carry its label', async (t) => {
  t.is(await decide({ namespace: 'shop' }), 'allow');
  for (const namespace of ['other', 'default', 'not-there']) t.is(await decide({ namespace }), 'deny', namespace);
  t.is(await decide({ of: '/namespaces', name: 'shop', verb: 'delete' }), 'allow');
  t.is(await decide({ of: '/namespaces', name: 'other' }), 'deny');
});

test('who may ask about a namespace learns of no other one, of nothing beside namespaces and of nobody of another tenant', async (t) => {
  const access = accessOf([nearlyEverything], places());
  const { localSubjectAccessReview } = reviewsOf(access, [nearlyEverything]);
  const asked = async (attributes: object, extra?: object) => {
    const resourceAttributes = { namespace: 'shop', verb: 'delete', ...attributes };
    return localSubjectAccessReview({ spec: { user: 'bob', ...extra, resourceAttributes } }, { caller: ann, namespace: 'shop' });
  };
  const of = (...tenant: string[]) => ({ extra: { 'tappaas.dev/tenant': tenant } });
  const field = async (run: Promise<unknown>) => (await t.throwsAsync(run, { code: 'TAP_REVIEW_INVALID' }))?.message.split(':')[0];

  t.is(await field(asked({ resource: 'namespaces', name: 'other' }, of('rival'))), 'spec.resourceAttributes.name');
  t.is(await field(asked({ resource: 'namespaces', name: 'other' }, of('acme'))), 'spec.resourceAttributes.name');
  t.is(await field(asked({ resource: 'namespaces' }, of('acme'))), 'spec.resourceAttributes.name');
  t.is(await field(asked({ resource: 'pods' }, of('rival'))), 'spec.extra[tappaas.dev/tenant]');
  t.is(await field(asked({ resource: 'nodes', name: 'one' }, of('acme'))), 'spec.resourceAttributes.resource');
  t.is(
    await field(asked({ group: 'platform.tappaas.dev', version: '*', resource: 'tenants', name: 'rival' })),
    'spec.resourceAttributes.resource',
  );
  t.is(await field(asked({ namespace: 'other', resource: 'pods' }, of('acme'))), 'spec.resourceAttributes.namespace');
  t.like(await asked({ resource: 'pods' }, of('acme')), { status: { allowed: true } });
  t.like(await asked({ resource: 'namespaces', name: 'shop' }, of('acme')), { status: { allowed: true } });
});

test('what is another’s is refused in the same words as what is not there', async (t) => {
  const { authorize } = accessOf([nearlyEverything], places());
  const [other, absent] = await Promise.all(['other', 'not-there'].map(async (namespace) => authorize(question({ namespace }))));
  t.deepEqual(other, absent);
});

test('on the engine of a cluster the namespace counts for which the one there was made', async (t) => {
  t.is(await decide({ engine: 'local', namespace: 'tappaas-shop' }), 'allow');
  t.is(await decide({ engine: 'local', namespace: 'tappaas-other' }), 'deny');
  t.is(await decide({ engine: 'local', namespace: 'shop' }), 'deny');
  t.is(await decide({ engine: 'local', of: '/namespaces', name: 'tappaas-shop', verb: 'update' }), 'deny');
});

test('nothing is seen across namespaces, of the cluster or below paths of the platform', async (t) => {
  t.is(await decide({ verb: 'list' }), 'deny');
  for (const kind of ['/nodes', 'rbac.authorization.k8s.io/clusterrolebindings', 'acme.example/things'])
    t.is(await decide({ of: kind }), 'deny', kind);
  t.is(await decide({ path: '/metrics' }), 'deny');
  t.is(await decide({ path: '/plugins/platform/reload', verb: 'post' }), 'deny');
  t.is(await decide({ path: '/plugins/builds/sources', verb: 'post' }), 'allow');
});

test('what a kind says is the same for all tenants may be read by everybody whom a role lets read it, and written by nobody of a tenant', async (t) => {
  const of = 'acme.example/classes';
  for (const verb of ['get', 'list', 'watch']) t.is(await decide({ of, verb }), 'allow', verb);
  for (const verb of ['create', 'update', 'delete']) t.is(await decide({ of, verb, name: 'small' }), 'deny', verb);
  t.is(await decide({ of, engine: 'local' }), 'deny', 'a kind of the same name on another engine is another kind');
  const nobody: Authorizer = { authorize: () => ({ decision: 'no-opinion', reason: '' }) };
  t.is(await decide({ of }, nobody), 'no-opinion', 'it still takes a role');
});

test('everybody of a tenant may list its namespaces and its Tenant, narrowed to them, where who asks obeys', async (t) => {
  const nobody: Authorizer = { authorize: () => ({ decision: 'no-opinion', reason: '' }) };
  const { authorize } = accessOf([nobody], places());
  t.like(await authorize(question({ of: '/namespaces', verb: 'list', canNarrow: true })), {
    decision: 'allow',
    narrowed: { labelSelector: 'tappaas.dev/tenant=acme' },
  });
  t.like(await authorize(question({ of: 'platform.tappaas.dev/tenants', verb: 'watch', canNarrow: true })), {
    decision: 'allow',
    narrowed: { fieldSelector: 'metadata.name=acme' },
  });
  t.is((await authorize(question({ of: '/namespaces', verb: 'list' }))).decision, 'deny');
  t.is((await authorize(question({ of: '/namespaces', name: 'shop' }))).decision, 'allow');
  t.is((await authorize(question({ of: 'platform.tappaas.dev/tenants', name: 'acme' }))).decision, 'allow');
  t.is((await authorize(question({ of: 'platform.tappaas.dev/tenants', name: 'rival' }))).decision, 'deny');
});

test('who may administer tenants stands above them, and an authorizer that denies still does', async (t) => {
  t.is(await decide({ namespace: 'other' }, everything), 'allow');
  t.is(await decide({ verb: 'list' }, everything), 'allow');
  const denies: Authorizer = { authorize: ({ verb }) => ({ decision: verb === 'administer' ? 'allow' : 'deny', reason: 'a policy' }) };
  t.is(await decide({ namespace: 'other' }, denies), 'deny');
});

test('a namespace that was made a moment ago is looked for before its owner is refused', async (t) => {
  t.is(await decide({ namespace: 'new' }, nearlyEverything, places({ 'platform/new': { project: 'new', tenant: 'acme' } })), 'allow');
});

/** Of no tenant; everywhere a role lets them do everything but oversee tenants, in the namespace `shop` another one lets them read. */
const tam = { name: 'tam', groups: [] };
const everywhere: Authorizer = {
  knowsProjects: true,
  authorize: ({ verb, project, isProjectOnly }) => {
    const isGranted = isProjectOnly === true ? project === 'shop' && verb === 'get' : verb !== 'administer' && verb !== 'oversee';
    return isGranted ? { decision: 'allow', reason: 'a role' } : { decision: 'no-opinion', reason: '' };
  },
};

test('whose credential names no tenant gets nothing of any tenant from what roles give everywhere', async (t) => {
  const may = async (asked: Asked, authorizer = everywhere) => (await decide({ caller: tam, ...asked }, authorizer)) === 'allow';
  t.true(await may({ namespace: 'default', verb: 'update' }), 'what is no tenant’s is for roles to say');
  t.false(await may({ namespace: 'other' }));
  t.false(await may({ namespace: 'shop', verb: 'update' }));
  t.true(await may({ namespace: 'shop' }), 'what the namespace itself grants counts');
  t.false(await may({ engine: 'local', namespace: 'tappaas-other' }));
  t.false(await may({ namespace: 'tappaas-system' }), 'what is the platform’s own is nobody’s');
  for (const verb of ['list', 'watch', 'get', 'deletecollection']) t.false(await may({ verb }), verb);
  t.false(await may({ of: '/namespaces', name: 'other' }));
  t.false(await may({ of: '/namespaces', name: 'other', verb: 'delete' }));
  t.true(await may({ of: '/namespaces', verb: 'create' }));
  t.true(await may({ of: '/nodes', verb: 'list' }), 'what lies in no namespace is for roles to say');
  t.true(await may({ of: '/users', name: 'joe', verb: 'impersonate' }));
});

test('a namespace that has become a tenant’s a moment ago is looked for before somebody of no tenant is let in, and before they are refused', async (t) => {
  const later = places({
    'platform/new': { project: 'new', tenant: 'acme' },
    'platform/default': { project: 'default', tenant: 'acme' },
    'platform/other': { project: 'other' },
    'local/tappaas-shop': { project: 'shop' },
  });
  const may = async (asked: Asked) => (await decide({ caller: tam, ...asked }, everywhere, later)) === 'allow';
  t.false(await may({ namespace: 'new' }), 'made for a tenant');
  t.false(await may({ namespace: 'default', verb: 'update' }), 'given to a tenant');
  t.false(await may({ of: '/namespaces', name: 'default', verb: 'delete' }));
  t.true(await may({ namespace: 'other' }), 'given up by a tenant');
  t.true(await may({ engine: 'local', namespace: 'tappaas-shop', verb: 'update' }));
  const { isProjectOnly } = accessOf([everywhere], later);
  const only = async (namespace: string) => isProjectOnly({ caller: tam, engine: 'platform', namespace });
  t.deepEqual([await only('new'), await only('default'), await only('other')], [true, true, false]);
});

test('of namespaces, somebody of no tenant is shown those of no tenant, where a role lets them look', async (t) => {
  const { authorize } = accessOf([everywhere], places());
  const asked = { caller: tam, of: '/namespaces', verb: 'list' };
  t.like(await authorize(question({ ...asked, canNarrow: true })), {
    decision: 'allow',
    narrowed: { labelSelector: '!tappaas.dev/tenant' },
  });
  t.not((await authorize(question(asked))).decision, 'allow');
  t.not((await authorize(question({ ...asked, engine: 'local', canNarrow: true }))).decision, 'allow');
  const nobody: Authorizer = { authorize: () => ({ decision: 'no-opinion', reason: '' }) };
  t.not((await accessOf([nobody], places()).authorize(question({ ...asked, canNarrow: true }))).decision, 'allow');
});

test('who may oversee tenants has what roles give in all of them, and a reason names that right to who has not', async (t) => {
  const overseer: Authorizer = {
    authorize: ({ verb }) => ({ decision: verb === 'get' || verb === 'oversee' ? 'allow' : 'no-opinion', reason: '' }),
  };
  t.is(await decide({ caller: tam, namespace: 'other' }, overseer), 'allow');
  t.is(await decide({ caller: tam }, overseer), 'allow');
  t.is(await decide({ caller: tam, namespace: 'other', verb: 'update' }, overseer), 'no-opinion');
  t.is(await decide({ namespace: 'other' }, overseer), 'deny', 'somebody of a tenant stays within it');
  const { reason } = await accessOf([everywhere], places()).authorize(question({ caller: tam, namespace: 'other' }));
  t.regex(reason, /caller is of no tenant: it takes a role that may oversee tenants/);
});

test('an authorizer that cannot tell projects apart allows nobody of no tenant anything of a tenant, and still denies', async (t) => {
  t.is(await decide({ caller: tam, namespace: 'shop' }, nearlyEverything), 'allow', 'it lets them oversee');
  const { knowsProjects: _, ...untold } = everywhere;
  t.is(await decide({ caller: tam, namespace: 'shop' }, untold), 'no-opinion');
  const slowly: Authorizer = { authorize: async (request) => untold.authorize(request) };
  t.is(await decide({ caller: tam, namespace: 'shop' }, slowly), 'no-opinion');
  const denies: Authorizer = { authorize: ({ verb }) => ({ decision: verb === 'oversee' ? 'no-opinion' : 'deny', reason: 'a policy' }) };
  t.is(await decide({ caller: tam, namespace: 'shop' }, denies), 'deny');
});

test('a suspended tenant reads only', async (t) => {
  const caller = { ...ann, tenant: 'late-payer' };
  const known = places({ 'platform/x': { project: 'x', tenant: 'late-payer' } });
  t.is(await decide({ caller, namespace: 'x' }, nearlyEverything, known), 'allow');
  t.is(await decide({ caller, namespace: 'x', verb: 'create' }, nearlyEverything, known), 'deny');
  t.is(await decide({ caller: tam, namespace: 'x', verb: 'create' }, everywhere, known), 'deny', 'so does who is of none');
});

test('a namespace that a tenant makes is the tenant’s, and remembers who made it', (t) => {
  const made = requested({ metadata: { name: 'new' } }, ann);
  t.deepEqual(made.metadata, {
    name: 'new',
    labels: { 'tappaas.dev/tenant': 'acme' },
    annotations: { 'tappaas.dev/requester': 'ann' },
  });
  t.deepEqual(tenancyDenials(made, undefined, ann), []);
});

test('nobody but administrators gives a namespace to another tenant, takes it away, or says for whom it was made', (t) => {
  const own = requested({ metadata: { name: 'new' } }, ann);
  const labelled = (labels: Record<string, string>) => ({ metadata: { ...own.metadata, labels } });
  const fields = (denials: readonly { field: string }[]) => denials.map(({ field }) => field);
  t.deepEqual(fields(tenancyDenials(labelled({ 'tappaas.dev/tenant': 'rival' }), own, ann)), ['metadata.labels[tappaas.dev/tenant]']);
  t.deepEqual(fields(tenancyDenials(labelled({}), own, ann)), ['metadata.labels[tappaas.dev/tenant]']);
  t.deepEqual(fields(tenancyDenials(requested(labelled({ 'tappaas.dev/tenant': 'rival' }), ann), undefined, ann)), [
    'metadata.labels[tappaas.dev/tenant]',
  ]);
  const renamed = { metadata: { ...own.metadata, annotations: { 'tappaas.dev/requester': 'eve' } } };
  t.deepEqual(fields(tenancyDenials(renamed, own, ann)), ['metadata.annotations[tappaas.dev/requester]']);
  const bound = { metadata: { ...own.metadata, annotations: { 'tappaas.dev/requester': 'ann', 'tappaas.dev/requester-bound': 'true' } } };
  for (const [now, before] of [
    [own, bound],
    [bound, own],
    [bound, undefined],
  ] as const)
    t.deepEqual(fields(tenancyDenials(now, before, ann)), ['metadata.annotations[tappaas.dev/requester-bound]']);
  t.deepEqual(requested(bound, ann), own);
  t.deepEqual(tenancyDenials(labelled({ 'tappaas.dev/tenant': 'acme', team: 'a' }), own, ann), []);
});
