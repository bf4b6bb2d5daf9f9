import test from 'ava';
import { assert, constantFrom, property, string, webUrl } from 'fast-check';
import { checkWriter } from '../dist/admission.js';
import { localPath } from '../dist/browser-login.js';
import { callerOf } from '../dist/claims.js';
import { cookieValue, isOfThisSite, sessionCookie } from '../dist/cookies.js';

const claims = {
  user: 'email',
  acceptUnverifiedEmail: false,
  userPrefix: 'corp:',
  groups: 'realm.roles',
  groupsPrefix: 'corp:',
  tenant: '',
  groupsWithoutTenant: [],
};
const corp = { name: 'corp', claims };

test('after a log-in a browser is led to a path of this host, whatever was asked for', (t) => {
  for (const away of ['//evil.example', '/\\evil.example', 'https://evil.example', '/a\\b', '/a b', '/\t/evil', '', `/${'a'.repeat(3000)}`])
    t.is(localPath(away), undefined, away);
  t.is(localPath('/plugins/oidc/session?a=b'), '/plugins/oidc/session?a=b');
  const hostile = string({ unit: constantFrom('/', '\\', 'e', '.', ':', '@', '%2f', '\n', '?', '#') });
  assert(
    property(hostile, (text) => {
      const path = localPath(text);
      return path === undefined || new URL(path, 'https://here.example').origin === 'https://here.example';
    }),
    { numRuns: 5000 },
  );
  assert(property(webUrl(), (url) => localPath(url) === undefined));
});

test('a cookie counts when a page of this host sends it, or a person goes there', (t) => {
  t.true(isOfThisSite({ 'sec-fetch-site': 'same-origin' }));
  t.true(isOfThisSite({ 'sec-fetch-site': 'none' }));
  t.true(isOfThisSite({ origin: 'https://paas.example', host: 'paas.example' }));
  t.false(isOfThisSite({ 'sec-fetch-site': 'same-site' }), 'another port or subdomain');
  t.false(isOfThisSite({ 'sec-fetch-site': 'cross-site', origin: 'https://paas.example', host: 'paas.example' }));
  t.false(isOfThisSite({ origin: 'http://paas.example', host: 'paas.example' }));
  t.false(isOfThisSite({ origin: 'null', host: 'paas.example' }));
  t.false(isOfThisSite({}), 'who does not say where from');
});

test('a cookie that is there twice is none: nobody can shadow it', (t) => {
  t.is(cookieValue(`a=1; ${sessionCookie}=x; b=2`, sessionCookie), 'x');
  t.is(cookieValue(`${sessionCookie}=x; ${sessionCookie}=y`, sessionCookie), undefined);
  t.is(cookieValue(`not${sessionCookie}=x`, sessionCookie), undefined);
  t.is(cookieValue(undefined, sessionCookie), undefined);
});

test('claims say who somebody is: names and groups with their prefixes, a path leads into objects', (t) => {
  const tokenClaims = { sub: '1', email: 'ann@example.com', email_verified: true, realm: { roles: ['dev', 7, '', 'ops'] } };
  t.deepEqual(callerOf(tokenClaims, corp), { name: 'corp:ann@example.com', groups: ['corp:dev', 'corp:ops'] });
});

test('who is in more groups than a caller may have, or in one with too long a name, is refused instead of being in fewer', (t) => {
  const tokenClaims = (roles: readonly string[]) => ({ email: 'ann@example.com', email_verified: true, realm: { roles } });
  const many = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);
  t.is(callerOf(tokenClaims(many(256)), corp).groups.length, 256);
  t.throws(() => callerOf(tokenClaims(many(257)), corp), {
    code: 'IDENTITY_OIDC_CLAIM_MISSING',
    message: 'provider corp: claim "realm.roles": expected at most 256 groups, found 257',
  });
  t.is(callerOf(tokenClaims(['g'.repeat(251)]), corp).groups.length, 1);
  t.throws(() => callerOf(tokenClaims(['g'.repeat(252)]), corp), {
    message: /expected groups of at most 251 characters, found one of 252/,
  });
  t.throws(() => callerOf({ email: 'a'.repeat(252), email_verified: true }, corp), { message: /expected a text of 1 to 251 characters/ });
});

test('who the provider does not name, or whose address nobody has proven, is nobody', (t) => {
  for (const tokenClaims of [{}, { email: '' }, { email: 7 }, { email: 'a'.repeat(300) }])
    t.throws(() => callerOf({ ...tokenClaims, email_verified: true }, corp), { code: 'IDENTITY_OIDC_CLAIM_MISSING' });
  const email = 'ann@example.com';
  for (const verified of [false, 'false', 0, 1, null, '', 'TRUE', {}, undefined])
    t.throws(() => callerOf({ email, email_verified: verified }, corp), { code: 'IDENTITY_OIDC_CLAIM_MISSING' }, JSON.stringify(verified));
  t.throws(() => callerOf({ email }, corp), { message: 'provider corp: claim "email_verified": expected true' });
  for (const verified of [true, 'true']) t.is(callerOf({ email, email_verified: verified }, corp).name, 'corp:ann@example.com');
  const trusting = { ...corp, claims: { ...claims, acceptUnverifiedEmail: true } };
  t.is(callerOf({ email }, trusting).name, 'corp:ann@example.com', 'an operator may say so');
  t.is(callerOf({ sub: '1' }, { ...corp, claims: { ...claims, user: 'sub' } }).name, 'corp:1', 'other claims are the provider’s own');
  t.throws(() => callerOf({ email: 'a@b.example', email_verified: true }, { ...corp, claims: { ...claims, tenant: 'org' } }), {
    code: 'IDENTITY_OIDC_CLAIM_MISSING',
  });
});

test('a tenant is a name that a label may have: nothing that a selector would read otherwise', (t) => {
  const mapped = { ...corp, claims: { ...claims, tenant: 'org' } };
  t.is(callerOf({ email: 'a@b.example', email_verified: true, org: 'acme' }, mapped).tenant, 'acme');
  for (const org of ['=acme', 'acme,rival', 'acme ', '', '-acme', 'a'.repeat(64), 'acme\n', ['acme'], null])
    t.throws(
      () => callerOf({ email: 'a@b.example', email_verified: true, org }, mapped),
      { code: 'IDENTITY_OIDC_CLAIM_MISSING' },
      JSON.stringify(org),
    );
});

test('who is of no tenant is let in when a group of theirs says so; a claim that is only missing lets nobody out of a tenant', (t) => {
  const mapped = { ...corp, claims: { ...claims, tenant: 'org', groupsWithoutTenant: ['admins'] } };
  const tokenClaims = (roles: readonly string[], org?: unknown) =>
    callerOf({ email: 'a@b.example', email_verified: true, realm: { roles }, ...(org !== undefined && { org }) }, mapped);
  t.deepEqual(tokenClaims(['admins']), { name: 'corp:a@b.example', groups: ['corp:admins'] });
  t.is(tokenClaims(['admins'], 'acme').tenant, 'acme', 'the claim counts where there is one');
  const expected = 'provider corp: claim "org": expected the name of a tenant, as a label may say it; found';
  for (const roles of [[], ['devs'], ['corp:admins']])
    t.throws(() => tokenClaims(roles), { message: `${expected} none, and no group of those in groupsWithoutTenant` });
  for (const org of ['', null, ['acme'], '-acme'])
    t.throws(() => tokenClaims(['admins'], org), { message: `${expected} what cannot be one` });
});

test('a session is written by the platform, and by administrators, who can be anybody as it is; others can take nothing but it away', (t) => {
  const spec = { user: 'ann', groups: ['devs'] };
  const asked = (name: string, groups: readonly string[], previous?: object) => {
    const request = { object: { spec }, previous: previous && { spec: previous }, caller: { name, groups } };
    return checkWriter(request as unknown as Parameters<typeof checkWriter>[0]).map(({ reason }) => reason);
  };
  t.deepEqual(asked('joe', ['everything-in-identity']), ['WrittenByPlatform']);
  t.deepEqual(asked('joe', [], { ...spec, groups: [] }), ['WrittenByPlatform']);
  t.deepEqual(asked('joe', [], { ...spec }), [], 'a label says nothing of anybody');
  t.deepEqual(asked('system:plugin:oidc', []), ['WrittenByPlatform'], 'who acts as the plugin has its name alone');
  t.deepEqual(asked('system:plugin:oidc', ['system:masters']), []);
  t.deepEqual(asked('admin', ['system:masters']), []);
});

test('names of claims that every object has are no claims', (t) => {
  t.throws(() => callerOf({ email: 'x' }, { ...corp, claims: { ...claims, user: 'constructor.name' } }), {
    code: 'IDENTITY_OIDC_CLAIM_MISSING',
  });
  t.throws(() => callerOf({ email: 'x' }, { ...corp, claims: { ...claims, user: '__proto__' } }), { code: 'IDENTITY_OIDC_CLAIM_MISSING' });
});
