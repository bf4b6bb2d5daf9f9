import type { Caller } from '@tappaas/sdk';
import test from 'ava';
import { assert, constantFrom, option, property, record, uniqueArray } from 'fast-check';
import { excessRights } from '../dist/rights.js';

const joe: Caller = { name: 'joe', groups: ['devs', 'system:authenticated'], tenant: 'acme' };
const admin: Caller = { name: 'admin', groups: ['system:masters'] };
const own = { user: 'joe', groups: ['devs'], tenant: 'acme' };
const fields = (spec: Parameters<typeof excessRights>[0], caller: Caller) => excessRights(spec, caller).map(({ field }) => field);

test('everybody makes tokens for themselves, with groups of their own', (t) => {
  t.deepEqual(fields(own, joe), []);
  t.deepEqual(fields({ ...own, groups: [] }, joe), []);
  t.deepEqual(fields({ ...own, scope: { verbs: ['get'] } }, joe), []);
});

test('nobody but administrators makes tokens for others, with groups of others, or into other tenants', (t) => {
  t.deepEqual(fields({ ...own, user: 'ann' }, joe), ['spec.user']);
  t.deepEqual(fields({ ...own, groups: ['devs', 'ops'] }, joe), ['spec.groups[1]']);
  t.deepEqual(fields({ ...own, tenant: 'other' }, joe), ['spec.tenant']);
  t.deepEqual(fields({ user: 'joe', groups: [] }, joe), ['spec.tenant'], 'a token of no tenant would leave the tenant');
  t.deepEqual(fields({ user: 'ann', groups: ['ops'], tenant: 'other' }, admin), []);
});

test('no token stands for the platform itself, whoever makes it', (t) => {
  for (const caller of [admin, joe]) {
    t.true(fields({ user: 'system:tappaas', groups: [] }, caller).includes('spec.user'));
    t.true(fields({ ...own, groups: ['system:masters'] }, caller).includes('spec.groups[0]'));
    t.true(fields({ ...own, groups: ['system:engine:local'] }, caller).includes('spec.groups[0]'));
  }
});

test('a narrowed credential makes tokens that are at least as narrow, also an administrator’s', (t) => {
  const narrow: Caller = { ...admin, scope: { namespaces: ['shop'], verbs: ['get', 'list'] } };
  t.deepEqual(fields({ user: 'ci', groups: [] }, narrow), ['spec.scope.namespaces', 'spec.scope.verbs']);
  t.deepEqual(fields({ user: 'ci', groups: [], scope: { namespaces: ['shop', 'other'], verbs: ['get'] } }, narrow), [
    'spec.scope.namespaces',
  ]);
  t.deepEqual(fields({ user: 'ci', groups: [], scope: { namespaces: ['shop'], verbs: ['*'] } }, narrow), ['spec.scope.verbs']);
  t.deepEqual(fields({ user: 'ci', groups: [], scope: { namespaces: [], verbs: ['get'] } }, narrow), []);
});

test('whatever is asked for, a token that is allowed has at most the rights of who makes it', (t) => {
  const word = constantFrom('a', 'b', 'c', 'system:masters');
  const words = uniqueArray(word);
  const scope = option(record({ namespaces: words, verbs: words }, { requiredKeys: [] }), { nil: undefined });
  const caller = record({ name: word, groups: words, tenant: option(word, { nil: undefined }), scope });
  const spec = record({ user: word, groups: words, tenant: option(word, { nil: undefined }), scope });
  const isWithin = (inner: readonly string[] | undefined, outer: readonly string[] | undefined) =>
    outer === undefined || (inner !== undefined && inner.every((each) => outer.includes(each)));
  assert(
    property(caller, spec, (who, asked) => {
      if (excessRights(asked, who).length > 0) return true;
      const isAdmin = who.groups.includes('system:masters');
      const isOwn = asked.user === who.name && asked.tenant === who.tenant && isWithin(asked.groups, who.groups);
      const isNarrow = isWithin(asked.scope?.namespaces, who.scope?.namespaces) && isWithin(asked.scope?.verbs, who.scope?.verbs);
      return (isAdmin || isOwn) && isNarrow && !asked.groups.includes('system:masters');
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
