/**
 * Everything that is remembered, shared or counted is one tenant's: two people of the same name and groups, in two tenants, ask the very
 * same at the same time, over the same connections, and each receives only objects of their own tenant.
 */
import { Agent, request } from 'node:https';
import test, { type ExecutionContext } from 'ava';
import { createClient, type Client } from '../../sdk/client/dist/index.js';
import { call, eventually, type Connection } from '../platform-process.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

const tenants = ['acme', 'rival'] as const;
type Tenant = (typeof tenants)[number];
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const namespaces = '/api/v1/namespaces';
const other = (tenant: Tenant): Tenant => (tenant === 'acme' ? 'rival' : 'acme');

let running: RunningPlatform;
let admin: Connection;
let sams: Record<Tenant, Connection>;
const clients: Client[] = [];
const undo: (() => unknown)[] = [];

/** One connection that everybody's requests go over, as behind a proxy. */
const shared = new Agent({ keepAlive: true, maxSockets: 1 });
undo.push(() => shared.destroy());

test.before('two tenants have a sam each, who may do everything in it', async (t) => {
  t.timeout(180_000);
  running = await runPlatform({ local: null });
  undo.push(() => running.stop());
  admin = running.connection;
  for (const tenant of tenants) {
    await make(admin, '/apis/platform.tappaas.dev/v1alpha1/tenants', { metadata: { name: tenant }, spec: {} });
    await make(admin, namespaces, { metadata: { name: `${tenant}-shop`, labels: { 'tappaas.dev/tenant': tenant } } });
    await make(admin, `${namespaces}/${tenant}-shop/configmaps`, { metadata: { name: 'same' }, data: { canary: canaryOf(tenant) } });
  }
  await make(admin, `${rbac}/clusterrolebindings`, {
    metadata: { name: 'sams' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'tenant-admin' },
    subjects: [{ kind: 'User', name: 'sam', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  sams = { acme: await samOf('acme'), rival: await samOf('rival') };
  for (const tenant of tenants)
    await eventually(
      () => call(sams[tenant], 'GET', `${namespaces}/${tenant}-shop/configmaps`),
      ({ status }) => status === 200,
    );
});

test.after.always('the platform is stopped', async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const stop of undo.toReversed()) await stop();
});

const canaryOf = (tenant: string): string => `canary-of-${tenant}`;

/** A token whose name differs, and whose user does not. */
async function samOf(tenant: string): Promise<Connection> {
  const tokens = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
  const name = `sam-${tenant.replaceAll(/[^a-z]/g, 'x')}`;
  await make(admin, tokens, { metadata: { name }, spec: { user: 'sam', groups: ['team'], tenant } });
  const issued = await call(admin, 'POST', `${tokens}/${name}/issue`, {});
  return { ...admin, token: issued.json<{ token: string }>().token };
}

function clientOf(tenant: Tenant): Client {
  const { server, token, ca } = sams[tenant];
  const client = createClient({ server, token, certificateAuthority: ca.toString() });
  clients.push(client);
  return client;
}

/** Over the one connection. */
function over(connection: Connection, path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, connection.server),
      {
        agent: shared,
        ca: connection.ca,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, authorization: `Bearer ${connection.token}` },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject).on('end', () => resolve(text));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function isOnlyOf(t: ExecutionContext, tenant: Tenant, text: string, what: string): void {
  t.true(text.includes(tenant), `${what} of ${tenant}: ${text}`);
  t.false(text.includes(other(tenant)), `${what} of ${tenant}: ${text}`);
}

/** Both send requests repeatedly, sequentially and concurrently. */
async function alternate(ask: (tenant: Tenant) => Promise<void>): Promise<void> {
  for (let round = 0; round < 5; round += 1) for (const tenant of tenants) await ask(tenant);
  await Promise.all(Array.from({ length: 40 }, (_, index) => ask(tenants[index % 2 === 0 ? 0 : 1])));
}

test('the same list is answered to each with what is theirs, in whatever form and whoever asked before', async (t) => {
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const lean = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
  const forms: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['', {}],
    ['?limit=10', {}],
    ['?resourceVersion=0', {}],
    ['?labelSelector=tappaas.dev%2Ftenant', {}],
    ['?fieldSelector=metadata.name!%3Dnone', {}],
    ['', table],
    ['', lean],
    ['', { accept: 'application/yaml' }],
    ['', { 'accept-encoding': 'identity' }],
  ];
  for (const [query, headers] of forms) {
    await call(admin, 'GET', namespaces + query, undefined, undefined, headers);
    await alternate(async (tenant) =>
      isOnlyOf(t, tenant, await over(sams[tenant], namespaces + query, headers), `${query} ${JSON.stringify(headers)}`),
    );
  }
});

test('what one of them may get, the other one may not, on the same connection right after', async (t) => {
  await alternate(async (tenant) => {
    const own = await over(sams[tenant], `${namespaces}/${tenant}-shop/configmaps/same`);
    isOnlyOf(t, tenant, own, 'an object');
    const refused = await over(sams[tenant], `${namespaces}/${other(tenant)}-shop/configmaps/same`);
    t.regex(refused, /"code":403/);
    t.false(refused.includes(canaryOf(other(tenant))));
  });
});

test('the same GraphQL document, prepared once, is answered to each with what is theirs', async (t) => {
  const query = `{
    viewer { name tenant }
    namespaces(first: 10) { nodes { name } }
    own: configMaps(namespace: "SHOP", first: 5) { nodes { name data { value } } }
  }`;
  await alternate(async (tenant) => {
    const body = JSON.stringify({ query: query.replace('SHOP', `${tenant}-shop`) });
    isOnlyOf(t, tenant, await over(sams[tenant], '/graphql', { 'content-type': 'application/json' }, body), 'GraphQL');
  });
  const same = JSON.stringify({
    query: 'query Same($n: String!) { viewer { tenant } configMap(namespace: $n, name: "same") { data { value } } }',
    variables: { n: 'acme-shop' },
  });
  await alternate(async (tenant) => {
    const text = await over(sams[tenant], '/graphql', { 'content-type': 'application/json' }, same);
    t.is(text.includes(canaryOf('acme')), tenant === 'acme', text);
    t.is(text.includes('TAP_REQUEST_FORBIDDEN'), tenant === 'rival', text);
  });
});

test('the same subscription tells each of their own, and of what is read on the way only what they may see', async (t) => {
  const document = 'subscription { namespaceChanges { type object { name } } }';
  const received: Record<Tenant, string[]> = { acme: [], rival: [] };
  const ending = new AbortController();
  const following = tenants.map(async (tenant) => {
    const changes = clientOf(tenant).subscribe<{ namespaceChanges: { object: { name: string } | null } }>(document, {}, ending);
    for await (const { namespaceChanges } of changes) received[tenant].push(namespaceChanges.object?.name ?? '');
  });
  await eventually(
    async () => tenants.every((tenant) => received[tenant].includes(`${tenant}-shop`)),
    (isSo) => isSo,
  );
  for (const tenant of tenants)
    await make(admin, namespaces, { metadata: { name: `${tenant}-later`, labels: { 'tappaas.dev/tenant': tenant } } });
  await eventually(
    async () => tenants.every((tenant) => received[tenant].includes(`${tenant}-later`)),
    (isSo) => isSo,
  );
  for (const tenant of tenants) isOnlyOf(t, tenant, received[tenant].join(), 'a subscription');
  ending.abort();
  await Promise.allSettled(following);
});

test('the same room of sockets tells each of their own, and none lets in who is of another tenant', async (t) => {
  for (const tenant of tenants) {
    const client = clientOf(tenant);
    const leaving = new AbortController();
    const names: string[] = [];
    for await (const message of client.room(
      { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: `${tenant}-shop` },
      leaving.signal,
    )) {
      if (message.type === 'SYNCED') break;
      names.push(JSON.stringify(message));
    }
    isOnlyOf(t, tenant, names.join(), 'a room');
    leaving.abort();
    const foreign = client.room(
      { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: `${other(tenant)}-shop` },
      AbortSignal.timeout(60_000),
    );
    await t.throwsAsync(foreign.next(), { message: /forbidden|403/i });
    const metrics = client.room({ topic: 'metrics', names: ['tappaas_api_requests_total'] }, AbortSignal.timeout(60_000));
    await t.throwsAsync(metrics.next(), { message: /cannot get path|forbidden/i });
  }
});

test('the same key of a repeated request is two keys', async (t) => {
  const headers = { 'idempotency-key': 'one-and-the-same' };
  const body = { metadata: { name: 'wanted-by-both' } };
  const first = await call(sams.acme, 'POST', namespaces, body, undefined, headers);
  t.is(first.status, 201, first.text);
  const second = await call(sams.rival, 'POST', namespaces, body, undefined, headers);
  t.true([403, 409].includes(second.status), second.text);
  t.false(second.text.includes('acme'), second.text);
  t.is((await call(sams.acme, 'POST', namespaces, body, undefined, headers)).text, first.text);
});

test('the page of one of them cannot be turned by the other', async (t) => {
  for (const name of ['acme-a', 'acme-b', 'rival-a'])
    await make(admin, namespaces, { metadata: { name, labels: { 'tappaas.dev/tenant': name.split('-')[0] } } });
  const page = await call(sams.acme, 'GET', `${namespaces}?limit=1`);
  const { metadata } = page.json<{ metadata: { continue: string } }>();
  const next = `${namespaces}?limit=1&continue=${encodeURIComponent(metadata.continue)}`;
  isOnlyOf(t, 'acme', (await call(sams.acme, 'GET', next)).text, 'the next page');
  const stolen = await call(sams.rival, 'GET', next);
  t.is(stolen.status, 400, stolen.text);
});

test.serial('each is counted as who they are, and neither can read what is counted', async (t) => {
  const countOf = async (tenant: Tenant): Promise<number> => {
    const { text } = await call(admin, 'GET', '/metrics');
    const line = new RegExp(`^tappaas_api_requests_total\\{(?=[^}]*tenant="${tenant}")(?=[^}]*result="invalid")[^}]*\\} (\\d+)`, 'm');
    return Number(line.exec(text)?.[1] ?? 0);
  };
  const before = { acme: await countOf('acme'), rival: await countOf('rival') };
  for (let index = 0; index < 7; index += 1) await call(sams.acme, 'GET', `${namespaces}?limit=no`);
  t.deepEqual({ acme: await countOf('acme'), rival: await countOf('rival') }, { ...before, acme: before.acme + 7 });
  for (const tenant of tenants)
    for (const path of ['/metrics', '/plugins/platform/explain', '/audit']) t.is((await call(sams[tenant], 'GET', path)).status, 403, path);
});

test('a tenant whose name a selector would read otherwise sees nothing of anybody', async (t) => {
  for (const tenant of ['=acme', 'acme,tappaas.dev/tenant=acme', '!=x', 'acme ']) {
    const sam = await samOf(tenant);
    for (const path of [namespaces, `${namespaces}?watch=true&timeoutSeconds=1`, '/apis/platform.tappaas.dev/v1alpha1/tenants']) {
      const { status, text } = await call(sam, 'GET', path);
      t.is(status, 403, `${tenant}: ${path} ${text}`);
      t.false(text.includes('acme-shop'), text);
    }
    await call(admin, 'DELETE', `/apis/identity.tappaas.dev/v1alpha1/apitokens/sam-${tenant.replaceAll(/[^a-z]/g, 'x')}`);
  }
});
