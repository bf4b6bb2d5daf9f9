import { defineKind, Type } from '@tappaas/sdk';
import test from 'ava';
import { createResourceEngine } from '../../dist/resources/engine.js';
import { coreKinds, kernelKinds } from '../../dist/resources/kinds/kernel-kinds.js';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { openWatchCache } from '../../dist/store/watch-cache.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { seededRandom, VirtualClock } from '../virtual-clock.ts';
import { configMap, configMaps, namespaces, never, objectOf, options, startEngine, Widget, widget, widgets } from './engine-fixture.ts';

const gadgetKind = (spec: object = {}) =>
  defineKind({
    group: 'test.tappaas.dev',
    kind: 'Gadget',
    plural: 'gadgets',
    version: 'v1alpha1',
    scope: 'Cluster',
    description: 'Another thing.',
    spec: Type.Object({ name: Type.Optional(Type.String()), ...spec }),
    status: Type.Object({}),
  });
const gadgets = { group: 'test.tappaas.dev', version: 'v1alpha1', plural: 'gadgets' };
const gadget = (name: string, spec: object = {}) => ({ apiVersion: 'test.tappaas.dev/v1alpha1', kind: 'Gadget', metadata: { name }, spec });

test('the platform’s own kinds are all there', (t) => {
  const answer = (object: object) => Promise.resolve(object as never);
  const reviews = {
    subjectAccessReview: answer,
    localSubjectAccessReview: answer,
    selfSubjectAccessReview: answer,
    selfSubjectRulesReview: answer,
    selfSubjectReview: answer,
    tokenReview: answer,
  };
  const clock = new VirtualClock();
  const engine = createResourceEngine({
    name: 'platform',
    store: createMemoryStore({ clock }),
    clock,
    openWatchCache,
    random: seededRandom(1),
    kinds: kernelKinds(reviews),
  });
  const served = engine.kinds().map(({ group, kind, verbs }) => `${group}/${kind} ${verbs.length === 1 ? verbs[0] : ''}`.trim());
  t.deepEqual(
    engine.kinds().flatMap(({ kind, isShared }) => (isShared === true ? [kind] : [])),
    ['ClusterRole'],
    'what everybody of every tenant may read',
  );
  t.deepEqual(served, [
    '/Namespace',
    '/Secret',
    '/ConfigMap',
    '/ServiceAccount',
    '/Event',
    'coordination.k8s.io/Lease',
    'rbac.authorization.k8s.io/Role',
    'rbac.authorization.k8s.io/ClusterRole',
    'rbac.authorization.k8s.io/RoleBinding',
    'rbac.authorization.k8s.io/ClusterRoleBinding',
    'authorization.k8s.io/SubjectAccessReview create',
    'authorization.k8s.io/LocalSubjectAccessReview create',
    'authorization.k8s.io/SelfSubjectAccessReview create',
    'authorization.k8s.io/SelfSubjectRulesReview create',
    'authentication.k8s.io/SelfSubjectReview create',
    'authentication.k8s.io/TokenReview create',
    'platform.tappaas.dev/Tenant',
    'platform.tappaas.dev/Plugin',
    'ops.tappaas.dev/Operation',
  ]);
  t.is(engine.kinds(), engine.kinds(), 'the same array until something changes');
});

test('a kind of ours is one closed schema of the whole object', async (t) => {
  const { engine } = await startEngine();
  const kind = engine.find(widgets);
  const components = kind?.components() as Record<string, Record<string, never>>;
  const schema = components['dev.tappaas.test.v1alpha1.Widget'] as unknown as {
    properties: Record<string, { properties: Record<string, object>; required?: string[]; default?: object }>;
    required?: string[];
  };
  t.is(kind?.schemaName, 'dev.tappaas.test.v1alpha1.Widget');
  t.deepEqual(Object.keys(schema.properties), ['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  t.is(schema.properties['spec']?.required, undefined, 'what has a default is not required');
  t.deepEqual(schema.properties['spec']?.default, {});
  t.truthy(components['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']);
  t.truthy(components['io.k8s.apimachinery.pkg.apis.meta.v1.Time'], 'everything referred to is there');
  t.deepEqual(
    kind?.subresources.map(({ name }) => name),
    ['status', 'scale'],
  );
  t.true(Object.keys(components).length < 20, 'and nothing else');
});

test('two owners of a kind or of a path are refused', (t) => {
  const make = (...kinds: { kind: typeof Widget; plugin: string }[]) =>
    createResourceEngine({
      name: 'platform',
      store: createMemoryStore({ clock: new VirtualClock() }),
      clock: new VirtualClock(),
      openWatchCache,
      random: Math.random,
      kinds,
    });
  t.throws(() => make({ kind: Widget, plugin: 'a' }, { kind: Widget, plugin: 'b' }), {
    code: 'TAP_KIND_DUPLICATE',
    message: /by a and by b/,
  });
  t.throws(() => make({ kind: { group: 'x', kind: 'Y', version: 'v1' }, plugin: 'a' }), { code: 'TAP_KIND_INVALID' });
});

test('a virtual kind is answered and never stored', async (t) => {
  const { store, clock } = await startEngine();
  const engine = createResourceEngine({
    name: 'other',
    store,
    clock,
    openWatchCache,
    random: Math.random,
    kinds: [
      {
        kind: gadgetKind(),
        plugin: 'kernel',
        virtual: (object, { caller }) => Promise.resolve({ ...object, status: { requested: caller.name } }),
      },
    ],
  });
  await engine.start(never);
  const revision = await store.currentRevision();
  const body = Buffer.from(JSON.stringify(gadget('a')));
  const answer = await engine.write({ verb: 'create', target: { kind: gadgets }, body, mediaType: 'json' }, options());
  t.deepEqual(objectOf(answer).status, { requested: 'tester' });
  t.is(await store.currentRevision(), revision);
  const bad = Buffer.from(JSON.stringify(gadget('a', { name: 7 })));
  await t.throwsAsync(engine.write({ verb: 'create', target: { kind: gadgets }, body: bad, mediaType: 'json' }, options()), {
    code: 'TAP_OBJECT_INVALID',
    message: /spec\.name/,
  });
  await t.throwsAsync(async () => engine.get({ kind: gadgets, name: 'a' }, { signal: never }), { code: 'TAP_REQUEST_METHOD' });
});

test('objects of a plugin that is not loaded can be read and are not lost', async (t) => {
  const first = await startEngine({ more: [gadgetKind()] });
  await first.create(gadgets, gadget('a', { name: 'x' }));
  await first.engine.close();
  const { engine, get, names, patch, store, clock } = await startEngine({ store: first.store, clock: first.clock });
  const kind = engine.find(gadgets);
  t.true(kind?.orphaned);
  t.deepEqual(kind?.verbs, ['get', 'list', 'watch']);
  t.is((await get(gadgets, 'a')).spec.name, 'x');
  t.deepEqual(await names(gadgets), ['a']);
  const error = await t.throwsAsync(patch(gadgets, 'a', { spec: { name: 'y' } }), { code: 'TAP_KIND_READ_ONLY' });
  t.regex(error.message, /plugin more/);
  await engine.close();
  const again = await startEngine({ store, clock, more: [gadgetKind()] });
  await again.patch(gadgets, 'a', { spec: { name: 'y' } });
  t.is((await again.get(gadgets, 'a')).spec.name, 'y');
});

test('a kind without objects goes with its plugin', async (t) => {
  const first = await startEngine({ more: [gadgetKind()] });
  await first.engine.close();
  const { engine } = await startEngine({ store: first.store, clock: first.clock });
  t.is(engine.find(gadgets), undefined);
});

test('a purge removes what a missing plugin left, whatever finalizers say, and nothing of a loaded one', async (t) => {
  const first = await startEngine({ more: [gadgetKind()] });
  for (const name of ['a', 'b']) await first.create(gadgets, { ...gadget(name), metadata: { name, finalizers: ['test.dev/forever'] } });
  await first.engine.close();
  const { engine, store } = await startEngine({ store: first.store, clock: first.clock });
  await t.throwsAsync(engine.purge(widgets, never), { code: 'TAP_KIND_IN_USE' });
  t.deepEqual(await engine.purge(gadgets, never), { removed: 2, isComplete: true });
  t.is(engine.find(gadgets), undefined);
  t.deepEqual(
    (
      await store.range({
        start: '/registry/platform/test.tappaas.dev/gadgets/',
        end: '/registry/platform/test.tappaas.dev/gadgets0',
        itemsMax: 9,
      })
    ).items,
    [],
  );
});

test('a reload brings and takes kinds; what stays keeps its caches and watches', async (t) => {
  const { engine, create, names } = await startEngine();
  const base = [...coreKinds(), { kind: Widget, plugin: 'widgets' }];
  await create(widgets, widget('a'));
  const before = engine.kinds();
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const events of engine.watch({
      target: { kind: widgets },
      bookmarks: false,
      signal: stop.signal,
    })) {
      for (const { served } of events) seen.push((served.object as { metadata: { name: string } }).metadata.name);
      if (seen.length === 2) stop.abort();
    }
  })();
  await engine.setKinds([...base, { kind: gadgetKind(), plugin: 'gadgets' }], never);
  t.not(engine.kinds(), before);
  await create(gadgets, gadget('g'));
  t.deepEqual(await names(gadgets), ['g']);
  await create(widgets, widget('b'));
  await watching;
  t.deepEqual(seen, ['a', 'b'], 'a watch lives through the reload');
  await engine.setKinds(base, never);
  t.true(engine.find(gadgets)?.orphaned);
});

test('a reload that is refused changes nothing', async (t) => {
  const { engine, create, names } = await startEngine();
  const before = engine.kinds();
  const twice = [...coreKinds(), { kind: Widget, plugin: 'a' }, { kind: Widget, plugin: 'b' }];
  await t.throwsAsync(engine.setKinds(twice, never), { code: 'TAP_KIND_DUPLICATE' });
  t.is(engine.kinds(), before);
  await create(widgets, widget('a'));
  t.deepEqual(await names(widgets), ['a']);
});

test('a kind that comes back with another field to select by has an index for it', async (t) => {
  const { engine, create } = await startEngine({ more: [gadgetKind()] });
  await create(gadgets, gadget('a', { name: 'x' }));
  await t.throwsAsync(async () => engine.list({ target: { kind: gadgets }, fieldSelector: 'spec.name=x', signal: never }), {
    code: 'TAP_SELECTOR_INVALID',
  });
  const selectable = defineKind({
    group: 'test.tappaas.dev',
    kind: 'Gadget',
    plural: 'gadgets',
    version: 'v1alpha1',
    scope: 'Cluster',
    description: 'Another thing.',
    spec: Type.Object({ name: Type.Optional(Type.String()) }),
    status: Type.Object({}),
    fields: ['spec.name'],
  });
  await engine.setKinds([...coreKinds(), { kind: selectable, plugin: 'more' }], never);
  const { items } = await engine.list({ target: { kind: gadgets }, fieldSelector: 'spec.name=x', signal: never });
  t.is(items.length, 1);
});

test('a start that finds everything as it was writes nothing', async (t) => {
  const first = await startEngine({ more: [gadgetKind()] });
  await first.create(gadgets, gadget('a'));
  await first.engine.close();
  const revision = await first.store.currentRevision();
  await startEngine({ store: first.store, clock: first.clock, more: [gadgetKind()] });
  t.is(await first.store.currentRevision(), revision);
});

test('two engines on one store do not see each other', async (t) => {
  const one = await startEngine();
  const two = await startEngine({ store: one.store, clock: one.clock, name: 'local' });
  await one.create(widgets, widget('a'));
  await two.create(configMaps, configMap('c'));
  t.deepEqual(await two.names(widgets), []);
  t.deepEqual(await one.names(configMaps), []);
  t.deepEqual(await two.names(namespaces), ['default']);
});

test('rules that schemas do not state hold for the platform’s kinds', async (t) => {
  const { create, patch, get } = await startEngine();
  await create(configMaps, { ...configMap('a', { x: '1' }), immutable: true });
  await t.throwsAsync(patch(configMaps, 'default/a', { data: { x: '2' } }), { code: 'TAP_OBJECT_INVALID', message: /immutable/ });
  await t.throwsAsync(patch(configMaps, 'default/a', { immutable: false }), { code: 'TAP_OBJECT_INVALID' });
  await t.throwsAsync(create(configMaps, configMap('b', { '..x': '1' })), { code: 'TAP_OBJECT_INVALID' });
  await t.throwsAsync(create(configMaps, { ...configMap('b', { x: '1' }), binaryData: { x: 'AA==' } }), { code: 'TAP_OBJECT_INVALID' });
  await t.throwsAsync(create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a.b' } }), {
    code: 'TAP_OBJECT_INVALID',
  });
  const namespace = await create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
  await patch(namespaces, 'n', { spec: { finalizers: ['example.com/mine'] }, metadata: { labels: null } });
  const stored = await get(namespaces, 'n');
  t.deepEqual(stored.spec, objectOf(namespace).spec, 'only the platform writes the spec of a namespace');
  t.is(stored.metadata.labels['kubernetes.io/metadata.name'], 'n');
  await patch(namespaces, 'n', { metadata: { labels: { 'kubernetes.io/metadata.name': 'other', team: 'x' } } });
  t.deepEqual((await get(namespaces, 'n')).metadata.labels, { 'kubernetes.io/metadata.name': 'n', team: 'x' });
});

test('events go by themselves after an hour, unless they happen again', async (t) => {
  const { create, patch, names, clock } = await startEngine();
  const events = { group: '', version: 'v1', plural: 'events' };
  const event = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { kind: 'Widget', name: 'a' },
    reason: 'Made',
    count: 1,
  });
  for (const name of ['once', 'again']) await create(events, event(name));
  await clock.advance(50 * 60_000);
  await patch(events, 'default/again', { count: 2 });
  await clock.advance(20 * 60_000);
  t.deepEqual(await names(events), ['again']);
  await clock.advance(60 * 60_000);
  t.deepEqual(await names(events), []);
});

test('a workload keeps its selector', async (t) => {
  const { create, patch } = await startEngine({ more: [kubernetesHandle('apps', 'Deployment')] });
  const deployments = { group: 'apps', version: 'v1', plural: 'deployments' };
  const labels = { app: 'shop' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'default' }, spec });
  await t.throwsAsync(patch(deployments, 'default/d', { spec: { selector: { matchLabels: { more: 'yes' } } } }), {
    code: 'TAP_OBJECT_INVALID',
    message: /spec\.selector.*field is immutable/,
  });
});
