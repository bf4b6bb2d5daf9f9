/** An OpenID provider that is not what it seems: its document and its answers lead the platform to where it may not go. */
import test from 'ava';
import * as client from 'openid-client';
import { Provider } from '../../plugins/identity-oidc/dist/provider.js';
import { startIssuer, type IssuerServer } from '../../core/test/identity/tokens/issuer-server.ts';

interface Leading {
  readonly endpoints: Readonly<Record<string, string>>;
  readonly allowedAddresses?: readonly string[];
}

/** A provider of the plugin whose issuer's document names other endpoints than its own. */
async function providerLeading(
  t: { teardown(close: () => Promise<void>): void },
  issuer: IssuerServer,
  { endpoints, allowedAddresses = [] }: Leading,
): Promise<Provider> {
  const { url } = issuer;
  const own = { issuer: url, jwks_uri: `${url}/keys`, authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token` };
  issuer.answer = (path) => (path.includes('/.well-known/') ? { status: 200, body: JSON.stringify({ ...own, ...endpoints }) } : undefined);
  const claims = {
    user: 'sub',
    acceptUnverifiedEmail: false,
    userPrefix: '',
    groups: 'groups',
    groupsPrefix: '',
    tenant: '',
    groupsWithoutTenant: [],
  };
  const client = { clientId: 'tappaas', cliClientId: '', audiences: [], scopes: ['openid'], certificateAuthorityFile: '' };
  const provider = new Provider(
    { name: 'corp', issuer: url, ...client, allowedAddresses, claims, tenants: [], sharesNames: false },
    issuer.authority,
    Date.now,
  );
  t.teardown(() => provider.close());
  return provider;
}

/** The messages of a caught error and of its causes. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${wordsOf(error.cause)}` : '';
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(() => 'it was not refused', wordsOf);
}

async function issuerFor(t: { teardown(close: () => Promise<void>): void }): Promise<IssuerServer> {
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  return issuer;
}

const inner = [
  'https://127.0.0.1:1/x',
  'https://10.0.0.1/x',
  'https://[::ffff:10.0.0.1]/x',
  'https://[64:ff9b::a9fe:a9fe]/x',
  'https://[2002:7f00:1::]/x',
  'https://0177.0.0.1/x',
  'https://2130706433/x',
  'https://169.254.169.254/latest/meta-data',
];

test('no endpoint that the document of a provider names leads to an inner address', async (t) => {
  const issuer = await issuerFor(t);
  for (const place of inner) {
    const endpoints = { token_endpoint: place, device_authorization_endpoint: place, userinfo_endpoint: place, revocation_endpoint: place };
    const provider = await providerLeading(t, issuer, { endpoints });
    const configuration = await provider.configuration();
    const calls = {
      token: () => client.refreshTokenGrant(configuration, 'token'),
      device: () => client.initiateDeviceAuthorization(configuration, {}),
      userinfo: () => client.fetchUserInfo(configuration, 'token', client.skipSubjectCheck),
      revocation: () => client.tokenRevocation(configuration, 'token'),
    };
    for (const [what, ask] of Object.entries(calls)) t.regex(await refusal(ask()), /is an inner address/, `${what} at ${place}`);
  }
});

test('another name, and another port of the same host, is as foreign as an address', async (t) => {
  const issuer = await issuerFor(t);
  const other = await issuerFor(t);
  const provider = await providerLeading(t, issuer, { endpoints: { token_endpoint: `${other.url}/token` } });
  t.regex(await refusal(client.refreshTokenGrant(await provider.configuration(), 'token')), /localhost leads to .* is an inner address/);
  t.deepEqual(other.requestedPaths, []);
});

test('an inner address that the operator allows is asked', async (t) => {
  const issuer = await issuerFor(t);
  const place = `${issuer.url.replace('localhost', '127.0.0.1')}/token`;
  const refused = await providerLeading(t, issuer, { endpoints: { token_endpoint: place } });
  t.regex(await refusal(client.refreshTokenGrant(await refused.configuration(), 'token')), /127\.0\.0\.1 is an inner address/);
  const allowed = await providerLeading(t, issuer, { endpoints: { token_endpoint: place }, allowedAddresses: ['127.0.0.0/8'] });
  await t.throwsAsync(client.refreshTokenGrant(await allowed.configuration(), 'token'));
  t.is(issuer.requestedPaths.filter((path) => path === '/token').length, 1);
});

test('a provider that redirects is not followed', async (t) => {
  const issuer = await issuerFor(t);
  const other = await issuerFor(t);
  const provider = await providerLeading(t, issuer, { endpoints: {} });
  const configuration = await provider.configuration();
  issuer.answer = () => ({ status: 307, body: '', headers: { location: `${other.url}/token` } });
  t.not(await refusal(client.refreshTokenGrant(configuration, 'token')), 'it was not refused');
  t.deepEqual(other.requestedPaths, []);
});
