import type { TokenService } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { oidcAuthenticator } from '../dist/authenticator.js';
import { callerOf } from '../dist/claims.js';
import { loggedIn } from '../dist/granted.js';
import identityOidc from '../dist/index.js';
import { foreignNames } from '../dist/foreign-names.js';
import { Provider } from '../dist/provider.js';
import { Providers } from '../dist/providers.js';

type IssuerSettings = Provider['settings'];

const foreign = 'IDENTITY_OIDC_CLAIM_FOREIGN';
const claims = { user: 'sub', userPrefix: '', groups: 'groups', groupsPrefix: '', tenant: '', groupsWithoutTenant: [] };

const settingsOf = (
  name: string,
  { claims: mapping = {}, ...more }: { readonly claims?: object; readonly [setting: string]: unknown } = {},
): IssuerSettings =>
  ({
    name,
    issuer: `https://${name}.example.invalid`,
    clientId: 'tappaas',
    cliClientId: '',
    audiences: [],
    allowedAddresses: [],
    tenants: [],
    sharesNames: false,
    claims: { ...claims, ...mapping },
    ...more,
  }) as unknown as IssuerSettings;

const prefixed = (name: string, more: object = {}) =>
  settingsOf(name, { claims: { userPrefix: `${name}:`, groupsPrefix: `${name}:` }, ...more });

const started = async (...issuers: readonly object[]): Promise<void> => {
  const kernel = await startTestKernel({ plugins: [load(identityOidc, { issuers })] });
  await kernel.stop();
};

/** Processes a provider's claims as a bearer token, as a login and as a refresh. */
function callersFor(t: { teardown(close: () => unknown): void }, settings: IssuerSettings, all: readonly IssuerSettings[] = [settings]) {
  const provider = new Provider(settings, undefined, () => 0, foreignNames(settings, all));
  t.teardown(() => provider.close());
  const token = `e30.${Buffer.from(JSON.stringify({ iss: settings.issuer })).toString('base64url')}.x`;
  const verifying = (more: object) =>
    ({ verify: async () => ({ iss: settings.issuer, aud: 'tappaas', exp: 10, sub: 'ann', ...more }) }) as unknown as TokenService;
  return [
    async (more: object) => {
      const presented = { headers: { authorization: `Bearer ${token}` }, remoteAddress: '' };
      return (await oidcAuthenticator(new Providers([provider]), verifying(more)).authenticate(presented, {} as never))?.caller;
    },
    async (more: object) => (await loggedIn({ id_token: token, expiresIn: () => 60 } as never, provider, verifying(more), 0)).caller,
  ];
}

test('a provider names tenants of its list only, by a bearer token and by a log-in', async (t) => {
  const settings = settingsOf('b', { claims: { tenant: 'org' }, tenants: ['b', 'b-test'] });
  for (const ask of callersFor(t, settings)) {
    t.is((await ask({ org: 'b' }))?.tenant, 'b');
    const error = await t.throwsAsync(ask({ org: 'a' }), { code: foreign });
    t.is(error?.message, 'provider b: claim "org": expected one of the tenants that this provider may name, found "a"');
    await t.throwsAsync(ask({}), { code: 'IDENTITY_OIDC_CLAIM_MISSING' });
  }
});

test('all people of a provider with a tenant are of that one, whatever it says', async (t) => {
  for (const ask of callersFor(t, settingsOf('b', { tenant: 'b' }))) {
    t.deepEqual(await ask({ tenant: 'a', org: 'a', groups: ['admins'] }), { name: 'ann', groups: ['admins'], tenant: 'b' });
  }
});

test('a provider without a prefix names nobody of one that has one', async (t) => {
  const [corp, partner] = [settingsOf('corp'), prefixed('partner')];
  for (const ask of callersFor(t, corp, [corp, partner])) {
    t.is((await ask({ groups: ['devs'] }))?.name, 'ann');
    const error = await t.throwsAsync(ask({ sub: 'partner:ann' }), { code: foreign });
    t.regex(error?.message ?? '', /provider corp: claim "sub": .* does not begin with "partner:", as those of provider partner do/);
    await t.throwsAsync(ask({ groups: ['devs', 'partner:admins'] }), { code: foreign, message: /claim "groups"/ });
  }
  for (const ask of callersFor(t, partner, [corp, partner])) {
    t.is((await ask({ sub: 'partner:ann' }))?.name, 'partner:partner:ann');
    t.is((await ask({ sub: 'corp:ann' }))?.name, 'partner:corp:ann');
  }
});

test('a prefix that goes on from that of another is that provider’s alone', async (t) => {
  const [one, other] = [prefixed('a'), settingsOf('a-eu', { claims: { userPrefix: 'a:eu:', groupsPrefix: 'a:eu:' } })];
  for (const ask of callersFor(t, one, [one, other])) await t.throwsAsync(ask({ sub: 'eu:ann' }), { code: foreign });
  for (const ask of callersFor(t, other, [one, other])) t.is((await ask({}))?.name, 'a:eu:ann');
});

test('providers that share their names may name each other’s people', async (t) => {
  const [one, other] = [settingsOf('one', { sharesNames: true }), prefixed('other', { sharesNames: true })];
  for (const ask of callersFor(t, one, [one, other])) t.is((await ask({ sub: 'other:ann' }))?.name, 'other:ann');
  const alone = prefixed('other');
  for (const ask of callersFor(t, one, [one, alone]))
    await t.throwsAsync(ask({ sub: 'other:ann' }), { code: foreign }, 'both have to say so');
});

const issuer = (name: string, more: object = {}) => ({ name, issuer: `https://${name}.example.invalid`, clientId: 'x', ...more });

test('two providers with the same prefix are refused at start, naming both and what is the same', async (t) => {
  for (const [issuers, why] of [
    [[issuer('a'), issuer('b')], /the providers "a" and "b" have the same userPrefix "" and groupsPrefix ""/],
    [[issuer('a'), issuer('b', { claims: { userPrefix: 'b:' } })], /"a" and "b" have the same groupsPrefix ""/],
    [[issuer('a'), issuer('b', { claims: { groupsPrefix: 'b:' } })], /"a" and "b" have the same userPrefix ""/],
    [[issuer('a'), issuer('b', { sharesNames: true })], /the same userPrefix ""/],
  ] as const) {
    const error = await t.throwsAsync(started(...issuers));
    t.regex(error?.message ?? '', why);
  }
});

test('one provider needs no prefix, nor does the first of several, nor do those that share their names', async (t) => {
  const prefixes = { claims: { userPrefix: 'b:', groupsPrefix: 'b:' } };
  await t.notThrowsAsync(started(issuer('a')));
  await t.notThrowsAsync(started(issuer('a'), issuer('b', prefixes)));
  await t.notThrowsAsync(started(issuer('a', { sharesNames: true }), issuer('b', { sharesNames: true })));
});

test('settings that say two things about the tenant, or one without an effect, are refused at start', async (t) => {
  for (const [more, why] of [
    [{ tenant: 'a', claims: { tenant: 'org' } }, /tenant is that of all its people/],
    [{ tenant: 'a', claims: { groupsWithoutTenant: ['admins'] } }, /tenant is that of all its people/],
    [{ tenant: 'a', tenants: ['b'] }, /tenant is that of all its people/],
    [{ tenants: ['a'] }, /tenants has no effect without claims\.tenant/],
    [{ tenant: '=a' }, /"=a" cannot be the name of a tenant/],
  ] as const) {
    const error = await t.throwsAsync(started(issuer('a', more)));
    t.regex(error?.message ?? '', why);
  }
});

test('a provider without a list of tenants may name any, as ever', (t) => {
  const settings = settingsOf('corp', { claims: { tenant: 'org' } });
  for (const org of ['a', 'b']) t.is(callerOf({ sub: 'ann', org }, settings).tenant, org);
});
