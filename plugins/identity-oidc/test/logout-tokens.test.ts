/** @source OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6 */
import test from 'ava';
import { oidcAuthenticator } from '../dist/authenticator.js';
import { loggedIn, logoutEvents } from './logged-in.ts';
import { claimsOf, seconds, world } from './named-providers.ts';

const cases: readonly (readonly [title: string, claims: object, message: RegExp])[] = [
  ['an ID token, which tells of no event', { events: undefined }, /has no logout event/],
  ['another event', { events: { 'http://schemas.openid.net/event/other': {} } }, /has no logout event/],
  ['an event that is a text', { events: Object.keys(logoutEvents).join('') }, /has no logout event/],
  ['events that are nothing', { events: null }, /has no logout event/],
  ['a nonce, as an ID token has', { nonce: 'n' }, /has no nonce/],
  ['neither subject nor session', { sub: undefined }, /names neither a subject nor a session/],
  ['a subject that is a number', { sub: 7 }, /names neither a subject nor a session/],
  ['no id', { jti: undefined }, /no jti or no iat/],
  ['no time', { iat: undefined }, /no jti or no iat/],
  ['a time of more than five minutes ago', { iat: seconds - 302 }, /too old/],
];

test('a token of the provider that is no logout token, or an old one, ends no session', async (t) => {
  const given = await world(t);
  const { known, notify } = await loggedIn(t, given);
  const { corp } = given;
  for (const [title, claims, message] of cases) {
    const sent = notify(corp.key, claimsOf(corp, { jti: title, ...claims }));
    await t.throwsAsync(sent, { code: 'IDENTITY_OIDC_LOGOUT_INVALID', message }, title);
    t.deepEqual(await known(), ['of-corp', 'of-partner'], title);
  }
  t.is((await notify(corp.key, claimsOf(corp, { jti: 'just in time', iat: seconds - 299 }))).status, 200);
  t.deepEqual(await known(), ['of-partner']);
});

test('a logout token ends the session once, and is refused the second time', async (t) => {
  const given = await world(t);
  const { known, notify } = await loggedIn(t, given);
  const { corp } = given;
  const claims = claimsOf(corp, { jti: 'once' });
  t.is((await notify(corp.key, claims)).status, 200);
  await t.throwsAsync(notify(corp.key, claims), { code: 'IDENTITY_OIDC_LOGOUT_INVALID', message: /was sent before/ });
  t.deepEqual(await known(), ['of-partner']);
});

test('a logout token is nobody’s credential, whatever else it says', async (t) => {
  const { corp, providers, tokens } = await world(t);
  const presented = async (more: object) => {
    const headers = { authorization: `Bearer ${await corp.key.sign(claimsOf(corp, more))}` };
    return oidcAuthenticator(providers, tokens).authenticate({ headers, remoteAddress: '' }, {} as never);
  };
  t.is((await presented({}))?.caller.name, 'corp:ann');
  for (const events of [logoutEvents, {}, null, 'logout'])
    await t.throwsAsync(presented({ events }), { code: 'TAP_CREDENTIAL_INVALID' }, JSON.stringify(events));
});
