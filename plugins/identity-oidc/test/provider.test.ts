import type { HttpRequest, RouteContext } from '@tappaas/sdk';
import test from 'ava';
import { startIssuer } from '../../../core/test/identity/tokens/issuer-server.ts';
import { finishLogin, type BrowserLoginParts } from '../dist/browser-login.js';
import { loginCookie } from '../dist/cookies.js';
import { Provider } from '../dist/provider.js';
import { Providers } from '../dist/providers.js';

test('however many begin to log in, a provider is asked once what it is, also while it refuses to say', async (t) => {
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  let nowMs = 0;
  const settings = { name: 'corp', issuer: issuer.url, clientId: 'x', allowedAddresses: [] } as unknown as Provider['settings'];
  const provider = new Provider(settings, issuer.authority, () => nowMs);
  t.teardown(() => provider.close());
  const many = () => Promise.allSettled(Array.from({ length: 20 }, () => provider.configuration()));
  issuer.answer = () => ({ status: 503, body: '{}' });
  t.true((await many()).every(({ status }) => status === 'rejected'));
  t.is(issuer.requestedPaths.length, 1);
  issuer.answer = undefined;
  t.true((await many()).every(({ status }) => status === 'fulfilled'));
  t.is(issuer.requestedPaths.length, 2);
  await many();
  t.is(issuer.requestedPaths.length, 2, 'it is believed for a while');
  nowMs += 600_000;
  await many();
  t.is(issuer.requestedPaths.length, 3);
});

test('a provider that does not answer as somebody comes back from it is told as such, and what it refuses as the log-in’s', async (t) => {
  const issuer = await startIssuer();
  const settings = { name: 'corp', issuer: issuer.url, clientId: 'x', allowedAddresses: [] } as unknown as Provider['settings'];
  const providers = new Providers([new Provider(settings, issuer.authority, () => 0)]);
  t.teardown(() => providers.close());
  const document = { issuer: issuer.url, token_endpoint: `${issuer.url}/token`, jwks_uri: `${issuer.url}/keys` };
  const back = (status: number, body: string, headers = {}, state = 'state') => {
    issuer.answer = (path) => (path === '/token' ? { status, body, headers } : { status: 200, body: JSON.stringify(document) });
    const attempt = { issuer: 'corp', state: 'state', nonce: 'nonce', verifier: 'v'.repeat(43), returnTo: '/' };
    const cookie = `${loginCookie}=${Buffer.from(JSON.stringify(attempt)).toString('base64url')}`;
    const request = { params: {}, query: { code: 'code', state }, headers: { cookie }, body: new Uint8Array() } as unknown as HttpRequest;
    return finishLogin(
      request,
      {} as RouteContext,
      { instance: 'oidc', settings: { publicUrl: 'https://paas.example.com' }, providers } as unknown as BrowserLoginParts,
    );
  };
  const failed = { code: 'IDENTITY_OIDC_PROVIDER_FAILED', message: 'provider corp: exchanging the code of a log-in did not work' };
  const refused = (message: RegExp) => ({ code: 'IDENTITY_OIDC_LOGIN_INVALID', message });
  await t.throwsAsync(back(400, '{"error":"invalid_grant"}'), refused(/the provider says invalid_grant/));
  await t.throwsAsync(back(503, '{}'), failed);
  await t.throwsAsync(back(404, 'no'), failed);
  await t.throwsAsync(back(200, '<html>', { 'content-type': 'text/html' }), failed);
  await t.throwsAsync(back(200, 'no'), failed);
  await issuer.close();
  const error = await t.throwsAsync(back(200, '{}'), failed);
  t.truthy(error?.cause);
  await t.throwsAsync(back(200, '{}', {}, 'of another'), refused(/the answer is not that of this log-in/));
});
