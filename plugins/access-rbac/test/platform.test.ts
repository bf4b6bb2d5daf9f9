/** The complete plugin in a kernel: what callers may do, over HTTP with impersonation. */
import { load, startTestKernel, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { ownMs } from '../../../core/test/own-time.ts';
import accessRbac from '../dist/index.js';
import { ClusterRoles } from '../dist/kinds.js';

const rbac = '/apis/rbac.authorization.k8s.io/v1';

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

/** A caller: the administrator, or a user that the administrator impersonates. */
class Person {
  readonly #kernel: TestKernel;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(kernel: TestKernel, headers: Readonly<Record<string, string>> = {}) {
    this.#kernel = kernel;
    this.#headers = headers;
  }

  async send(method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { status, text: answer } = await this.#kernel.http(method, path, text, { 'content-type': type, ...this.#headers });
    return { status, json: JSON.parse(answer) };
  }
}

const roleRef = (name: string, kind = 'ClusterRole') => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
const user = (name: string) => ({ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' });
const group = (name: string) => ({ kind: 'Group', name, apiGroup: 'rbac.authorization.k8s.io' });
const toView = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
const binding = (name: string, role: string, ...names: string[]) => ({
  metadata: { name },
  roleRef: roleRef(role),
  subjects: names.map(user),
});

async function started() {
  const kernel = await startTestKernel({ plugins: [load(accessRbac, {}, { id: 'roles' })] });
  await kernel.advance(1);
  await kernel.reconcileUntilSettled();
  const as = (name: string, tenant?: string): Person =>
    new Person(kernel, { 'impersonate-user': name, ...(tenant !== undefined && { 'impersonate-extra-tappaas.dev%2ftenant': tenant }) });
  return { kernel, as, admin: new Person(kernel) };
}

/** Polls until a condition holds, since roles are followed asynchronously; returns how long that took of this thread's time. */
async function eventually(t: { fail(message: string): void }, holds: () => Promise<boolean>): Promise<number> {
  const endMs = Date.now() + 60_000;
  return ownMs(async () => {
    while (!(await holds())) if (Date.now() > endMs) return t.fail('it was not so within a minute');
  });
}

test('the default roles are there, and those that aggregate hold what they aggregate', async (t) => {
  const { kernel } = await started();
  for (const name of ['platform-admin', 'tenant-admin', 'developer', 'viewer', 'auditor']) {
    const role = await kernel.resources.get(ClusterRoles, { name });
    t.true((role?.rules ?? []).length > 0, name);
  }
  const rulesOf = async (name: string) => (await kernel.resources.get(ClusterRoles, { name }))?.rules ?? [];
  const printed = (rules: readonly object[]) => rules.map((rule) => JSON.stringify(rule));
  const developer = printed(await rulesOf('developer'));
  for (const rule of printed(await rulesOf('viewer'))) t.true(developer.includes(rule), rule);
  t.false(printed(await rulesOf('viewer')).some((rule) => rule.includes('"secrets"')));
  await kernel.stop();
});

test('a default role that lost rules gets them back, unless it says that it is left alone', async (t) => {
  const { kernel, admin } = await started();
  const authenticatedRole = `${rbac}/clusterroles/tappaas:everybody`;
  const own = { verbs: ['get'], nonResourceURLs: ['/own'] };
  await admin.send('PATCH', authenticatedRole, { rules: [own] }, 'application/merge-patch+json');
  await admin.send(
    'PATCH',
    `${rbac}/clusterroles/auditor`,
    { rules: [], metadata: { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } } },
    'application/merge-patch+json',
  );
  await kernel.advance(600_000);
  await eventually(t, async () => (await admin.send('GET', authenticatedRole)).json.rules.length > 1);
  t.deepEqual((await admin.send('GET', authenticatedRole)).json.rules[0], own);
  t.deepEqual((await admin.send('GET', `${rbac}/clusterroles/auditor`)).json.rules ?? [], []);
  await kernel.stop();
});

// Serial, since the other tests of this file would use a part of the second.
test.serial('a binding lets somebody in within a second, and its end keeps them out within a second', async (t) => {
  const { kernel, as, admin } = await started();
  const ann = as('ann');
  const list = async () => (await ann.send('GET', '/api/v1/namespaces/default/configmaps')).status;
  t.is(await list(), 403);
  await admin.send('POST', `${rbac}/namespaces/default/rolebindings`, binding('viewers', 'viewer', 'ann'));
  const letInMs = await eventually(t, async () => (await list()) === 200);
  t.true(letInMs < 1000, `${letInMs} ms`);
  t.is((await ann.send('GET', '/api/v1/namespaces/default/configmaps/absent')).status, 404);
  t.is((await ann.send('GET', '/api/v1/namespaces/default/secrets/absent')).status, 403);
  t.is((await ann.send('GET', '/api/v1/configmaps')).status, 403);
  t.is((await ann.send('GET', '/api/v1/namespaces/default')).status, 200);
  await admin.send('DELETE', `${rbac}/namespaces/default/rolebindings/viewers`);
  const forbiddenMs = await eventually(t, async () => (await list()) === 403);
  t.true(forbiddenMs < 1000, `${forbiddenMs} ms`);
  await kernel.stop();
});

test('nobody writes or binds a role with more than they have, but who may escalate or bind it', async (t) => {
  const { kernel, as, admin } = await started();
  const eve = as('eve');
  const roles = `${rbac}/namespaces/default/roles`;
  await admin.send('POST', `${rbac}/namespaces/default/rolebindings`, binding('admins', 'tenant-admin', 'eve'));
  await eventually(t, async () => (await eve.send('GET', roles)).status === 200);
  const role = (name: string, verb: string, resource: string) => ({
    metadata: { name },
    rules: [{ verbs: [verb], apiGroups: [''], resources: [resource] }],
  });
  t.is((await eve.send('POST', roles, role('reader', 'get', 'secrets'))).status, 201);
  const refused = await eve.send('POST', roles, role('more', 'get', 'nodes'));
  t.is(refused.status, 403);
  t.regex(
    refused.json.message,
    /attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["nodes"\], Verbs:\["get"\]\}/,
  );
  t.is((await eve.send('PUT', `${roles}/reader`, role('reader', '*', 'secrets'))).status, 403);
  const bindings = `${rbac}/namespaces/default/rolebindings`;
  t.is((await eve.send('POST', bindings, binding('viewers', 'viewer', 'bob'))).status, 201);
  t.is((await eve.send('POST', bindings, binding('boss', 'platform-admin', 'eve'))).status, 403);
  t.is((await eve.send('POST', bindings, binding('ghost', 'not-there', 'eve'))).status, 403);
  await admin.send('POST', `${rbac}/clusterroles`, {
    metadata: { name: 'boss-maker' },
    rules: [{ verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['platform-admin'] }],
  });
  await admin.send('POST', bindings, binding('makers', 'boss-maker', 'eve'));
  await eventually(t, async () => (await eve.send('POST', bindings, binding('boss', 'platform-admin', 'carl'))).status === 201);
  await kernel.stop();
});

const everything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];

/** Each way to make a change in an existing object. */
const writes: Readonly<Record<string, (person: Person, path: string, change: object) => Promise<Answer>>> = {
  merge: (person, path, change) => person.send('PATCH', path, change, 'application/merge-patch+json'),
  strategic: (person, path, change) => person.send('PATCH', path, change, 'application/strategic-merge-patch+json'),
  json: (person, path, change) => {
    const steps = Object.entries(change).map(([name, value]) => ({ op: 'add', path: `/${name}`, value: value as object }));
    return person.send('PATCH', path, steps, 'application/json-patch+json');
  },
  put: async (person, path, change) => person.send('PUT', path, { ...(await person.send('GET', path)).json, ...change }),
  apply: async (person, path, change) => {
    const { apiVersion, kind, metadata, ...rest } = (await person.send('GET', path)).json;
    const applied = { apiVersion, kind, metadata: { name: metadata.name, finalizers: metadata.finalizers }, ...rest, ...change };
    return person.send('PATCH', `${path}?fieldManager=eve&force=true`, applied, 'application/apply-patch+yaml');
  },
};

test('a role or binding that is being deleted takes no more than its writer has, however it is written', async (t) => {
  const { kernel, as, admin } = await started();
  const eve = as('eve');
  const held = { finalizers: ['eve.dev/hold'] };
  const namespaced = `${rbac}/namespaces/default`;
  await admin.send('POST', `${rbac}/clusterroles`, {
    metadata: { name: 'role-writer' },
    rules: [
      {
        verbs: ['get', 'create', 'update', 'patch', 'delete'],
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['clusterroles'],
      },
    ],
  });
  await admin.send('POST', `${rbac}/clusterrolebindings`, binding('role-writers', 'role-writer', 'eve'));
  await admin.send('POST', `${namespaced}/rolebindings`, binding('admins', 'tenant-admin', 'eve'));
  await admin.send('POST', `${namespaced}/rolebindings`, {
    ...binding('boss', 'platform-admin', 'carl'),
    metadata: { name: 'boss', ...held },
  });
  await eventually(t, async () => (await eve.send('GET', `${namespaced}/roles`)).status === 200);
  await eventually(t, async () => (await eve.send('GET', `${rbac}/clusterroles/role-writer`)).status === 200);
  t.is((await eve.send('POST', `${namespaced}/roles`, { metadata: { name: 'x', ...held }, rules: [] })).status, 201);
  t.is((await eve.send('POST', `${rbac}/clusterroles`, { metadata: { name: 'x', ...held }, rules: [] })).status, 201);
  const cases = [
    { path: `${namespaced}/roles/x`, change: { rules: everything } },
    { path: `${rbac}/clusterroles/x`, change: { rules: everything } },
    { path: `${namespaced}/rolebindings/boss`, change: { subjects: [user('eve')] } },
  ];
  for (const { path, change } of cases) {
    t.is((await eve.send('DELETE', path)).status, 200, path);
    for (const [way, write] of Object.entries(writes)) {
      const before = (await admin.send('GET', path)).json;
      const { status, json } = await write(eve, path, change);
      t.is(status, 403, `${path} ${way}: ${json.message}`);
      t.deepEqual((await admin.send('GET', path)).json, before, `${path} ${way}`);
    }
    t.is((await writes['merge']?.(eve, path, { metadata: { finalizers: null } }))?.status, 200, path);
    t.is((await admin.send('GET', path)).status, 404, path);
  }
  await kernel.stop();
});

test('what somebody of no tenant has everywhere counts in a tenant’s namespace no more for what they hand on than for what they do', async (t) => {
  const { kernel, as, admin } = await started();
  const pat = as('pat');
  const inShop = `${rbac}/namespaces/shop`;
  await admin.send('POST', '/api/v1/namespaces', { metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } } });
  const handsOn = (verb: string) => [{ verbs: [verb], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] }];
  await admin.send('POST', `${rbac}/clusterroles`, { metadata: { name: 'hander' }, rules: handsOn('create') });
  const free = [...handsOn('bind'), ...handsOn('escalate')];
  await admin.send('POST', `${rbac}/clusterroles`, { metadata: { name: 'free' }, rules: free });
  await admin.send('POST', `${rbac}/clusterrolebindings`, binding('pat-develops', 'developer', 'pat'));
  await admin.send('POST', `${rbac}/clusterrolebindings`, binding('pat-is-free', 'free', 'pat'));
  for (const namespace of ['shop', 'default'])
    await admin.send('POST', `${rbac}/namespaces/${namespace}/rolebindings`, binding('handers', 'hander', 'pat'));
  const reader = { metadata: { name: 'reader' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }] };
  const own = { metadata: { name: 'own' }, rules: handsOn('create') };
  await eventually(t, async () => (await pat.send('POST', `${inShop}/roles`, own)).status === 201);
  await eventually(t, async () => (await pat.send('POST', `${rbac}/namespaces/default/roles`, reader)).status === 201);
  t.is((await pat.send('POST', `${rbac}/namespaces/default/rolebindings`, binding('developers', 'developer', 'pat'))).status, 201);

  t.is((await pat.send('GET', '/api/v1/namespaces/shop/secrets')).status, 403);
  t.is((await pat.send('POST', `${inShop}/roles`, reader)).status, 403);
  t.is((await pat.send('POST', `${inShop}/rolebindings`, binding('developers', 'developer', 'pat'))).status, 403);
  t.is((await pat.send('GET', '/api/v1/namespaces/shop/secrets')).status, 403);

  await admin.send('POST', `${inShop}/rolebindings`, binding('pat-is-free', 'free', 'pat'));
  await eventually(t, async () => (await pat.send('POST', `${inShop}/roles`, reader)).status === 201);
  t.is((await pat.send('POST', `${inShop}/rolebindings`, binding('developers', 'developer', 'pat'))).status, 201);
  await kernel.stop();
});

test('somebody of no tenant hands on to all tenants nothing of what they have outside of them, but who may bind, escalate or oversee', async (t) => {
  const { kernel, as, admin } = await started();
  const [pat, ann] = [as('pat'), as('ann', 'acme')];
  await admin.send('POST', '/api/v1/namespaces', { metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } } });
  const handsOn = (...verbs: string[]) => [{ verbs, apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] }];
  const [roles, bindings] = [`${rbac}/clusterroles`, `${rbac}/clusterrolebindings`];
  await admin.send('POST', roles, { metadata: { name: 'hander' }, rules: handsOn('create', 'get', 'patch') });
  await admin.send('POST', roles, { metadata: { name: 'acme-staff' }, rules: [] });
  await admin.send('POST', bindings, binding('staff', 'acme-staff', 'ann'));
  await admin.send('POST', bindings, binding('pat-administers', 'tenant-admin', 'pat'));
  await admin.send('POST', bindings, binding('pat-hands-on', 'hander', 'pat'));
  await eventually(t, async () => (await pat.send('GET', '/api/v1/namespaces/default/secrets')).status === 200);
  await eventually(
    t,
    async () => (await pat.send('GET', bindings)).status === 403 && (await pat.send('GET', `${bindings}/staff`)).status === 200,
  );

  const reader = [{ verbs: ['list'], apiGroups: [''], resources: ['secrets'] }];
  const refused = await pat.send('POST', bindings, binding('ann-develops', 'developer', 'ann'));
  t.is(refused.status, 403);
  t.regex(refused.json.message, /of no tenant.*oversee tenants\.platform\.tappaas\.dev/);
  t.is((await pat.send('POST', bindings, { ...binding('all', 'developer'), subjects: [group('system:authenticated')] })).status, 403);
  t.is((await pat.send('PATCH', `${roles}/acme-staff`, { rules: reader }, 'application/merge-patch+json')).status, 403);
  t.is((await pat.send('POST', roles, { metadata: { name: 'reader', labels: toView }, rules: reader })).status, 403);
  t.is((await ann.send('GET', '/api/v1/namespaces/shop/secrets')).status, 403);

  const free = [{ ...handsOn('bind')[0], resourceNames: ['developer'] }];
  await admin.send('POST', roles, { metadata: { name: 'binder' }, rules: free });
  await admin.send('POST', bindings, binding('pat-binds', 'binder', 'pat'));
  await eventually(t, async () => (await pat.send('POST', bindings, binding('ann-develops', 'developer', 'ann'))).status === 201);
  await admin.send('POST', bindings, binding('pat-oversees', 'auditor', 'pat'));
  await eventually(
    t,
    async () => (await pat.send('PATCH', `${roles}/acme-staff`, { rules: reader }, 'application/merge-patch+json')).status === 200,
  );
  await kernel.stop();
});

test('a label by which a role would be taken up into others is a write of the role like any other', async (t) => {
  const { kernel, as, admin } = await started();
  const mallory = as('mallory');
  await admin.send('POST', `${rbac}/clusterroles`, {
    metadata: { name: 'labeller' },
    rules: [
      { verbs: ['get', 'patch'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] },
      { verbs: ['oversee'], apiGroups: ['platform.tappaas.dev'], resources: ['tenants'] },
    ],
  });
  await admin.send('POST', `${rbac}/clusterrolebindings`, binding('labellers', 'labeller', 'mallory'));
  await eventually(t, async () => (await mallory.send('GET', `${rbac}/clusterroles/auditor`)).status === 200);
  const label = { metadata: { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } } };
  t.is((await mallory.send('PATCH', `${rbac}/clusterroles/auditor`, label, 'application/merge-patch+json')).status, 403);
  t.is((await mallory.send('PATCH', `${rbac}/clusterroles/labeller`, label, 'application/merge-patch+json')).status, 200);
  await kernel.stop();
});

test('a label on a role or binding of a namespace gives nobody anything, so who has less than it gives may write one', async (t) => {
  const { kernel, as, admin } = await started();
  const here = `${rbac}/namespaces/default`;
  const rules = [{ verbs: ['get', 'patch'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] }];
  await admin.send('POST', `${here}/roles`, { metadata: { name: 'labeller' }, rules });
  await admin.send('POST', `${here}/rolebindings`, { ...binding('labellers', 'labeller', 'mia'), roleRef: roleRef('labeller', 'Role') });
  const more = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
  await admin.send('POST', `${here}/roles`, { metadata: { name: 'boss' }, rules: more });
  await admin.send('POST', `${here}/rolebindings`, { ...binding('bosses', 'boss', 'bob'), roleRef: roleRef('boss', 'Role') });
  const mia = as('mia');
  await eventually(t, async () => (await mia.send('GET', `${here}/roles/boss`)).status === 200);
  const patch = async (name: string, body: object) =>
    (await mia.send('PATCH', `${here}/${name}`, body, 'application/merge-patch+json')).status;
  const label = { metadata: { labels: { team: 'shop' } } };
  t.is(await patch('roles/boss', label), 200);
  t.is(await patch('rolebindings/bosses', label), 200);
  t.is(await patch('roles/labeller', { ...label, rules: more }), 403);
  t.is(await patch('rolebindings/bosses', { ...label, subjects: [user('bob'), user('mia')] }), 403);
  await kernel.stop();
});

test('a tenant’s administrator makes namespaces of the tenant, becomes their tenant-admin, and sees no other tenant', async (t) => {
  const { kernel, as, admin } = await started();
  const [ann, rita] = [as('ann', 'acme'), as('rita', 'rival')];
  await admin.send('POST', `${rbac}/clusterrolebindings`, binding('acme-admins', 'tenant-admin', 'ann', 'rita'));
  await eventually(t, async () => (await ann.send('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } })).status === 201);
  const shop = (await ann.send('GET', '/api/v1/namespaces/shop')).json;
  t.is(shop.metadata.labels['tappaas.dev/tenant'], 'acme');
  t.is((await ann.send('POST', '/api/v1/namespaces/shop/configmaps', { metadata: { name: 'a' } })).status, 201);
  t.is((await rita.send('POST', '/api/v1/namespaces', { metadata: { name: 'rival-shop' } })).status, 201);
  for (const path of [
    '/api/v1/namespaces/shop',
    '/api/v1/namespaces/shop/configmaps',
    '/api/v1/namespaces/default/configmaps',
    '/api/v1/configmaps',
  ]) {
    t.is((await rita.send('GET', path)).status, 403, path);
  }
  const named = async (who: Person) =>
    (await who.send('GET', '/api/v1/namespaces')).json.items.map((each: { metadata: { name: string } }) => each.metadata.name);
  t.deepEqual(await named(ann), ['shop']);
  t.deepEqual(await named(rita), ['rival-shop']);
  const steal = { metadata: { labels: { 'tappaas.dev/tenant': 'rival' } } };
  t.is((await ann.send('PATCH', '/api/v1/namespaces/shop', steal, 'application/merge-patch+json')).status, 403);
  t.is(
    (await ann.send('PATCH', '/api/v1/namespaces/shop', { metadata: { labels: { team: 'a' } } }, 'application/merge-patch+json')).status,
    200,
  );
  t.is(
    (await rita.send('POST', '/api/v1/namespaces', { metadata: { name: 'gift', labels: { 'tappaas.dev/tenant': 'acme' } } })).status,
    403,
  );
  await kernel.reconcileUntilSettled();
  const first = (await ann.send('GET', `${rbac}/namespaces/shop/rolebindings/requester`)).json;
  t.like(first, { roleRef: { name: 'tenant-admin' }, subjects: [{ kind: 'User', name: 'ann' }] });
  await ann.send('DELETE', `${rbac}/namespaces/shop/rolebindings/requester`);
  await kernel.reconcileUntilSettled();
  t.is((await ann.send('GET', `${rbac}/namespaces/shop/rolebindings/requester`)).status, 404);
  await kernel.stop();
});

test('who made a namespace and lost the role in it does not get it back by what the namespace says of it', async (t) => {
  const { kernel, as, admin } = await started();
  const shop = '/api/v1/namespaces/shop';
  const [tom, ann] = [as('tom', 'acme'), as('ann', 'acme')];
  await admin.send('POST', `${rbac}/clusterrolebindings`, binding('admins', 'tenant-admin', 'tom', 'ann'));
  await eventually(t, async () => (await ann.send('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } })).status === 201);
  await kernel.reconcileUntilSettled();
  const isBound = async () => (await tom.send('GET', `${rbac}/namespaces/shop/rolebindings/requester`)).status === 200;
  t.true(await isBound());
  t.is((await tom.send('DELETE', `${rbac}/namespaces/shop/rolebindings/requester`)).status, 200);
  const unbound = { metadata: { annotations: { 'tappaas.dev/requester-bound': null } } };
  for (const part of ['', '/status', '/finalize']) await ann.send('PATCH', `${shop}${part}`, unbound, 'application/merge-patch+json');
  const { metadata } = (await tom.send('GET', shop)).json;
  t.is(metadata.annotations['tappaas.dev/requester-bound'], 'true');
  await kernel.reconcileUntilSettled();
  t.false(await isBound());

  const label = { metadata: { labels: { team: 'a' } } };
  t.is((await ann.send('PATCH', shop, label, 'application/merge-patch+json')).status, 200);
  const { annotations } = metadata;
  t.is((await tom.send('POST', '/api/v1/namespaces', { metadata: { name: 'copy', annotations } })).status, 201);
  await kernel.reconcileUntilSettled();
  t.like((await tom.send('GET', `${rbac}/namespaces/copy/rolebindings/requester`)).json, { subjects: [{ name: 'tom' }] });
  await kernel.stop();
});

test('the rules of a caller are listed whole', async (t) => {
  const { kernel, as, admin } = await started();
  await admin.send('POST', `${rbac}/namespaces/default/rolebindings`, binding('viewers', 'viewer', 'ann'));
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: 'default' } };
  const rules = async () => (await as('ann').send('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', review)).json.status;
  await eventually(t, async () => JSON.stringify(await rules()).includes('apps.tappaas.dev'));
  t.false((await rules()).incomplete);
  t.true(JSON.stringify((await rules()).nonResourceRules).includes('/plugins/-/sources'));
  await kernel.stop();
});

test('who may patch does not thereby create, and a role that names objects counts for a watch of one of them', async (t) => {
  const { kernel, as, admin } = await started();
  const patty = as('patty');
  const rules = [{ verbs: ['patch', 'list', 'watch'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['known', 'new'] }];
  await admin.send('POST', `${rbac}/namespaces/default/roles`, { metadata: { name: 'patcher' }, rules });
  await admin.send('POST', `${rbac}/namespaces/default/rolebindings`, {
    ...binding('patchers', 'patcher', 'patty'),
    roleRef: roleRef('patcher', 'Role'),
  });
  const maps = '/api/v1/namespaces/default/configmaps';
  await admin.send('POST', maps, { metadata: { name: 'known' } });
  await eventually(t, async () => (await patty.send('GET', `${maps}?fieldSelector=metadata.name%3Dknown`)).status === 200);
  t.is((await patty.send('GET', `${maps}?fieldSelector=metadata.name%3Dother`)).status, 403);
  t.is((await patty.send('GET', maps)).status, 403);
  const apply = (name: string) => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } };
    return patty.send('PATCH', `${maps}/${name}?fieldManager=patty`, body, 'application/apply-patch+yaml');
  };
  t.is((await apply('known')).status, 200);
  const refused = await apply('new');
  t.is(refused.status, 403);
  t.regex(refused.json.message, /cannot create resource "configmaps"/);
  await kernel.stop();
});

test('viewers and developers of a namespace see what runs of its applications and their output, and of no other namespace', async (t) => {
  const { kernel, as, admin } = await started();
  for (const namespace of ['own', 'foreign']) {
    await admin.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const applications = `/apis/apps.tappaas.dev/v1alpha1/namespaces/${namespace}/applications`;
    const spec = { source: { image: 'registry.example/shop@sha256:1' }, processes: [{ name: 'web' }] };
    t.is((await admin.send('POST', applications, { metadata: { name: 'shop' }, spec })).status, 201);
    // The processes of an application are found by the release that serves, which must be visible too.
    const status = { status: { release: 'shop-1' } };
    t.is((await admin.send('PATCH', `${applications}/shop/status`, status, 'application/merge-patch+json')).status, 200);
  }
  for (const role of ['viewer', 'developer'])
    await admin.send('POST', `${rbac}/namespaces/own/rolebindings`, binding(role, role, `the-${role}`));
  const codes = async (name: string, namespace: string, field: string): Promise<readonly string[]> => {
    const query = `{ application(namespace: "${namespace}", name: "shop") { ${field} } }`;
    const { json } = await as(name).send('POST', '/graphql', { query });
    return (json.errors ?? []).map(({ extensions }: { extensions: { code: string } }) => extensions.code);
  };
  for (const field of ['pods { name }', 'logs(tail: 1) { text }']) {
    for (const role of ['viewer', 'developer']) {
      await eventually(t, async () => (await codes(`the-${role}`, 'own', field)).length === 0);
      t.deepEqual(await codes(`the-${role}`, 'foreign', field), ['TAP_REQUEST_FORBIDDEN'], `${role} ${field}`);
    }
    t.deepEqual(await codes('nobody', 'own', field), ['TAP_REQUEST_FORBIDDEN']);
  }
  await kernel.stop();
});
