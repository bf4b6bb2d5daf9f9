/** Two providers with real keys and https, called corp and partner, and tokens signed by them. */
import { createTokenService } from '../../../core/dist/identity/tokens/token-service.js';
import { startIssuer, type IssuerServer, type SigningKey } from '../../../core/test/identity/tokens/issuer-server.ts';
import { Provider } from '../dist/provider.js';
import { Providers } from '../dist/providers.js';

/** The clock stands still at the start of the test file. */
export const nowMs = Date.now();
export const seconds = Math.floor(nowMs / 1000);
export const clock = { nowMs: () => nowMs, sleep: async () => undefined };

export interface Named {
  readonly issuer: IssuerServer;
  readonly key: SigningKey;
  readonly provider: Provider;
}

async function named(t: { teardown(close: () => unknown): void }, name: string): Promise<Named> {
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  const claims = { user: 'sub', userPrefix: `${name}:`, groups: 'groups', groupsPrefix: `${name}:`, tenant: '', groupsWithoutTenant: [] };
  const settings = {
    name,
    issuer: issuer.url,
    clientId: `tappaas-at-${name}`,
    cliClientId: '',
    audiences: [],
    scopes: ['openid'],
    allowedAddresses: [],
    claims,
  };
  const provider = new Provider(settings as unknown as Provider['settings'], issuer.authority, clock.nowMs);
  return { issuer, key: await issuer.makeKey(`key-of-${name}`), provider };
}

export type World = Awaited<ReturnType<typeof world>>;

export async function world(t: { teardown(close: () => unknown): void }) {
  const [corp, partner] = await Promise.all([named(t, 'corp'), named(t, 'partner')]);
  const providers = new Providers([corp.provider, partner.provider]);
  t.teardown(() => providers.close());
  const noKeys = () => Promise.reject(new Error('the platform’s own keys are not asked for here'));
  const tokens = createTokenService({ keys: noKeys, clock, mayLetSign: async () => undefined });
  return { corp, partner, providers, tokens };
}

/** The claims of an ID token of ann; `undefined` leaves a claim out. */
export const claimsOf = (by: Named, more: object = {}) => ({
  iss: by.issuer.url,
  aud: by.provider.settings.clientId,
  sub: 'ann',
  groups: ['devs'],
  iat: seconds,
  exp: seconds + 600,
  ...more,
});
