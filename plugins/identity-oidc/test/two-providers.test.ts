import type { HttpRequest, RouteContext } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { oidcAuthenticator } from '../dist/authenticator.js';
import { beginLogin, finishLogin, type BrowserLoginParts } from '../dist/browser-login.js';
import identityOidc from '../dist/index.js';
import { loggedIn } from './logged-in.ts';
import { claimsOf, world } from './named-providers.ts';

const invalid = { code: 'TAP_CREDENTIAL_INVALID' };

test('a token stands for somebody of the provider that signed it, with the audience that is its own there', async (t) => {
  const { corp, partner, providers, tokens } = await world(t);
  const callerFrom = async (token: string) =>
    (
      await oidcAuthenticator(providers, tokens).authenticate(
        { headers: { authorization: `Bearer ${token}` }, remoteAddress: '' },
        {} as never,
      )
    )?.caller;
  t.deepEqual(await callerFrom(await corp.key.sign(claimsOf(corp))), { name: 'corp:ann', groups: ['corp:devs'] });
  t.deepEqual(await callerFrom(await partner.key.sign(claimsOf(partner))), { name: 'partner:ann', groups: ['partner:devs'] });
  await t.throwsAsync(callerFrom(await partner.key.sign(claimsOf(corp))), invalid, 'it says that it is of the other');
  const { kid } = corp.key;
  await t.throwsAsync(callerFrom(await partner.key.sign(claimsOf(corp), { kid })), invalid, 'and names the key of the other');
  await t.throwsAsync(callerFrom(await partner.key.sign(claimsOf(partner, { aud: corp.provider.settings.clientId }))), invalid);
});

test('a provider ends sessions of its own people, and of nobody who is called the same at another', async (t) => {
  const { corp, partner, providers, tokens } = await world(t);
  const { known, notify } = await loggedIn(t, { corp, partner, providers, tokens });
  const refused = { code: 'IDENTITY_OIDC_LOGOUT_INVALID' };
  await t.throwsAsync(notify(partner.key, claimsOf(corp, { jti: 'a' })), refused, 'signed by another than it says');
  await t.throwsAsync(notify(partner.key, claimsOf(partner, { jti: 'a', aud: corp.provider.settings.clientId })), refused);
  t.deepEqual(await known(), ['of-corp', 'of-partner']);
  t.is((await notify(partner.key, claimsOf(partner, { jti: 'a' }))).status, 200, 'by subject');
  t.deepEqual(await known(), ['of-corp']);
  t.is((await notify(partner.key, claimsOf(partner, { jti: 'b', sub: undefined, sid: 'one' }))).status, 200, 'by session');
  t.deepEqual(await known(), ['of-corp']);
  t.is((await notify(corp.key, claimsOf(corp, { jti: 'b' }))).status, 200, 'a token of the other with the same id was not sent before');
  t.deepEqual(await known(), []);
});

test('each provider sends browsers back to an address of its own, and what comes to that of another is shown to neither', async (t) => {
  const { corp, partner, providers } = await world(t);
  for (const { issuer } of [corp, partner]) {
    const endpoints = {
      authorization_endpoint: `${issuer.url}/authorize`,
      token_endpoint: `${issuer.url}/token`,
      jwks_uri: `${issuer.url}/keys`,
    };
    const document = { status: 200, body: JSON.stringify({ issuer: issuer.url, ...endpoints }) };
    issuer.answer = (path) => (path === '/.well-known/openid-configuration' ? document : undefined);
  }
  const settings = { publicUrl: 'https://paas.example.com', sessionHours: 12, sessionsPerPersonMax: 10 };
  const parts = { instance: 'oidc', settings, providers } as unknown as BrowserLoginParts;
  const request = (more: object) => ({ params: {}, query: {}, headers: {}, body: new Uint8Array(), ...more }) as HttpRequest;
  const begun = async (issuer: string) => {
    const { headers = {} } = await beginLogin(request({ query: { issuer } }), parts);
    const { searchParams } = new URL(headers['location'] ?? '');
    const [cookie = ''] = (headers['set-cookie'] ?? '').split(';');
    return { address: searchParams.get('redirect_uri'), state: searchParams.get('state') ?? '', cookie };
  };
  const [first, second] = await Promise.all([begun('corp'), begun('partner')]);
  t.is(first.address, 'https://paas.example.com/plugins/oidc/callback');
  t.is(second.address, 'https://paas.example.com/plugins/oidc/callback/partner');
  const finished = ({ state, cookie }: typeof first, params: object) =>
    finishLogin(request({ params, query: { code: 'of the other', state }, headers: { cookie } }), {} as RouteContext, parts);
  const refused = (message: RegExp) => ({ code: 'IDENTITY_OIDC_LOGIN_INVALID', message });
  await t.throwsAsync(finished(second, {}), refused(/is that of provider corp, and this browser has begun to log in at partner/));
  await t.throwsAsync(
    finished(first, { issuer: 'partner' }),
    refused(/is that of provider partner, and this browser has begun to log in at corp/),
  );
  t.deepEqual(
    [corp, partner].flatMap(({ issuer }) => issuer.requestedPaths).filter((path) => path === '/token'),
    [],
  );
});

test('two providers of one name, or of one issuer, are refused at start, naming which', async (t) => {
  const one = { name: 'corp', issuer: 'https://one.example.invalid', clientId: 'x' };
  const start = (second: object) => startTestKernel({ plugins: [load(identityOidc, { issuers: [one, { ...one, ...second }] })] });
  for (const [second, twice] of [
    [{ issuer: 'https://two.example.invalid' }, /issuers: the name "corp" stands there twice/],
    [{ name: 'other' }, /issuers: the issuer "https:\/\/one\.example\.invalid" stands there twice/],
  ] as const) {
    const error = await t.throwsAsync(start(second));
    t.regex(error?.message ?? '', twice);
  }
});
