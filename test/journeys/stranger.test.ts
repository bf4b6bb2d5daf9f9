/** A stranger from the front door to the record: logs in through OpenID, deploys with GraphQL, and each step is in the audit log. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { packSource } from '../../core/dist/cli/source-archive.js';
import { requestApplication } from '../request-application.ts';
import { Browser, logInAt } from '../browser.ts';
import { client, startOpenIdProvider } from '../openid-provider.ts';
import { freePort } from '../ports.ts';
import { eventually, platformHome, root, type PlatformProcess } from '../platform-process.ts';

const sessionCookie = '__Host-tappaas-session';
const ownPage = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
const deploy = `mutation Deploy($input: ApplyApplicationInput!) {
  applyApplication(input: $input) { object { name } operation { name } userErrors { field code message } }
}`;
const progress = `subscription Progress($name: String!) { operationProgress(namespace: "team", name: $name) { status { phase error } } }`;
const secrets = 'query Curious { secrets(namespace: "default") { nodes { data { key value } } } }';

interface AuditLine {
  readonly event: {
    readonly auditID: string;
    readonly stage: string;
    readonly verb: string;
    readonly objectRef?: { readonly name?: string };
    readonly requestURI: string;
    readonly user: { readonly username: string; readonly groups: readonly string[] };
    readonly responseStatus?: { readonly code: number };
    readonly annotations: Readonly<Record<string, string>>;
  };
}

async function search(platform: PlatformProcess, query: string): Promise<readonly AuditLine['event'][]> {
  const answer = await platform.api('GET', `/audit?limit=1000&${query}`);
  return answer.json<{ items: readonly AuditLine[] }>().items.map(({ event }) => event);
}

async function world(t: ExecutionContext) {
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const provider = await startOpenIdProvider(url, 'oidc');
  t.teardown(() => provider.close());
  provider.people.set('ann', { email: 'ann@example.com', groups: ['developers'] });
  const issuer = {
    name: 'corp',
    issuer: provider.issuer,
    clientId: client.id,
    clientSecret: { file: './client-secret' },
    certificateAuthorityFile: './provider.pem',
    claims: { user: 'email', groups: 'groups', groupsPrefix: 'corp:' },
  };
  const home = await platformHome({
    api: { port },
    first: join(root, 'examples/hello'),
    plugins: {
      roles: { use: '@tappaas/access-rbac' },
      audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } },
      oidc: { use: '@tappaas/identity-oidc', config: { publicUrl: url, issuers: [issuer] } },
    },
  });
  t.teardown(() => home.remove());
  await writeFile(join(home.directory, 'client-secret'), client.secret, { mode: 0o600 });
  await writeFile(join(home.directory, 'provider.pem'), provider.certificateAuthority);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const authority = await readFile(join(home.directory, 'data/ca.pem'), 'utf8');
  provider.trust(authority);
  return { home, platform, url, browser: new Browser([authority, provider.certificateAuthority]) };
}

/** Follows an operation from a page of the platform's own; answers what its last event said. */
async function follow(url: string, cookie: string, ca: string, name: string): Promise<string | undefined> {
  const headers = { cookie: `${sessionCookie}=${cookie}`, origin: url, 'sec-fetch-site': 'same-origin' };
  const client = createClient({
    url: `${url.replace('https:', 'wss:')}/graphql`,
    retryAttempts: 0,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { headers, ca });
      }
    },
  });
  let phase: string | undefined;
  for await (const { data } of client.iterate<{ operationProgress: { status?: { phase: string } } }>({
    query: progress,
    variables: { name },
  })) {
    phase = data?.operationProgress.status?.phase;
  }
  await client.dispose();
  return phase;
}

test('a stranger logs in through OpenID, deploys with GraphQL, and finds each step in the audit log', async (t) => {
  t.timeout(240_000);
  const { home, platform, url, browser } = await world(t);
  await logInAt(browser, await browser.get(`${url}/plugins/oidc/login?issuer=corp`), 'ann');
  const ask = async (query: string, variables: object) => {
    const answer = await browser.send('POST', `${url}/graphql`, JSON.stringify({ query, variables }), ownPage);
    return JSON.parse(answer.text) as { data?: Record<string, never>; errors?: readonly { extensions: { code: string } }[] };
  };
  const { digest, bytes } = await packSource(join(root, 'examples/hello'));
  const uploaded = await browser.send('PUT', `${url}/plugins/builds/sources/${digest}?namespace=team`, bytes, {
    ...ownPage,
    'content-type': 'application/gzip',
  });
  t.is(uploaded.status, 201, uploaded.text);
  const spec = {
    source: { upload: { digest } },
    processes: [{ name: 'web', ports: [{ name: 'http', port: 8080 }] }],
    routes: [{ name: 'public', process: 'web', port: 'http' }],
  };
  const input = { namespace: 'team', name: 'shop', force: true, spec };

  const refused = await ask(deploy, { input });
  t.is(refused.errors?.[0]?.extensions.code, 'TAP_REQUEST_FORBIDDEN', JSON.stringify(refused));

  await platform.api('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  await platform.api('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/team/rolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'developers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'developer' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'corp:developers' }],
  });
  const deployed = await eventually(
    () =>
      ask(deploy, { input }) as Promise<{ data?: { applyApplication?: { operation: { name: string }; userErrors: readonly object[] } } }>,
    ({ data }) => data?.applyApplication !== undefined && data.applyApplication !== null,
  );
  t.deepEqual(deployed.data?.applyApplication?.userErrors, []);
  const operation = deployed.data?.applyApplication?.operation.name ?? '';
  const { host } = new URL(url);
  const cookie = browser.cookie(host, sessionCookie) ?? '';
  t.is(await follow(url, cookie, await readFile(join(home.directory, 'data/ca.pem'), 'utf8'), operation), 'Succeeded');
  t.regex((await requestApplication(home, 'shop.team.localhost')).text, /Hello/);
  t.is((await ask(secrets, {})).errors?.[0]?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  t.is((await browser.send('POST', `${url}/plugins/oidc/logout`, '', ownPage)).status, 303);

  // Lines are kept in their order, a moment later: with the last one there all are.
  const sessions = await eventually(
    () => search(platform, 'user=ann@example.com&resource=sessions'),
    (found) => found.length === 2,
  );
  const about = 'user=ann@example.com&namespace=team';
  const deploys = await search(platform, `${about}&verb=patch&resource=applications&name=shop`);
  t.deepEqual(
    [deploys.at(-1), deploys[0]].map((event) => event?.responseStatus?.code),
    [403, 201],
    JSON.stringify(deploys),
  );
  for (const { user, annotations } of deploys) {
    t.true(user.groups.includes('corp:developers'));
    t.is(annotations['graphql.operation'], 'mutation Deploy');
  }
  t.regex(deploys[0]?.annotations['authorization.k8s.io/reason'] ?? '', /developer/);
  const operations = await search(platform, `${about}&verb=list&resource=operations`);
  t.is(operations.at(-1)?.responseStatus?.code, 200, 'the deployment’s answer names its operation');
  const followed = await search(platform, `${about}&verb=watch&resource=operations&name=${operation}`);
  t.deepEqual(
    followed.map(({ stage, annotations }) => [stage, annotations['graphql.operation']]),
    ['ResponseComplete', 'ResponseStarted'].map((stage) => [stage, 'subscription Progress']),
  );
  const [curious] = await search(platform, 'user=ann@example.com&verb=list&resource=secrets&namespace=default&code=403');
  t.is(curious?.annotations['graphql.operation'], 'query Curious');
  const [upload] = await search(platform, 'user=ann@example.com&verb=put&code=201');
  t.is(upload?.requestURI, `/plugins/builds/sources/${digest}?namespace=team`);
  t.deepEqual(
    sessions.map(({ verb, annotations }) => [verb, annotations['authorization.k8s.io/reason']]),
    [
      ['delete', 'logged out'],
      ['create', 'logged in at the provider corp'],
    ],
  );
  const [ended, begun] = sessions;
  t.is(ended?.objectRef?.name, begun?.objectRef?.name);
  t.regex(begun?.objectRef?.name ?? '', /^oidc-/);
  const [callback] = (await search(platform, `requestId=${begun?.auditID}`)).filter(({ verb }) => verb === 'get');
  t.is(callback?.responseStatus?.code, 303);
  t.regex(callback?.requestURI ?? '', /^\/plugins\/oidc\/callback/);
  t.notRegex(callback?.requestURI ?? '', /[?&](code|state)=[\w-]{8}/, 'what would finish the log-in is left out');
  const verified = await home.tappaas('audit', 'verify', '--directory', 'data/audit', '--checkpoints', 'data/audit-checkpoints');
  t.is(verified.code, 0, verified.stdout + verified.stderr);
});
