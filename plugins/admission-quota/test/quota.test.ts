/** The complete plugin in a kernel, over HTTP and with the store's own transactions. */
import { errorTable } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import * as fc from 'fast-check';
import { limitsOf, textOf, unitsOf } from '../dist/amounts.js';
import { claimsOf } from '../dist/claims.js';
import admissionQuota from '../dist/index.js';
import { labelContents } from '../dist/label-contents.js';
import { LimitBook } from '../dist/limit-book.js';
import { usageOf } from '../dist/usage.js';

const core = '/api/v1/namespaces';

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

async function started() {
  const kernel = await startTestKernel({ plugins: [load(admissionQuota, {}, { id: 'quota' })] });
  const request = async (method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> => {
    const { status, text } = await kernel.http(method, path, body === undefined ? undefined : JSON.stringify(body), {
      'content-type': type,
    });
    return { status, json: JSON.parse(text) };
  };
  await kernel.advance(1);
  const quota = async (name: string, of: object, limits: object): Promise<void> => {
    const path = `/apis/platform.tappaas.dev/v1alpha1/quotas`;
    const known = await request('GET', `${path}/${name}`);
    if (known.status === 200) await request('PATCH', `${path}/${name}`, { spec: { limits } }, 'application/merge-patch+json');
    else
      await request('POST', path, { apiVersion: 'platform.tappaas.dev/v1alpha1', kind: 'Quota', metadata: { name }, spec: { of, limits } });
    await kernel.advance(1);
  };
  const namespace = (name: string, tenant: string) =>
    request('POST', core, { metadata: { name, labels: { 'tappaas.dev/tenant': tenant } } });
  const configMap = (place: string, name: string, labels: object = {}) =>
    request('POST', `${core}/${place}/configmaps`, { metadata: { name, labels } });
  const remove = (place: string, name: string) => request('DELETE', `${core}/${place}/configmaps/${name}`);
  return { kernel, request, quota, namespace, configMap, remove };
}

test('the limit of a namespace is named with what is in use, deleting makes room, and a changed limit holds at once', async (t) => {
  const { kernel, request, quota, configMap, remove } = await started();
  await quota('shop', { namespace: 'default' }, { configMaps: 2 });
  t.is((await configMap('default', 'a')).status, 201);
  t.is((await configMap('default', 'b')).status, 201);
  const { status, json } = await configMap('default', 'c');
  t.is(status, 403);
  t.like(json.details.causes[0], { reason: 'QuotaExceeded', plugin: 'quota' });
  t.regex(json.message, /namespace default may have configMaps up to 2; this asks for 1 \(2 are in use\)/);
  const query = 'mutation { createConfigMap(input: { namespace: "default", name: "c" }) { userErrors { field code reason message } } }';
  const { createConfigMap } = (await request('POST', '/graphql', { query })).json.data;
  t.like(createConfigMap.userErrors[0], { code: 'TAP_OBJECT_DENIED', reason: 'QuotaExceeded', field: 'name' });
  await remove('default', 'a');
  t.is((await configMap('default', 'c')).status, 201);
  await quota('shop', {}, { configMaps: 1 });
  t.is((await configMap('default', 'd')).status, 403);
  t.is((await kernel.http('GET', `${core}/default/configmaps/b`)).status, 200);
  await quota('shop', {}, { configMaps: 3 });
  t.is((await configMap('default', 'd')).status, 201);
  await kernel.stop();
});

test('the namespaces of a tenant share its limit, and nobody leaves a tenant by a label of its own', async (t) => {
  const { kernel, request, quota, namespace, configMap } = await started();
  await quota('acme', { tenant: 'acme' }, { configMaps: 2 });
  await namespace('one', 'acme');
  await namespace('two', 'acme');
  await namespace('other', 'rival');
  t.is((await configMap('one', 'a')).json.metadata.labels['tappaas.dev/tenant'], 'acme');
  t.is((await configMap('two', 'a', { 'tappaas.dev/tenant': 'rival' })).json.metadata.labels['tappaas.dev/tenant'], 'acme');
  const refused = await configMap('one', 'b', { 'tappaas.dev/tenant': 'rival' });
  t.is(refused.status, 403);
  t.regex(refused.json.message, /tenant acme may have configMaps up to 2/);
  t.is((await configMap('other', 'a')).status, 201);
  t.is((await configMap('default', 'a', { 'tappaas.dev/tenant': 'acme' })).json.metadata.labels?.['tappaas.dev/tenant'], undefined);
  await kernel.reconcileUntilSettled();
  const { json } = await request('GET', '/apis/platform.tappaas.dev/v1alpha1/quotas/acme');
  t.deepEqual(json.status.used, { configMaps: 2 });
  t.like(json.status.conditions[0], { type: 'Ready', status: 'True', reason: 'Within' });
  await kernel.stop();
});

test('a tenant’s namespaces and what gives rights in them count, too, and are told in the status', async (t) => {
  const { kernel, request, quota, namespace } = await started();
  await quota('acme', { tenant: 'acme' }, { namespaces: 2, roles: 1, roleBindings: 1, builds: 1 });
  await quota('place', { namespace: 'one' }, { roles: 5 });
  const made = await Promise.all(['one', 'two', 'three'].map((name) => namespace(name, 'acme')));
  const refused = made.filter(({ status }) => status !== 201);
  t.is(refused.length, 1);
  t.regex(refused[0]?.json.message, /tenant acme may have namespaces up to 2; this asks for 1 \(2 are in use\)/);
  t.is((await namespace('other', 'rival')).status, 201);
  const place = made[0]?.status === 201 ? 'one' : 'two';
  const [kind, labelled] = [`/apis/rbac.authorization.k8s.io/v1/namespaces/${place}`, { labels: { 'tappaas.dev/tenant': 'rival' } }];
  const role = (name: string) => request('POST', `${kind}/roles`, { metadata: { name, ...labelled }, rules: [] });
  const bound = { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' }, subjects: [] };
  const binding = (name: string) => request('POST', `${kind}/rolebindings`, { metadata: { name }, ...bound });
  const digest = `sha256:${'0'.repeat(64)}`;
  const build = (name: string) =>
    request('POST', `/apis/apps.tappaas.dev/v1alpha1/namespaces/${place}/builds`, {
      metadata: { name },
      spec: { application: 'web', source: { digest } },
    });
  for (const make of [role, binding, build]) {
    t.is((await make('a')).status, 201);
    const { status, json } = await make('b');
    t.is(status, 403);
    t.like(json.details.causes[0], { reason: 'QuotaExceeded', field: 'metadata.name' });
  }
  await kernel.reconcileUntilSettled();
  const used = async (name: string) => (await request('GET', `/apis/platform.tappaas.dev/v1alpha1/quotas/${name}`)).json.status.used;
  t.deepEqual(await used('acme'), { namespaces: 2, roles: 1, roleBindings: 1, builds: 1 });
  t.deepEqual(await used('place'), { roles: place === 'one' ? 1 : 0 });
  await request('PATCH', `${core}/${place}`, { metadata: { labels: { 'tappaas.dev/tenant': 'rival' } } }, 'application/merge-patch+json');
  await kernel.reconcileUntilSettled();
  // Usage is counted every 15 s.
  await kernel.advance(15_000);
  await kernel.reconcileUntilSettled();
  t.deepEqual(await used('acme'), { namespaces: 1, roles: 0, roleBindings: 0, builds: 0 });
  t.is((await namespace('four', 'acme')).status, 201);
  await kernel.stop();
});

test('where nobody serves a kind that counts, there are none of it, and what else there is counts and is labelled', async (t) => {
  const gone = errorTable({ TAP_KIND_NOT_FOUND: { httpStatus: 404, blame: 'caller', retry: 'never', remedy: 'Look up what is served.' } });
  const patched: string[] = [];
  const asPlugin = {
    async *list({ kind }: { kind: string }) {
      if (kind === 'Build') throw gone.TAP_KIND_NOT_FOUND({ message: 'kind Build is not served' });
      if (kind === 'Role') yield { metadata: { name: 'a', namespace: 'one' } };
    },
    patch: async ({ kind }: { kind: string }) => void patched.push(kind),
  };
  const context = { asPlugin, signal: new AbortController().signal } as unknown as Parameters<typeof labelContents>[1];
  await labelContents(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'one', labels: { 'tappaas.dev/tenant': 'acme' } } },
    context,
  );
  t.deepEqual(patched, ['Role']);
});

test('Secrets count without anybody looking into them', async (t) => {
  const { kernel, request, quota } = await started();
  await quota('shop', { namespace: 'default' }, { secrets: 1 });
  const secret = (name: string) => request('POST', `${core}/default/secrets`, { metadata: { name }, data: { key: 'aHVzaA==' } });
  t.is((await secret('a')).status, 201);
  const { status, json } = await secret('b');
  t.is(status, 403);
  t.regex(json.message, /namespace default may have secrets up to 1; this asks for 1 \(1 is in use\)/);
  t.is((await request('GET', `${core}/default/secrets/a`)).json.data.key, 'aHVzaA==');
  await request('DELETE', `${core}/default/secrets/a`);
  t.is((await secret('b')).status, 201);
  await kernel.stop();
});

test('a refusal tells cpu and memory as people write them', async (t) => {
  const { kernel, request, quota } = await started();
  await quota('shop', { namespace: 'default' }, { cpu: '2', memory: '1Gi' });
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
  const application = (name: string, resources: object) =>
    request('POST', path, {
      metadata: { name },
      spec: { source: { image: 'example/shop:1' }, runtime: 'standard', processes: [{ name: 'web', replicas: 3, resources }] },
    });
  t.is((await application('a', { cpu: '500m', memory: '128Mi' })).status, 201);
  const cpu = await application('b', { cpu: '500m' });
  t.regex(cpu.json.message, /namespace default may have cpu up to 2; this asks for 1500m \(1500m is in use\)/);
  const memory = await application('b', { memory: '256Mi' });
  t.regex(memory.json.message, /namespace default may have memory up to 1Gi; this asks for 768Mi \(384Mi is in use\)/);
  await kernel.stop();
});

test('nobody moves what is theirs to another tenant by a label, nor afterwards', async (t) => {
  const { kernel, request, quota, namespace, configMap } = await started();
  await quota('acme', { tenant: 'acme' }, { configMaps: 1 });
  await namespace('one', 'acme');
  await configMap('one', 'a');
  const labels = { 'tappaas.dev/tenant': 'rival', color: 'blue' };
  const patched = await request('PATCH', `${core}/one/configmaps/a`, { metadata: { labels } }, 'application/merge-patch+json');
  t.deepEqual(patched.json.metadata.labels, { 'tappaas.dev/tenant': 'acme', color: 'blue' });
  t.is((await configMap('one', 'b')).status, 403);
  await kernel.stop();
});

test('a namespace that changes hands takes what is in it along', async (t) => {
  const { kernel, request, quota, namespace, configMap } = await started();
  await quota('acme', { tenant: 'acme' }, { configMaps: 2 });
  await quota('rival', { tenant: 'rival' }, { configMaps: 2 });
  await namespace('one', 'acme');
  await namespace('two', 'rival');
  for (const name of ['a', 'b']) await configMap('one', name);
  t.is((await configMap('two', 'a')).status, 201);
  await request('DELETE', `${core}/two/configmaps/a`);
  await request('PATCH', `${core}/one`, { metadata: { labels: { 'tappaas.dev/tenant': 'rival' } } }, 'application/merge-patch+json');
  await kernel.reconcileUntilSettled();
  t.is((await configMap('two', 'a')).status, 403);
  await namespace('three', 'acme');
  t.is((await configMap('three', 'a')).status, 201);
  await kernel.stop();
});

test('however many creates and deletes run at once, no more than the limit are there, and as many as the limit get in', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 6 }), fc.array(fc.nat(5), { maxLength: 12 }), async (limit, removals) => {
      const { kernel, quota, configMap, remove } = await started();
      await quota('shop', { namespace: 'default' }, { configMaps: limit });
      const created = await Promise.all(Array.from({ length: 12 }, (_, index) => configMap('default', `c${index}`)));
      const there = created.flatMap(({ status }, index) => (status === 201 ? [index] : []));
      t.is(there.length, limit);
      const gone = new Set(removals.flatMap((pick) => there[pick] ?? []));
      const again = await Promise.all([
        ...[...gone].map((index) => remove('default', `c${index}`)),
        ...Array.from({ length: 6 }, (_, index) => configMap('default', `d${index}`)),
      ]);
      t.true(again.every(({ status }) => [200, 201, 403].includes(status)));
      for (let index = 0; index < 6; index += 1) await configMap('default', `e${index}`);
      const { items } = JSON.parse((await kernel.http('GET', `${core}/default/configmaps`)).text) as { items: object[] };
      t.is(items.length, limit);
      await kernel.stop();
    }),
    { numRuns: 8 },
  );
});

test('an application takes what all its replicas take, and claims follow from the object alone', (t) => {
  const object = {
    kind: 'Application',
    metadata: { namespace: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } },
    spec: {
      processes: [
        { name: 'web', replicas: 3, resources: { cpu: '250m', memory: '64Mi' } },
        { name: 'worker', replicas: 2, resources: { memory: '1.5Gi' } },
        { name: 'idle', replicas: 0, resources: { cpu: '8' } },
      ],
    },
  };
  t.deepEqual(usageOf(object), { applications: 1, replicas: 5, cpu: 750, memory: 3 * 64 * 2 ** 20 + 2 * 1.5 * 2 ** 30 });
  const claims = claimsOf(object, new LimitBook());
  t.deepEqual(claims, claimsOf(structuredClone(object), new LimitBook()));
  t.is(claims.length, 8);
  t.true(claims.every((claim) => 'max' in claim && claim.max === Number.MAX_SAFE_INTEGER));
});

test('amounts are counted in whole units and told as people write them', (t) => {
  t.is(unitsOf('cpu', '1.0005'), 1001);
  t.is(unitsOf('memory', undefined), 0);
  t.is(textOf('cpu', 1500), '1500m');
  t.is(textOf('memory', 2 ** 30), '1Gi');
  t.deepEqual(limitsOf({ cpu: '20', memory: '1Gi', replicas: 5 }), { cpu: 20_000, memory: 2 ** 30, replicas: 5 });
});

test('everybody of a tenant reads its quotas and nobody else’s, and nobody of it writes them', async (t) => {
  const { kernel, quota, namespace } = await started();
  await quota('acme', { tenant: 'acme' }, { configMaps: 2 });
  await quota('rival', { tenant: 'rival' }, { configMaps: 2 });
  await quota('shop', { namespace: 'shop' }, { configMaps: 2 });
  await namespace('shop', 'rival');
  const as = async (tenant: string, method: string, path: string, body?: object) => {
    const { status, text } = await kernel.http(method, `/apis/platform.tappaas.dev/v1alpha1/quotas${path}`, JSON.stringify(body), {
      'content-type': 'application/merge-patch+json',
      'impersonate-user': 'ann',
      'impersonate-extra-tappaas.dev%2ftenant': tenant,
    });
    return { status, text };
  };
  const listed = await as('acme', 'GET', '');
  t.is(listed.status, 200);
  const { items } = JSON.parse(listed.text) as { items: { metadata: { name: string } }[] };
  t.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['acme'],
  );
  t.is((await as('acme', 'GET', '/acme')).status, 200);
  t.is((await as('acme', 'GET', '?fieldSelector=metadata.name%3Drival')).status, 403);
  for (const name of ['/rival', '/shop', '/absent']) t.is((await as('acme', 'GET', name)).status, 403, name);
  t.is((await as('acme', 'PATCH', '/acme', { spec: { limits: { configMaps: 9 } } })).status, 403);
  t.is((await as('acme', 'DELETE', '/acme')).status, 403);
  t.is((await as('acme', 'DELETE', '')).status, 403);
  await kernel.stop();
});
