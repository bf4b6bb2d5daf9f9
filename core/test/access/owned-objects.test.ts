import type { Authorizer } from '@tappaas/sdk';
import test from 'ava';
import type { Places } from '../../dist/access/access.js';
import type { Owner } from '../../dist/access/owned-objects.js';
import { accessOf, nowhere } from './access-of.ts';

const ann = { name: 'ann', groups: [], tenant: 'acme' };
const stored: Readonly<Record<string, Owner>> = {
  anns: { user: 'ann', tenant: 'acme' },
  bobs: { user: 'bob', tenant: 'acme' },
  'anns-elsewhere': { user: 'ann', tenant: 'rival' },
  'anns-of-none': { user: 'ann' },
};
const isToken = ({ plural }: { readonly plural: string }): boolean => plural === 'apitokens';
const places = (known = stored): Places => ({
  ...nowhere,
  isSuspended: (tenant) => tenant === 'late-payer',
  owners: {
    fields: (_, resource) => (isToken(resource) ? { user: 'spec.user', tenant: 'spec.tenant' } : undefined),
    now: (_, { name = '' }) => known[name],
    settled: (_, { name = '' }) => Promise.resolve(stored[name]),
  },
});
/** Everybody has every verb; `lead` looks after the kind, `boss` administers the platform, and auditors oversee tenants. */
const roles: Authorizer = {
  knowsProjects: true,
  authorize: ({ caller: { name }, verb, resource }) => {
    if (resource?.plural === 'tenants') {
      const isGranted = name === 'boss' || (name === 'auditor' && verb === 'oversee');
      return { decision: isGranted ? 'allow' : 'no-opinion', reason: '' };
    }
    return { decision: verb !== 'administer' || name === 'lead' || name === 'boss' ? 'allow' : 'no-opinion', reason: 'a role' };
  },
};
const ask = async (verb: string, more: object = {}, known = places(), authorizer = roles) => {
  const { caller = ann, canNarrow, ...rest } = more as { caller?: typeof ann; canNarrow?: boolean; name?: string };
  const resource = { group: 'identity.tappaas.dev', version: 'v1alpha1', plural: 'apitokens', ...rest };
  return accessOf([authorizer], known).authorize({ caller, engine: 'platform', verb, resource, ...(canNarrow && { canNarrow }) });
};
const may = async (...requested: Parameters<typeof ask>) => (await ask(...requested)).decision === 'allow';
const narrowedTo = async (caller: object) => {
  const verdict = await ask('list', { caller, canNarrow: true });
  return 'narrowed' in verdict ? verdict.narrowed : verdict.decision;
};

test('what roles allow holds for one’s own objects, of one’s own tenant', async (t) => {
  for (const verb of ['get', 'update', 'delete']) {
    t.true(await may(verb, { name: 'anns' }), verb);
    for (const name of ['bobs', 'anns-elsewhere', 'anns-of-none', 'absent']) t.false(await may(verb, { name }), `${verb} ${name}`);
  }
  t.true(await may('create'), 'whose it will be is for admission to say');
  t.true(await may('create', { name: 'anns', subresource: 'issue' }));
  t.false(await may('create', { name: 'bobs', subresource: 'issue' }));
  const withoutTenant = { name: 'ann', groups: [] };
  t.true(await may('get', { caller: withoutTenant, name: 'anns-of-none' }));
  t.false(await may('get', { caller: withoutTenant, name: 'anns' }));
});

test('what is another’s is refused in the same words as what is not there', async (t) => {
  t.deepEqual(await ask('get', { name: 'bobs' }), await ask('get', { name: 'absent' }));
});

test('lists are narrowed to one’s own, where who asks obeys, and what selectors give a meaning to stands for itself', async (t) => {
  t.deepEqual(await narrowedTo(ann), { fieldSelector: 'spec.user=ann,spec.tenant=acme' });
  t.deepEqual(await narrowedTo({ name: 'CN=a,O=b\\', groups: [] }), { fieldSelector: 'spec.user=CN\\=a\\,O\\=b\\\\,spec.tenant=' });
  t.false(await may('list'));
  t.false(await may('deletecollection', { canNarrow: true }));
});

test('who may administer the kind has those of the tenant, an administrator of the platform all, and an overseer none of others', async (t) => {
  const lead = { name: 'lead', groups: [], tenant: 'acme' };
  t.deepEqual(await narrowedTo(lead), { fieldSelector: 'spec.tenant=acme' });
  t.true(await may('delete', { caller: lead, name: 'bobs' }));
  t.false(await may('delete', { caller: lead, name: 'anns-elsewhere' }));
  t.deepEqual(
    await narrowedTo({ name: 'lead', groups: [] }),
    { fieldSelector: 'spec.user=lead,spec.tenant=' },
    'a missing tenant gives no more',
  );
  const boss = { name: 'boss', groups: [] };
  t.is(await narrowedTo(boss), 'allow');
  t.true(await may('delete', { caller: boss, name: 'anns-elsewhere' }));
  t.false(await may('delete', { caller: { name: 'auditor', groups: [] }, name: 'bobs' }));
});

test('an object that was made a moment ago is looked for before its owner is refused', async (t) => {
  t.true(await may('get', { name: 'anns' }, places({})));
});

test('whom no role allows, and a suspended tenant that writes, is refused', async (t) => {
  const nobody: Authorizer = { authorize: () => ({ decision: 'no-opinion', reason: '' }) };
  t.false(await may('get', { name: 'anns' }, places(), nobody));
  const late = { ...ann, tenant: 'late-payer' };
  t.false(await may('create', { caller: late }));
  t.true((await narrowedTo(late)) !== 'deny');
});

test('what is a whole tenant’s is read by everybody of it without a role, written by nobody of it, and forbidden by what denies', async (t) => {
  const stored: Readonly<Record<string, Owner>> = { ours: { user: '', tenant: 'acme' }, others: { user: '', tenant: 'rival' } };
  const shared: Places = {
    ...nowhere,
    owners: {
      fields: () => ({ tenant: 'spec.of.tenant' }),
      now: (_, { name = '' }) => stored[name],
      settled: (_, { name = '' }) => Promise.resolve(stored[name]),
    },
  };
  const saying = (decision: 'no-opinion' | 'deny'): Authorizer => ({ authorize: () => ({ decision, reason: '' }) });
  const silent = saying('no-opinion');
  t.true(await may('get', { name: 'ours' }, shared, silent));
  for (const name of ['theirs', 'absent']) t.false(await may('get', { name }, shared, silent), name);
  t.like(await ask('list', { canNarrow: true }, shared, silent), { decision: 'allow', narrowed: { fieldSelector: 'spec.of.tenant=acme' } });
  t.false(await may('list', {}, shared, silent));
  for (const verb of ['update', 'patch', 'delete']) t.false(await may(verb, { name: 'ours' }, shared, silent), verb);
  t.false(await may('get', { name: 'ours' }, shared, saying('deny')));
  t.false(await may('get', { name: 'ours', caller: { name: 'tam', groups: [] } }, shared, silent), 'who is of no tenant');
});
