/** Programs that call as service accounts: of the platform itself, and of connected clusters. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startIssuer } from '../../core/test/identity/tokens/issuer-server.ts';
import { openSession, runsKubectl } from '../kubectl-session.ts';
import { freePort } from '../ports.ts';
import { call, eventually, platformHome, storeOnly, type PlatformHome } from '../platform-process.ts';
import { groupMayEverything, writePlugin } from '../plugin-package.ts';

const withKubectl = runsKubectl ? test : test.skip;

interface Surroundings {
  teardown(close: () => unknown): void;
}

async function home(t: Surroundings, config: object = {}, group = 'system:serviceaccounts:default', api?: object): Promise<PlatformHome> {
  const made = await platformHome({
    plugins: { ...storeOnly, serviceaccounts: { use: '@tappaas/identity-serviceaccount', config }, allow: { use: './allow' } },
    ...(api && { api }),
  });
  t.teardown(() => made.remove());
  await writePlugin(made.directory, 'allow', groupMayEverything(group));
  return made;
}

const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } };
const accountsPath = '/api/v1/namespaces/default/serviceaccounts';
const tokenRequest = (spec: object = {}) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });

withKubectl('kubectl create token makes a token with which kubectl works, until the account is deleted', async (t) => {
  t.timeout(120_000);
  const at = await home(t);
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const admin = openSession(join(at.directory, 'data/kubeconfig'), join(at.directory, 'kubectl-home'));
  t.is((await admin.run(['create', 'serviceaccount', 'robot'])).code, 0);
  const made = await admin.run(['create', 'token', 'robot', '--duration', '20m']);
  t.is(made.code, 0, made.stderr);
  const token = made.stdout.trim();

  const { server } = platform.connection;
  await writeFile(join(at.directory, 'empty'), '{"apiVersion":"v1","kind":"Config"}');
  const robot = openSession(join(at.directory, 'empty'), join(at.directory, 'robot-home'));
  const as = ['--server', server, '--certificate-authority', join(at.directory, 'data/ca.pem'), '--token', token];
  const whoami = await robot.run([...as, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']);
  t.is(whoami.stdout, 'system:serviceaccount:default:robot', whoami.stderr);
  t.is((await robot.run([...as, 'create', 'configmap', 'made-by-robot'])).code, 0);

  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const reviewed = await platform.api('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review);
  t.like(reviewed.json<{ status: object }>().status, { authenticated: true, user: { username: 'system:serviceaccount:default:robot' } });

  t.is((await admin.run(['delete', 'serviceaccount', 'robot'])).code, 0);
  const connection = { ...platform.connection, token };
  await eventually(
    () => call(connection, 'GET', '/api'),
    ({ status }) => status === 401,
  );
});

test('the platform publishes the keys of its tokens to everybody, and its tokens survive a restart', async (t) => {
  t.timeout(120_000);
  const at = await home(t);
  const platform = await at.start();
  t.is((await platform.api('POST', accountsPath, account)).status, 201);
  const made = await platform.api('POST', `${accountsPath}/robot/token`, tokenRequest());
  const { token } = made.json<{ status: { token: string } }>().status;
  const anonymous = { ...platform.connection, token: '' };
  const document = (await call(anonymous, 'GET', '/.well-known/openid-configuration')).json<{ issuer: string; jwks_uri: string }>();
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iss: string };
  t.is(document.issuer, claims.iss);
  t.is(document.jwks_uri, `${claims.iss}/openid/v1/jwks`);
  const { keys } = (await call(anonymous, 'GET', '/openid/v1/jwks')).json<{ keys: Record<string, string>[] }>();
  t.is(keys.length, 1);
  t.false('d' in (keys[0] ?? {}));
  t.is((await call(anonymous, 'GET', '/clusters/local/openid/v1/jwks')).status, 401);
  await platform.stop();
  const again = await at.start();
  t.teardown(() => again.stop());
  t.is((await call({ ...again.connection, token }, 'GET', '/api/v1/namespaces/default/configmaps')).status, 200);
});

test('a token that is requested with a narrowed credential is good for no more than that credential', async (t) => {
  t.timeout(120_000);
  const at = await platformHome({
    plugins: {
      ...storeOnly,
      serviceaccounts: { use: '@tappaas/identity-serviceaccount' },
      tokens: { use: '@tappaas/identity-token' },
      accounts: { use: './accounts' },
      people: { use: './people' },
    },
  });
  t.teardown(() => at.remove());
  await writePlugin(at.directory, 'accounts', groupMayEverything('system:serviceaccounts'));
  await writePlugin(at.directory, 'people', groupMayEverything('ci'));
  const platform = await at.start();
  t.teardown(() => platform.stop());
  t.is((await platform.api('POST', accountsPath, account)).status, 201);
  t.is((await platform.api('POST', '/api/v1/namespaces', { metadata: { name: 'other' } })).status, 201);
  const spec = { user: 'ci', groups: ['ci'], withoutTenant: true, scope: { namespaces: ['default'], verbs: ['get', 'list', 'create'] } };
  const apiTokens = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
  t.is((await platform.api('POST', apiTokens, { metadata: { name: 'ci' }, spec })).status, 201);
  const issued = await platform.api('POST', `${apiTokens}/ci/issue`, {});
  const ci = { ...platform.connection, token: issued.json<{ token: string }>().token };

  const overRest = await call(ci, 'POST', `${accountsPath}/robot/token`, tokenRequest());
  t.is(overRest.status, 200, overRest.text);
  const query = 'mutation { tokenServiceAccount(input: { namespace: "default", name: "robot" }) { output { status { token } } } }';
  const overGraphql = await call(ci, 'POST', '/graphql', { query });
  t.is(overGraphql.status, 200, overGraphql.text);
  type Requested = { readonly status: { readonly token: string } };
  const { tokenServiceAccount } = overGraphql.json<{ data: { tokenServiceAccount: { output: Requested } } }>().data;
  for (const { status } of [overRest.json<Requested>(), tokenServiceAccount.output]) {
    const { token } = status;
    const robot = { ...platform.connection, token };
    const configMaps = '/api/v1/namespaces/default/configmaps';
    const made = await call(robot, 'POST', configMaps, { metadata: { generateName: 'made-' } });
    t.is(made.status, 201, made.text);
    const { name } = made.json<{ metadata: { name: string } }>().metadata;
    t.is((await call(robot, 'DELETE', `${configMaps}/${name}`)).status, 403, 'a verb beyond the scope');
    t.is((await call(robot, 'GET', '/api/v1/namespaces/other/configmaps')).status, 403, 'a namespace beyond the scope');
    t.is((await call(robot, 'GET', '/api/v1/configmaps')).status, 403, 'all namespaces');
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const { extra } = (await platform.api('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review)).json<{
      status: { user: { extra: object } };
    }>().status.user;
    t.like(extra, { 'tappaas.dev/scope-namespaces': ['default'], 'tappaas.dev/scope-verbs': ['get', 'list', 'create'] });
  }
});

test('service accounts of clusters are known by the keys that their cluster publishes, under names of their own', async (t) => {
  t.timeout(120_000);
  const issuer = await startIssuer();
  t.teardown(() => issuer.close());
  const key = await issuer.makeKey('k1', 'RS256');
  const config = {
    issuers: [{ name: 'east', issuer: issuer.url, audiences: ['tappaas'], certificateAuthorityFile: './east.pem', tenant: 'acme' }],
  };
  const at = await home(t, config, 'east:system:serviceaccounts:ci');
  await writeFile(join(at.directory, 'east.pem'), issuer.authority);
  const platform = await at.start();
  t.teardown(() => platform.stop());
  const claims = (extra: object = {}) => ({
    iss: issuer.url,
    aud: 'tappaas',
    sub: 'system:serviceaccount:ci:runner',
    exp: Math.floor(Date.now() / 1000) + 600,
    ...extra,
  });
  const userOf = async (token: string) =>
    call({ ...platform.connection, token }, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    });
  const known = await userOf(await key.sign(claims()));
  t.is(known.status, 201, known.text);
  t.like(known.json<{ status: { userInfo: object } }>().status.userInfo, {
    username: 'east:system:serviceaccount:ci:runner',
    groups: ['east:system:serviceaccounts', 'east:system:serviceaccounts:ci', 'system:authenticated'],
    extra: { 'tappaas.dev/tenant': ['acme'] },
  });
  for (const extra of [{ aud: 'other' }, { sub: 'admin' }, { sub: 'system:masters' }, { exp: 1 }]) {
    t.is((await userOf(await key.sign(claims(extra)))).status, 401, JSON.stringify(extra));
  }
  const unknownKey = await issuer.makeKey('k2', 'RS256', false);
  t.is((await userOf(await unknownKey.sign(claims()))).status, 401);
});

test('service accounts of clusters are known by asking their cluster, and no longer when it does not know them any more', async (t) => {
  t.timeout(180_000);
  const port = await freePort();
  const cluster = await home(t, {}, 'none', { port });
  const there = await cluster.start();
  t.teardown(() => there.stop());
  t.is((await there.api('POST', accountsPath, account)).status, 201);
  const made = await there.api('POST', `${accountsPath}/robot/token`, tokenRequest());
  const { token } = made.json<{ status: { token: string } }>().status;

  const reviewer = {
    name: 'west',
    issuer: `https://localhost:${port}`,
    server: there.connection.server,
    certificateAuthorityFile: './west.pem',
  };
  const at = await home(t, { reviewers: [{ ...reviewer, token: { file: './west.token' } }] }, 'west:system:serviceaccounts:default', {
    port: 0,
  });
  await writeFile(join(at.directory, 'west.pem'), there.connection.ca);
  await writeFile(join(at.directory, 'west.token'), there.connection.token);
  const here = await at.start();
  t.teardown(() => here.stop());
  const robot = { ...here.connection, token };
  const configMaps = '/api/v1/namespaces/default/configmaps';
  t.is((await call(robot, 'GET', configMaps)).status, 200);
  t.is((await call({ ...robot, token: `${token.slice(0, -4)}AAAA` }, 'GET', configMaps)).status, 401);
  t.is((await there.api('DELETE', `${accountsPath}/robot`)).status, 200);
  // Revoked there is revoked here.
  await eventually(
    () => call(robot, 'GET', configMaps),
    ({ status }) => status === 401,
  );
});
