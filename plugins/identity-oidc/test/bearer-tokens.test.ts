import { jwtSkewMs, type TokenService } from '@tappaas/sdk';
import test from 'ava';
import { oidcAuthenticator } from '../dist/authenticator.js';
import { Provider } from '../dist/provider.js';
import type { Providers } from '../dist/providers.js';

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a bearer token is over when no clock would let it in any more, not when it says', async (t) => {
  const exp = 1_800_000_000;
  const claims = { user: 'sub', userPrefix: '', groups: 'groups', groupsPrefix: '', tenant: '', groupsWithoutTenant: [] };
  const settings = { name: 'id', issuer: 'https://id', clientId: 'a', cliClientId: '', audiences: [], allowedAddresses: [], claims };
  const provider = new Provider(settings as unknown as Provider['settings'], undefined, () => 0);
  t.teardown(() => provider.close());
  const providers = { ofIssuer: () => provider } as unknown as Providers;
  const tokens = { verify: async () => ({ iss: 'https://id', aud: 'a', exp, sub: 'ann' }) } as unknown as TokenService;
  const token = [{ alg: 'ES256' }, { iss: 'https://id' }, {}].map(encoded).join('.');
  const presented = { headers: { authorization: `Bearer ${token}` }, remoteAddress: '' };
  const identity = await oidcAuthenticator(providers, tokens).authenticate(presented, {} as never);
  t.like(identity, { caller: { name: 'ann', groups: [] }, expiresAtMs: exp * 1000 + jwtSkewMs });
});
