import type { AnyKind, Kind, Resource } from '@tappaas/sdk';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import type { Access } from '../../dist/resources/client.js';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { createInformer } from '../../dist/reconcile/informer.js';
import { seededRandom, settled } from '../virtual-clock.ts';
import { configMaps, configMap, never, startEngine, Widget, widget, widgets, type Fixture, type TestObject } from './engine-fixture.ts';

const ConfigMap = kubernetesHandle('', 'ConfigMap') as Kind<
  unknown,
  unknown,
  Pick<Resource<unknown, unknown>, 'apiVersion' | 'kind' | 'metadata'> & { readonly data?: Readonly<Record<string, string>> }
>;

function clientOf({ engine }: Fixture, more: Partial<Parameters<Fixture['engine']['client']>[0]> = {}) {
  return engine.client({
    caller: { name: 'plugin:test', groups: [] },
    fieldManager: 'test-plugin',
    requestId: 'r',
    signal: never,
    authorize: () => {},
    showsSecrets: true,
    ...more,
  });
}

test('a client reads its own writes at once', async (t) => {
  const fixture = await startEngine();
  const client = clientOf(fixture);
  for (let index = 0; index < 50; index += 1) {
    const name = `w${index}`;
    await client.create(Widget, widget(name, { size: index }));
    t.is((await client.get(Widget, { namespace: 'default', name }))?.spec.size, index);
    await client.patch(Widget, { namespace: 'default', name }, { spec: { size: index + 1 } });
    t.is((await client.get(Widget, { namespace: 'default', name }))?.spec.size, index + 1);
    await client.delete(Widget, { namespace: 'default', name });
    t.is(await client.get(Widget, { namespace: 'default', name }), undefined);
  }
});

test('objects that a client gets are frozen', async (t) => {
  const fixture = await startEngine();
  const client = clientOf(fixture);
  const created = (await client.create(Widget, widget('a'))) as TestObject;
  t.throws(() => {
    created.spec.size = 9;
  });
  t.throws(() => {
    created.metadata.labels = {};
  });
});

test('an apply by a plugin owns what it says and lets go of what it leaves out', async (t) => {
  const fixture = await startEngine();
  const client = clientOf(fixture);
  const key = { namespace: 'default', name: 'a' };
  await client.apply(Widget, key, { spec: { color: 'red' }, labels: { tier: 'web' } });
  const applied = await client.apply(Widget, key, { spec: { size: 3 } });
  t.deepEqual(applied.spec, { size: 3 } as never);
  t.deepEqual(applied.metadata.labels ?? {}, {});
  const map = await client.apply(ConfigMap, key, { data: { x: '1' } });
  t.deepEqual(map.data, { x: '1' });
});

test('to give an object other owners takes the right to delete it', async (t) => {
  const fixture = await startEngine();
  const verbs: string[] = [];
  const client = clientOf(fixture, {
    authorize: ({ verb }) => {
      verbs.push(verb);
      if (verb === 'delete') throw new Error('no right to delete');
    },
  });
  const key = { namespace: 'default', name: 'a' };
  await client.create(ConfigMap, configMap('a'));
  const metadata = { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: '0' }] };
  await t.throwsAsync(client.patch(ConfigMap, key, { metadata }), { message: 'no right to delete' });
  await t.throwsAsync(client.apply(ConfigMap, key, { metadata }), { message: 'no right to delete' });
  await client.patch(ConfigMap, key, { data: { x: '1' } });
  t.deepEqual(verbs, ['create', 'patch', 'delete', 'patch', 'delete', 'patch']);
});

test('a list goes through pages and stops at what was asked for', async (t) => {
  const fixture = await startEngine();
  const client = clientOf(fixture);
  for (let index = 0; index < 25; index += 1) await client.create(ConfigMap, configMap(`c${index}`, {}, { labels: { n: `${index % 5}` } }));
  t.is((await Array.fromAsync(client.list(ConfigMap, { itemsMax: 100 }))).length, 25);
  t.is((await Array.fromAsync(client.list(ConfigMap, { itemsMax: 7 }))).length, 7);
  t.is((await Array.fromAsync(client.list(ConfigMap, { itemsMax: 100, labels: 'n=1', namespace: 'default' }))).length, 5);
});

test('every call is authorised in the terms of an access review, and a refusal ends it', async (t) => {
  const fixture = await startEngine();
  const requested: Access[] = [];
  const client = clientOf(fixture, { authorize: (access) => void requested.push(access) });
  const key = { namespace: 'default', name: 'a' };
  await client.create(Widget, widget('a'));
  await client.patch(Widget, key, { status: { phase: 'x' } }, { subresource: 'status' });
  await client.get(Widget, key);
  await Array.fromAsync(client.list(Widget, { itemsMax: 1 }));
  await client.delete(Widget, key);
  t.deepEqual(
    requested.map(({ verb, plural, subresource, name }) => [verb, plural, subresource, name]),
    [
      ['create', 'widgets', undefined, 'a'],
      ['patch', 'widgets', 'status', 'a'],
      ['get', 'widgets', undefined, 'a'],
      ['list', 'widgets', undefined, undefined],
      ['delete', 'widgets', undefined, 'a'],
    ],
  );
  const refusing = clientOf(fixture, {
    authorize: () => {
      throw new Error('refused');
    },
  });
  await t.throwsAsync(refusing.create(Widget, widget('b')), { message: 'refused' });
  t.deepEqual(await fixture.names(widgets), []);
});

test('a kind that is not served, or not in this version, is named', async (t) => {
  const client = clientOf(await startEngine());
  const missing: AnyKind = { group: 'x.dev', kind: 'Thing', version: 'v1' };
  await t.throwsAsync(client.get(missing, { name: 'a' }), { code: 'TAP_KIND_NOT_FOUND', message: /Thing of group "x.dev"/ });
  await t.throwsAsync(client.get({ ...Widget, version: 'v9' }, { name: 'a' }), { code: 'TAP_KIND_NOT_FOUND' });
});

test('a fence that no longer holds keeps a write out', async (t) => {
  const fixture = await startEngine();
  const { store } = fixture;
  const lease = await store.transact({ changes: [{ put: '/lease', value: Buffer.from('me') }] });
  const guards = () => [{ key: '/lease', createRevision: lease.revision }];
  const client = clientOf(fixture, { guards });
  await client.create(Widget, widget('a'));
  await store.transact({ changes: [{ delete: '/lease' }] });
  const key = { namespace: 'default', name: 'a' };
  await t.throwsAsync(client.create(Widget, widget('b')), { code: 'TAP_OBJECT_CONFLICT', message: /fence/ });
  await t.throwsAsync(client.patch(Widget, key, { spec: { size: 5 } }), { code: 'TAP_OBJECT_CONFLICT' });
  await t.throwsAsync(client.delete(Widget, key), { code: 'TAP_OBJECT_CONFLICT' });
  t.deepEqual(await fixture.names(widgets), ['a']);
});

test('an informer follows the engine', async (t) => {
  const fixture = await startEngine();
  const { create, remove, patch, engine, clock } = fixture;
  await create(configMaps, configMap('a'));
  const stop = new AbortController();
  const informer = createInformer({
    name: 'configmaps',
    source: engine.source<TestObject>(ConfigMap),
    clock,
    random: seededRandom(3),
    backoff: () => 10,
  });
  const running = informer.run(stop.signal);
  await informer.synced(never);
  t.deepEqual([...informer.keys()], ['default/a']);
  await create(configMaps, configMap('b'));
  const patched = await patch(configMaps, 'default/a', { data: { x: '1' } });
  await informer.waitFor(patched.served.resourceVersion, never);
  t.is(informer.get('default/a')?.data.x, '1');
  await remove(configMaps, 'default/a');
  await settled();
  await clock.advance(700_000);
  await create(configMaps, configMap('c'));
  await settled();
  await clock.advance(1_000);
  t.deepEqual([...informer.keys()].sort(), ['default/b', 'default/c'], 'also after its watch was begun anew');
  stop.abort();
  await running;
});

test('a watch tells what there is in one batch, then every change in order, and ends with its signal', async (t) => {
  const fixture = await startEngine();
  const client = clientOf(fixture);
  await client.create(Widget, widget('a', { size: 1 }));
  await client.create(Widget, widget('b', { size: 2 }));
  const stop = new AbortController();
  const batches = client.watch(Widget, { signal: stop.signal })[Symbol.asyncIterator]();
  const reported = async () =>
    (await batches.next()).value?.map(({ type, object }: TestObject) => `${type} ${object.metadata.name} ${object.spec.size}`);
  t.deepEqual(await reported(), ['put a 1', 'put b 2']);
  await client.patch(Widget, { namespace: 'default', name: 'a' }, { spec: { size: 5 } });
  t.deepEqual(await reported(), ['put a 5']);
  await client.delete(Widget, { namespace: 'default', name: 'b' });
  t.deepEqual(await reported(), ['deleted b 2']);
  stop.abort();
  t.true((await batches.next()).done);
});

test('a watch of a kind without objects begins with an empty batch, and asks for the right to watch', async (t) => {
  const verbs: string[] = [];
  const client = clientOf(await startEngine(), { authorize: ({ verb }: Access) => void verbs.push(verb) });
  for await (const batch of client.watch(Widget, { signal: never })) {
    t.deepEqual(batch, []);
    break;
  }
  t.deepEqual(verbs, ['watch']);
});

test('a cache that holds on to where the engine keeps an object does not hold the object itself in memory', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { create, engine } = await startEngine();
  await create(configMaps, configMap('a'));
  const source = engine.source<TestObject>(ConfigMap);
  const reported = async () =>
    [...(await source.list({ signal: never })).items].map((item) => ({ place: source.placeOf(item), seen: new WeakRef(item) }));
  const [kept] = await reported();
  await new Promise((later) => setImmediate(later));
  collect();
  t.is(kept?.seen.deref(), undefined);
  const read = kept?.place.lean ?? kept?.place.object;
  t.is(read?.metadata.name, 'a');
  t.false('managedFields' in (read?.metadata ?? {}));
});
