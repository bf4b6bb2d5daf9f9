/** What people of one tenant try on another one, and what anybody tries in order to become more than they are. */
import { request } from 'node:https';
import test, { type ExecutionContext } from 'ava';
import { ownMs } from '../../core/test/own-time.ts';
import { call, eventually, type ApiAnswer, type Connection } from '../platform-process.ts';
import { make } from './running-platform.ts';
import { admin, ask, binding, canary, kept, merge, people, rbac, rivalShop, running, shop, type Person } from './two-tenants.ts';

const forged = 'https://forged.example';
const application = (host: string) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  spec: {
    source: { image: 'registry.example/shop@sha256:1' },
    processes: [{ name: 'web', ports: [{ name: 'http', port: 8080 }] }],
    routes: [{ name: 'web', host, process: 'web', port: 'http' }],
  },
});

function refused(t: ExecutionContext, what: string, { status, text }: ApiAnswer): void {
  t.true(status >= 400 && status < 500, `${what}: ${status} ${text}`);
  t.false(text.includes(canary), `${what}: ${text}`);
}

test('a page goes on for the same question only: not for another namespace, kind, selector or tenant', async (t) => {
  const first = await ask('tom', 'GET', `${shop}?limit=1`);
  const token = first.json<{ metadata: { continue: string } }>().metadata.continue;
  t.truthy(token);
  const next = (path: string) => `${path}${path.includes('?') ? '&' : '?'}limit=1&continue=${encodeURIComponent(token)}`;
  t.is((await ask('tom', 'GET', next(shop))).status, 200);
  for (const path of [
    '/api/v1/namespaces/shop/secrets',
    '/api/v1/namespaces',
    `${shop}?labelSelector=a%3Db`,
    `${shop}?fieldSelector=metadata.name%3Dx`,
  ]) {
    refused(t, path, await ask('tom', 'GET', next(path)));
  }
  refused(t, 'another tenant', await ask('rita', 'GET', next(rivalShop)));
  refused(t, 'another tenant, there', await ask('rita', 'GET', next(shop)));
  for (let at = 0; at < token.length; at += 3) {
    const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    refused(t, `changed at ${at}`, await ask('tom', 'GET', `${shop}?limit=1&continue=${encodeURIComponent(changed)}`));
  }
});

test('no selector reaches across the boundary of a tenant', async (t) => {
  for (const path of [
    '/api/v1/configmaps?fieldSelector=metadata.namespace%3Dshop',
    `/api/v1/configmaps?fieldSelector=metadata.name%3D${kept}-0`,
    '/api/v1/secrets',
    '/api/v1/events?fieldSelector=involvedObject.namespace%3Dshop',
    `${shop}?fieldSelector=metadata.name%3D${kept}-0`,
    `${shop}?watch=true&fieldSelector=metadata.name%3D${kept}-0&timeoutSeconds=1`,
    '/api/v1/configmaps?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1',
  ]) {
    refused(t, path, await ask('rita', 'GET', path));
  }
});

test('lists and watches of namespaces show the own ones only, whatever is selected', async (t) => {
  for (const query of ['', '?labelSelector=tappaas.dev%2Ftenant%3Dacme', '?fieldSelector=metadata.name%3Dshop', '?limit=1']) {
    const { status, text } = await ask('rita', 'GET', `/api/v1/namespaces${query}`);
    t.is(status, query.includes('metadata.name') ? 403 : 200, text);
    t.false(text.includes('"name":"shop"'), query);
  }
  const initial = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1';
  for (const query of [initial, `${initial}&fieldSelector=metadata.name%3Dshop`, 'watch=true&resourceVersion=0&timeoutSeconds=1']) {
    const { status, text } = await ask('rita', 'GET', `/api/v1/namespaces?${query}`);
    const isNarrowed = query.includes('metadata.name');
    t.is(status, isNarrowed ? 403 : 200, text);
    // Without this, a watch that sends nothing at all would pass.
    t.is(text.includes('"name":"rival-shop"'), !isNarrowed, text);
    t.false(text.includes('"name":"shop"'), query);
  }
});

test('deleting many deletes nothing of another tenant', async (t) => {
  for (const path of [
    shop,
    '/api/v1/namespaces/shop/secrets',
    '/api/v1/namespaces',
    '/api/v1/configmaps',
    `${shop}?labelSelector=a%21%3Db`,
  ]) {
    refused(t, path, await ask('rita', 'DELETE', path));
  }
  for (const name of [`${kept}-0`, `${kept}-2`]) t.is((await call(admin, 'GET', `${shop}/${name}`)).status, 200);
});

test('a namespace does not change hands by its labels', async (t) => {
  const label = (tenant: string | null) => ({ metadata: { labels: { 'tappaas.dev/tenant': tenant } } });
  refused(t, 'given away', await ask('tom', 'PATCH', '/api/v1/namespaces/shop', label('rival'), merge));
  refused(t, 'set free', await ask('tom', 'PATCH', '/api/v1/namespaces/shop', label(null), merge));
  refused(t, 'taken', await ask('rita', 'PATCH', '/api/v1/namespaces/shop', label('rival'), merge));
  refused(
    t,
    'made for another',
    await ask('rita', 'POST', '/api/v1/namespaces', { metadata: { name: 'trojan', ...label('acme').metadata } }),
  );
  const apply = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'rival' } } };
  for (const person of ['tom', 'rita'] as const) {
    refused(
      t,
      `applied by ${person}`,
      await ask(person, 'PATCH', '/api/v1/namespaces/shop?fieldManager=x&force=true', apply, 'application/apply-patch+yaml'),
    );
  }
  refused(t, 'made anew', await ask('rita', 'POST', '/api/v1/namespaces', { metadata: { name: 'shop' } }));
  const { metadata } = (await call(admin, 'GET', '/api/v1/namespaces/shop')).json<{ metadata: { labels: Record<string, string> } }>();
  t.is(metadata.labels['tappaas.dev/tenant'], 'acme');
});

test('who acts as somebody else without the right to is refused, whoever that is', async (t) => {
  const tried: readonly Readonly<Record<string, string>>[] = [
    { 'impersonate-user': 'paula' },
    { 'impersonate-user': 'tom', 'impersonate-group': 'system:masters' },
    { 'impersonate-group': 'system:masters' },
    { 'impersonate-user': 'tom', 'impersonate-extra-tappaas.dev%2ftenant': 'rival' },
    { 'impersonate-user': 'tom', 'impersonate-uid': '1' },
    { 'impersonate-user': 'system:serviceaccount:shop:default' },
    { 'impersonate-user': 'system:admin' },
    { 'Impersonate-User ': 'paula' },
    { 'impersonate-user': '' },
  ];
  const everybody = tried.filter((headers) => Object.keys(headers).every((name) => name.trim() === name));
  for (const headers of everybody) {
    refused(t, JSON.stringify(headers), await ask('tom', 'GET', rivalShop, undefined, undefined, headers));
    refused(t, JSON.stringify(headers), await ask('tom', 'GET', '/api/v1/nodes', undefined, undefined, headers));
  }
});

test('the right to act as any user is neither one to a group, nor to a service account, nor to another tenant', async (t) => {
  const desk = await running.as('desk');
  const grant = async (name: string, ...rules: readonly object[]): Promise<void> => {
    await make(admin, `${rbac}/clusterroles`, { metadata: { name }, rules: rules.map((rule) => ({ verbs: ['impersonate'], ...rule })) });
    await make(admin, `${rbac}/clusterrolebindings`, binding(name, 'ClusterRole', name, 'desk'));
  };
  const asTom = { 'impersonate-user': 'tom' };
  const status = async (headers: Readonly<Record<string, string>>, path = '/version') =>
    (await call(desk, 'GET', path, undefined, undefined, headers)).status;
  const more: readonly Readonly<Record<string, string>>[] = [
    { ...asTom, 'impersonate-group': 'devs' },
    { 'impersonate-user': 'system:serviceaccount:default:robot' },
    { ...asTom, 'impersonate-extra-tappaas.dev%2ftenant': 'acme' },
  ];
  await grant('desk-acts-as-users', { apiGroups: [''], resources: ['users'] });
  await eventually(
    () => status(asTom),
    (answered) => answered === 200,
  );
  for (const headers of more) t.is(await status(headers), 403, JSON.stringify(headers));
  await grant(
    'desk-acts-as-more',
    { apiGroups: [''], resources: ['groups'], resourceNames: ['devs'] },
    { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: ['robot'] },
    { apiGroups: ['authentication.k8s.io'], resources: ['userextras/tappaas.dev/tenant'], resourceNames: ['acme'] },
  );
  for (const headers of more) {
    await eventually(
      () => status(headers),
      (answered) => answered === 200,
    );
  }
  t.is(await status(asTom, shop), 403, 'in no tenant');
  t.is(await status({ ...asTom, 'impersonate-extra-tappaas.dev%2ftenant': 'acme' }, shop), 200);
  t.is(await status({ 'impersonate-user': 'rita', 'impersonate-extra-tappaas.dev%2ftenant': 'rival' }, rivalShop), 403);
});

test('no role, binding, aggregation or label makes its author more than they are', async (t) => {
  const roles = `${rbac}/namespaces/shop/roles`;
  const everything = { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] };
  const attempts: readonly (readonly [what: string, method: string, path: string, body: object, type?: string])[] = [
    ['a role of everything', 'POST', roles, { metadata: { name: 'all' }, ...everything }],
    ['a cluster role', 'POST', `${rbac}/clusterroles`, { metadata: { name: 'all' }, ...everything }],
    [
      'a role that aggregates',
      'POST',
      `${rbac}/clusterroles`,
      { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{}] }, rules: [] },
    ],
    [
      'a label that a role takes up',
      'PATCH',
      `${rbac}/clusterroles/platform-admin`,
      { metadata: { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } } },
      merge,
    ],
    ['a binding to platform-admin', 'POST', `${rbac}/namespaces/shop/rolebindings`, binding('up', 'ClusterRole', 'platform-admin', 'tom')],
    ['a binding of the cluster', 'POST', `${rbac}/clusterrolebindings`, binding('up', 'ClusterRole', 'tenant-admin', 'tom')],
    ['a binding of somebody else’s', 'PATCH', `${rbac}/clusterrolebindings/tenant-admins`, { subjects: [] }, merge],
    ['a role in another namespace', 'POST', `${rbac}/namespaces/rival-shop/roles`, { metadata: { name: 'x' }, rules: [] }],
    [
      'a token with groups',
      'POST',
      '/apis/identity.tappaas.dev/v1alpha1/apitokens',
      { metadata: { name: 'up' }, spec: { user: 'tom', groups: ['system:masters'] } },
    ],
    [
      'a token of another tenant',
      'POST',
      '/apis/identity.tappaas.dev/v1alpha1/apitokens',
      { metadata: { name: 'up' }, spec: { user: 'tom', tenant: 'rival' } },
    ],
    ['the token of somebody else', 'POST', '/apis/identity.tappaas.dev/v1alpha1/apitokens/paula/issue', {}],
    ['the tenant itself', 'PATCH', '/apis/platform.tappaas.dev/v1alpha1/tenants/acme', { spec: { suspended: true } }, merge],
  ];
  for (const [what, method, path, body, type] of attempts) {
    refused(t, what, await ask('tom', method, path, body, type));
    refused(t, `${what}, dry`, await ask('tom', method, `${path}?dryRun=All`, body, type));
  }
});

test('a role of one tenant for somebody of another opens nothing', async (t) => {
  const made = await ask('tom', 'POST', `${rbac}/namespaces/shop/rolebindings`, binding('guest', 'ClusterRole', 'viewer', 'rita', 'guest'));
  t.is(made.status, 201, made.text);
  const guest = await running.as('guest', { tenant: 'acme' });
  await eventually(
    () => call(guest, 'GET', shop),
    ({ status }) => status === 200,
  );
  refused(t, 'rita', await ask('rita', 'GET', shop));
});

test('who may do everything with applications in a namespace writes no release there, by whatever route', async (t) => {
  const apps = '/apis/apps.tappaas.dev/v1alpha1/namespaces/rival-shop';
  await make(admin, `${rbac}/namespaces/rival-shop/roles`, {
    metadata: { name: 'apps' },
    rules: [{ verbs: ['*'], apiGroups: ['apps.tappaas.dev'], resources: ['*'] }],
  });
  await make(admin, `${rbac}/namespaces/rival-shop/rolebindings`, binding('apps', 'Role', 'apps', 'rob'));
  const rob = await running.as('rob', { tenant: 'rival' });
  await eventually(
    () => call(rob, 'GET', `${apps}/releases`),
    ({ status }) => status === 200,
  );
  const created = await call(rob, 'POST', `${apps}/applications`, { metadata: { name: 'bait' }, ...application('bait.example.com') });
  t.is(created.status, 201, created.text);
  const { uid } = created.json<{ metadata: { uid: string } }>().metadata;
  const planted = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'planted', namespace: 'tappaas-rival-shop', annotations: { 'tappaas.dev/secret-copied-from': `shop/${kept}` } },
  };
  const release = {
    apiVersion: 'apps.tappaas.dev/v1alpha1',
    kind: 'Release',
    metadata: { name: 'bait-7' },
    spec: {
      of: { group: 'apps.tappaas.dev', kind: 'Application', name: 'bait', uid },
      number: 7,
      digest: `sha256:${'0'.repeat(64)}`,
      cluster: 'local',
      generation: 1,
      images: {},
      objects: [planted],
      plugins: {},
    },
  };
  for (const query of ['', '?dryRun=All']) {
    refused(t, `created${query}`, await call(rob, 'POST', `${apps}/releases${query}`, release));
    refused(t, `put${query}`, await call(rob, 'PUT', `${apps}/releases/bait-7${query}`, release));
    const applied = `${apps}/releases/bait-7?fieldManager=x&force=true${query.replace('?', '&')}`;
    refused(t, `applied${query}`, await call(rob, 'PATCH', applied, release, 'application/apply-patch+yaml'));
  }
  // One that the platform has written stays as it is.
  await make(admin, `${apps}/releases`, { ...release, metadata: { name: 'bait-1' }, spec: { ...release.spec, number: 1, objects: [] } });
  refused(t, 'changed', await call(rob, 'PATCH', `${apps}/releases/bait-1`, { spec: { objects: [planted] } }, merge));
  t.is((await call(rob, 'PATCH', `${apps}/releases/bait-1`, { metadata: { labels: { note: 'mine' } } }, merge)).status, 200);
  t.is((await call(rob, 'DELETE', `${apps}/releases/bait-1`)).status, 200);
});

test('what the platform says about an object is not said by its owner, through whatever subresource', async (t) => {
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/shop/applications';
  const created = await ask('dora', 'POST', path, {
    metadata: { name: 'web' },
    ...application('status.example.com'),
    status: { url: forged },
  });
  t.is(created.status, 201, created.text);
  t.false(created.text.includes(forged), created.text);
  for (const person of ['dora', 'tom'] as const) {
    refused(t, `status by ${person}`, await ask(person, 'PATCH', `${path}/web/status`, { status: { url: forged } }, merge));
    refused(
      t,
      `finalize by ${person}`,
      await ask(person, 'PUT', '/api/v1/namespaces/shop/finalize', { metadata: { name: 'shop' }, spec: { finalizers: [] } }),
    );
    refused(
      t,
      `status of the namespace by ${person}`,
      await ask(person, 'PATCH', '/api/v1/namespaces/shop/status', { status: { phase: 'Terminating' } }, merge),
    );
  }
  refused(t, 'scaled by who only looks', await ask('vera', 'PATCH', `${path}/web/scale`, { spec: { replicas: 9 } }, merge));
  refused(t, 'scaled from outside', await ask('rita', 'PATCH', `${path}/web/scale`, { spec: { replicas: 9 } }, merge));
  refused(t, 'an unknown subresource', await ask('tom', 'PATCH', `${path}/web/everything`, { spec: {} }, merge));
});

test('what another tenant has is refused in the very words of what is not there', async (t) => {
  const pairs: readonly (readonly [method: string, there: string, absent: string, body?: object])[] = [
    ['GET', `${shop}/${kept}-0`, '/api/v1/namespaces/not-there/configmaps/absent'],
    ['GET', shop, '/api/v1/namespaces/not-there/configmaps'],
    ['GET', '/api/v1/namespaces/shop', '/api/v1/namespaces/not-there'],
    ['DELETE', '/api/v1/namespaces/shop', '/api/v1/namespaces/not-there'],
    ['GET', '/apis/platform.tappaas.dev/v1alpha1/tenants/acme', '/apis/platform.tappaas.dev/v1alpha1/tenants/not-there'],
    ['GET', '/apis/identity.tappaas.dev/v1alpha1/apitokens/tom', '/apis/identity.tappaas.dev/v1alpha1/apitokens/absent'],
    ['POST', shop, '/api/v1/namespaces/not-there/configmaps', { metadata: { name: `${kept}-0` } }],
    ['DELETE', `${shop}/${kept}-0`, '/api/v1/namespaces/not-there/configmaps/absent'],
    [
      'POST',
      '/api/v1/namespaces/shop/serviceaccounts/default/token',
      '/api/v1/namespaces/not-there/serviceaccounts/default/token',
      { spec: {} },
    ],
  ];
  for (const [method, there, absent, body] of pairs) {
    const [one, other] = [await ask('rita', method, there, body), await ask('rita', method, absent, body)];
    const words = ({ text }: ApiAnswer): string =>
      text
        .replaceAll(/not-there|shop|acme/g, '…')
        .replaceAll(new RegExp(`${kept}-0|absent|tom`, 'g'), '…')
        .replaceAll(/canary-of-…-0/g, '…');
    t.is(one.status, other.status, `${method} ${there}: ${one.text}\n${other.text}`);
    t.is(words(one), words(other), `${method} ${there}`);
  }
});

test('GraphQL and its errors know no more of another tenant than of what is not there', async (t) => {
  const graphql = async (namespace: string) => {
    const query = `{ configMap(namespace: "${namespace}", name: "${kept}-0") { name } namespace(name: "${namespace}") { name } }`;
    return (await ask('rita', 'POST', '/graphql', { query })).text
      .replaceAll(namespace, '…')
      .replaceAll(/"requestId":"[^"]*"|"column":\d+/g, '');
  };
  t.is(await graphql('shop'), await graphql('not-there'));
  const lists = await ask('rita', 'POST', '/graphql', { query: '{ namespaces(first: 100) { nodes { name } } }' });
  t.false(lists.text.includes('"shop"'), lists.text);
});

test('a host that another tenant has is refused without a word about who has it', async (t) => {
  const path = (namespace: string) => `/apis/apps.tappaas.dev/v1alpha1/namespaces/${namespace}/applications`;
  const first = await ask('dora', 'POST', path('shop'), { metadata: { name: kept }, ...application('taken.example.com') });
  t.is(first.status, 201, first.text);
  const second = await ask('rita', 'POST', path('rival-shop'), { metadata: { name: 'thief' }, ...application('taken.example.com') });
  refused(t, 'a taken host', second);
  t.false(/\bshop\b|acme/.test(second.text.replaceAll('rival-shop', '')), second.text);
});

test('the key of a repeated request is the caller’s own: nobody is told the answer of somebody else', async (t) => {
  const headers = { 'idempotency-key': 'the-same-key' };
  const mine = await ask('tom', 'POST', shop, { metadata: { name: 'kept-by-tom' }, data: { canary } }, undefined, headers);
  t.is(mine.status, 201);
  const theirs = await ask('rita', 'POST', rivalShop, { metadata: { name: 'kept-by-rita' } }, undefined, headers);
  t.is(theirs.status, 201, theirs.text);
  t.false(theirs.text.includes(canary));
  const again = await ask('tom', 'POST', shop, { metadata: { name: 'kept-by-tom' }, data: { canary } }, undefined, headers);
  t.is(again.text, mine.text);
});

test('an owner in another namespace neither keeps nor takes away what it is said to own', async (t) => {
  const victim = (await call(admin, 'GET', `${shop}/${kept}-1`)).json<{ metadata: { uid: string } }>();
  const owner = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: `${kept}-1`,
    uid: victim.metadata.uid,
    blockOwnerDeletion: true,
    controller: true,
  };
  const bait = await ask('rita', 'POST', rivalShop, { metadata: { name: 'bait', ownerReferences: [owner] } });
  t.true(bait.status === 201 || bait.status === 422, bait.text);
  const gone = await ask('tom', 'DELETE', `${shop}/${kept}-1?propagationPolicy=Foreground`);
  t.is(gone.status, 200, gone.text);
  await eventually(
    () => call(admin, 'GET', `${shop}/${kept}-1`),
    ({ status }) => status === 404,
  );
  t.is((await call(admin, 'GET', `${rivalShop}/own`)).status, 200);
  await make(admin, shop, { metadata: { name: `${kept}-1` }, data: { canary } });
});

test('who only looks sees no Secret, by whatever way', async (t) => {
  for (const path of [
    '/api/v1/namespaces/shop/secrets',
    `/api/v1/namespaces/shop/secrets/${kept}`,
    `/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3D${kept}`,
    '/api/v1/namespaces/shop/secrets?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1',
    '/api/v1/secrets',
  ]) {
    refused(t, path, await ask('vera', 'GET', path));
    refused(
      t,
      `${path} as a table`,
      await ask('vera', 'GET', path, undefined, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
    );
  }
  const { text } = await ask('vera', 'POST', '/graphql', {
    query: `{ secret(namespace: "shop", name: "${kept}") { name data { key value } } }`,
  });
  t.false(text.includes(Buffer.from(canary).toString('base64')), text);
});

test('a credential from which the tenant is missing opens no tenant, whatever is bound to its name everywhere', async (t) => {
  const own = '/api/v1/namespaces/default/configmaps';
  await eventually(
    () => ask('tam', 'GET', own),
    ({ status }) => status === 200,
  );
  for (const path of [
    '/api/v1/secrets',
    '/api/v1/configmaps?watch=true',
    '/api/v1/namespaces/shop/secrets',
    `/api/v1/namespaces/shop/secrets/${kept}`,
    `${shop}?labelSelector=a%3Db`,
    '/api/v1/namespaces/shop',
    '/api/v1/namespaces/tappaas-system/secrets',
    `${rbac}/rolebindings`,
  ]) {
    const answer = await ask('tam', 'GET', path);
    t.is(answer.status, 403, `${path}: ${answer.text}`);
    refused(t, path, answer);
  }
  const into = `${rbac}/namespaces/shop/rolebindings`;
  t.is((await ask('tam', 'POST', into, binding('tam', 'ClusterRole', 'tenant-admin', 'tam'))).status, 403);
  const sent = { query: `{ secret(namespace: "shop", name: "${kept}") { name } namespaces(first: 50) { nodes { name } } }` };
  const { text } = await ask('tam', 'POST', '/graphql', sent);
  t.regex(text, /TAP_REQUEST_FORBIDDEN/);
  t.false(text.includes('"shop"'), text);
  const names = (await ask('tam', 'GET', '/api/v1/namespaces')).json<{ items: { metadata: { name: string } }[] }>();
  t.true(names.items.some(({ metadata }) => metadata.name === 'default'));
  t.false(names.items.some(({ metadata }) => metadata.name.endsWith('shop')));
});

test('no spelling of a path leads somebody of a tenant to what the platform answers for itself', async (t) => {
  await make(admin, `${rbac}/clusterroles`, {
    metadata: { name: 'asks-plugins' },
    rules: [{ verbs: ['*'], nonResourceURLs: ['/plugins/*'] }],
  });
  await make(admin, `${rbac}/clusterrolebindings`, binding('ask-plugins', 'ClusterRole', 'asks-plugins', 'vera'));
  await eventually(
    () => ask('vera', 'GET', '/plugins/nobody'),
    ({ status }) => status === 404,
  );
  t.is((await call(admin, 'GET', '/plugins/platform/sealing-keys')).status, 200);
  for (const instance of ['platform', '%70latform', 'plat%66orm', '%70%6c%61%74%66%6F%72%6d', 'Platform'])
    refused(t, instance, await ask('vera', 'GET', `/plugins/${instance}/sealing-keys`));
});

test('whether somebody may is answered as the request would be, though the question names no version', async (t) => {
  const tokens = { group: 'identity.tappaas.dev', resource: 'apitokens' };
  const own = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
  t.is((await ask('dora', 'POST', `${own}?dryRun=All`, { metadata: { name: 'mine' }, spec: {} })).status, 201);
  await make(people.dora, own, { metadata: { name: 'mine' }, spec: {} });
  const decide = async (person: Person, attributes: object) => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const answer = await ask(person, 'POST', path, { spec: { resourceAttributes: attributes } });
    return answer.json<{ status: { allowed: boolean } }>().status.allowed;
  };
  for (const version of [{}, { version: '' }, { version: '*' }, { version: 'v1alpha1' }]) {
    for (const [person, attributes, allowed] of [
      ['dora', { verb: 'create' }, true],
      ['dora', { verb: 'list' }, true],
      ['dora', { verb: 'delete', name: 'mine' }, true],
      ['vera', { verb: 'create' }, true],
      ['vera', { verb: 'delete', name: 'mine' }, false],
      ['tam', { verb: 'delete', name: 'mine' }, false],
    ] as const)
      t.is(await decide(person, { ...tokens, ...attributes, ...version }), allowed, JSON.stringify([person, attributes, version]));
  }
  const names = async (verb: string) => {
    const path = `/plugins/platform/who-can?verb=${verb}&group=${tokens.group}&resource=${tokens.resource}&name=mine`;
    const { subjects } = (await call(admin, 'GET', path)).json<{ subjects: readonly { readonly name: string }[] }>();
    return [...new Set(subjects.map(({ name }) => name))].toSorted();
  };
  t.deepEqual(await names('create'), ['system:authenticated', 'system:masters']);
  t.deepEqual(await names('delete'), ['system:masters']);
});

test('nobody answers at a path of a host that another tenant’s application routes', async (t) => {
  const at = (namespace: string, name = '') => `/apis/apps.tappaas.dev/v1alpha1/namespaces/${namespace}/applications${name}`;
  const routing = (name: string, path: string, host = 'shop.example.com') => {
    const { spec, ...head } = application(host);
    return { ...head, metadata: { name }, spec: { ...spec, routes: spec.routes.map((each) => ({ ...each, path })) } };
  };
  t.is((await ask('dora', 'POST', at('shop'), routing('front', '/'))).status, 201);
  for (const path of ['/login', '/', '/a/b']) {
    const refusal = await ask('rita', 'POST', at('rival-shop'), routing('thief', path));
    t.is(refusal.status, 403, path);
    t.regex(refusal.text, /"HostTaken"/);
  }
  t.is((await ask('rita', 'POST', at('rival-shop'), routing('own', '/', 'rival.example.com'))).status, 201);
  const moved = { spec: { routes: routing('own', '/login').spec.routes } };
  t.is((await ask('rita', 'PATCH', at('rival-shop', '/own'), moved, merge)).status, 403);
  t.is((await ask('dora', 'DELETE', at('shop', '/front'))).status, 200);
  await eventually(
    () => ask('rita', 'PATCH', at('rival-shop', '/own'), moved, merge),
    ({ status }) => status === 200,
  );
});

test('who audits sees all tenants, and changes nothing of any', async (t) => {
  const read = await eventually(
    () => ask('olga', 'GET', '/api/v1/configmaps'),
    ({ status }) => status === 200,
  );
  t.true(read.text.includes(canary));
  t.is((await ask('olga', 'GET', '/api/v1/secrets')).status, 403);
  t.is((await ask('olga', 'POST', shop, { metadata: { name: 'olgas' } })).status, 403);
});

test('the open watch of a token that is revoked ends within seconds', async (t) => {
  const token = await running.as('brief', { tenant: 'acme' });
  await ask('tom', 'POST', `${rbac}/namespaces/shop/rolebindings`, binding('brief', 'ClusterRole', 'viewer', 'brief'));
  await eventually(
    () => call(token, 'GET', shop),
    ({ status }) => status === 200,
  );
  const open = await watch(token, `${shop}?watch=true`);
  t.is(open.status, 200);
  t.is((await call(admin, 'DELETE', '/apis/identity.tappaas.dev/v1alpha1/apitokens/brief')).status, 200);
  t.true((await ownMs(() => open.ended)) < 10_000);
  t.is((await call(token, 'GET', shop)).status, 401);
});

function watch({ server, token, ca }: Connection, path: string): Promise<{ readonly status: number; readonly ended: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, server), { ca, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      const ended = new Promise<void>((done) => void answer.once('close', done));
      answer.resume().on('error', () => {});
      resolve({ status: answer.statusCode ?? 0, ended });
    });
    sent.on('error', reject).end();
  });
}
