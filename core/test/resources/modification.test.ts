import { Type } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { configMap, configMaps, never, objectOf, options, startEngine, targetOf, widget, widgets } from './engine-fixture.ts';

const deployments = { group: 'apps', version: 'v1', plural: 'deployments' };
const pods = { group: '', version: 'v1', plural: 'pods' };
const nodes = { group: '', version: 'v1', plural: 'nodes' };

test('an update of our kinds says which state it replaces, one of a Kubernetes kind need not', async (t) => {
  const { create, update, get } = await startEngine();
  await create(widgets, widget('a'));
  const error = await t.throwsAsync(update(widgets, widget('a', { size: 2 })), { code: 'TAP_OBJECT_INVALID' });
  t.regex(error.message, /metadata\.resourceVersion: must be specified for an update/);
  await create(configMaps, configMap('c'));
  await update(configMaps, configMap('c', { x: '1' }));
  t.deepEqual((await get(configMaps, 'default/c')).data, { x: '1' });
});

test('immutable fields stay, and so do those that the platform set', async (t) => {
  const { create, patch } = await startEngine();
  await create(widgets, widget('a', { serial: 'one' }));
  const invalid = { code: 'TAP_OBJECT_INVALID' };
  const serial = await t.throwsAsync(patch(widgets, 'default/a', { spec: { serial: 'two' } }), invalid);
  t.regex(serial.message, /spec\.serial: Invalid value: "two": field is immutable/);
  await t.throwsAsync(patch(widgets, 'default/a', { metadata: { creationTimestamp: '1999-01-01T00:00:00Z' } }), invalid);
  await t.throwsAsync(patch(widgets, 'default/a', { metadata: { uid: 'other' } }), { code: 'TAP_OBJECT_CONFLICT' });
  await t.throwsAsync(patch(widgets, 'default/a', { metadata: { name: 'b' } }), { code: 'TAP_REQUEST_INVALID' });
  const kept = await patch(widgets, 'default/a', { metadata: { generation: 77, deletionTimestamp: null } });
  t.is(objectOf(kept).metadata.generation, 1);
});

test('a JSON patch is done whole or not at all', async (t) => {
  const { create, patch, get } = await startEngine();
  await create(widgets, widget('a', { color: 'red' }));
  const operations = [
    { op: 'replace', path: '/spec/size', value: 5 },
    { op: 'test', path: '/spec/color', value: 'blue' },
  ];
  await t.throwsAsync(patch(widgets, 'default/a', operations, { type: 'json' }), { code: 'TAP_PATCH_REJECTED' });
  t.is((await get(widgets, 'default/a')).spec.size, 1);
  await patch(widgets, 'default/a', operations.slice(0, 1), { type: 'json' });
  t.is((await get(widgets, 'default/a')).spec.size, 5);
});

test('strategic merge patches are for Kubernetes kinds', async (t) => {
  const { create, patch, get } = await startEngine();
  await create(widgets, widget('a'));
  await create(configMaps, configMap('c', { x: '1' }));
  await t.throwsAsync(patch(widgets, 'default/a', { spec: { size: 2 } }, { type: 'strategic' }), { code: 'TAP_REQUEST_MEDIA_TYPE' });
  await patch(configMaps, 'default/c', { data: { y: '2' } }, { type: 'strategic' });
  t.deepEqual((await get(configMaps, 'default/c')).data, { x: '1', y: '2' });
});

test('an apply creates, changes and removes what its manager owns, and names who owns the rest', async (t) => {
  const { patch, get } = await startEngine();
  const apply = (manager: string, spec: object, more: object = {}) =>
    patch(widgets, 'default/a', widget('a', spec), { type: 'apply', fieldManager: manager, ...more });
  const created = await apply('one', { size: 3, color: 'red' });
  t.is(created.outcome, 'created');
  t.is((await apply('one', { size: 3, color: 'red' })).outcome, 'unchanged', 'the same again is no write');
  const conflict = await t.throwsAsync(apply('two', { color: 'blue' }), { code: 'TAP_OBJECT_CONFLICT' });
  t.is(conflict.message, 'Apply failed with 1 conflict: conflict with "one": .spec.color');
  const { causes } = conflict as unknown as { causes: { field: string; reason: string }[] };
  t.deepEqual(
    causes.map(({ field, reason }) => [field, reason]),
    [['.spec.color', 'FieldManagerConflict']],
  );
  await apply('two', { color: 'blue' }, { force: true });
  await apply('one', { size: 4 });
  t.deepEqual((await get(widgets, 'default/a')).spec, { size: 4, color: 'blue' });
  await apply('one', {});
  t.deepEqual((await get(widgets, 'default/a')).spec, { size: 1, color: 'blue' }, 'what was let go falls back to its default');
  const managers = (await get(widgets, 'default/a')).metadata.managedFields.map(
    ({ manager, operation }: Record<string, string>) => `${manager} ${operation}`,
  );
  t.deepEqual(managers, ['one Apply', 'two Apply'], 'one still owns the empty spec that it applied');
});

test('an apply by YAML is read as YAML', async (t) => {
  const { engine } = await startEngine();
  const body = Buffer.from('apiVersion: test.tappaas.dev/v1alpha1\nkind: Widget\nmetadata: { name: y }\nspec:\n  color: green # leaf\n');
  const applied = await engine.write(
    { verb: 'patch', target: targetOf(widgets, 'default/y'), body, patchType: 'apply', force: false },
    options(),
  );
  t.is(objectOf(applied).spec.color, 'green');
});

test('applies of one object at the same time all take effect', async (t) => {
  const { patch, get } = await startEngine();
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      patch(configMaps, 'default/a', { ...configMap('a', { [`k${index}`]: 'x' }) }, { type: 'apply', fieldManager: `m${index}` }),
    ),
  );
  const object = await get(configMaps, 'default/a');
  t.is(Object.keys(object.data).length, 10);
  t.is(object.metadata.managedFields.length, 10);
});

test('the writer of a field owns it, separately for status and spec', async (t) => {
  const { create, patch, get } = await startEngine();
  await create(widgets, widget('a', { color: 'red' }), { fieldManager: 'author' });
  await patch(widgets, 'default/a', { spec: { color: 'blue' } }, { fieldManager: 'painter' });
  await patch(widgets, 'default/a', { status: { phase: 'Ready' } }, { fieldManager: 'controller', subresource: 'status' });
  const fields = (await get(widgets, 'default/a')).metadata.managedFields;
  const owned = Object.fromEntries(
    fields.map((entry: Record<string, string>) => [`${entry['manager']}${entry['subresource'] ? '/status' : ''}`, entry['fieldsV1']]),
  );
  t.deepEqual(owned, {
    author: { 'f:spec': { '.': {}, 'f:size': {} } },
    painter: { 'f:spec': { 'f:color': {} } },
    'controller/status': { 'f:status': { '.': {}, 'f:phase': {} } },
  });
});

test('scale shows and changes the replicas, of our kinds and of Kubernetes’', async (t) => {
  const { create, patch, update, engine, get } = await startEngine({ more: [kubernetesHandle('apps', 'Deployment')] });
  await create(widgets, widget('a', { size: 3 }));
  const scale = (await engine.get(targetOf(widgets, 'default/a', 'scale'), { signal: never })).object as { spec: object; kind: string };
  t.is(scale.kind, 'Scale');
  t.deepEqual(scale.spec, { replicas: 3 });
  const scaled = await patch(widgets, 'default/a', { spec: { replicas: 5 } }, { subresource: 'scale' });
  t.is(objectOf(scaled).spec.replicas, 5);
  t.is((await get(widgets, 'default/a')).spec.size, 5);
  t.is((await get(widgets, 'default/a')).metadata.generation, 2);
  await t.throwsAsync(patch(widgets, 'default/a', { spec: { replicas: 5000 } }, { subresource: 'scale' }), { code: 'TAP_OBJECT_INVALID' });
  await t.throwsAsync(
    update(
      widgets,
      { ...objectOf(scaled), metadata: { ...objectOf(scaled).metadata, resourceVersion: '1099511627777' } },
      { subresource: 'scale' },
    ),
    {
      code: 'TAP_OBJECT_CONFLICT',
    },
  );
  const labels = { app: 'shop' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  await create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  });
  const shown = (await engine.get(targetOf(deployments, 'default/d', 'scale'), { signal: never })).object as { status: object };
  t.deepEqual(shown.status, { replicas: 0, selector: 'app=shop' });
});

test('subresources and verbs that are not served are refused', async (t) => {
  const { create, patch, engine } = await startEngine();
  await create(configMaps, configMap('c'));
  await t.throwsAsync(patch(configMaps, 'default/c', {}, { subresource: 'status' }), { code: 'TAP_OBJECT_NOT_FOUND' });
  await t.throwsAsync(patch(configMaps, 'default/c', {}, { subresource: 'scale' }), { code: 'TAP_OBJECT_NOT_FOUND' });
  await t.throwsAsync(patch(configMaps, 'default/c', {}, { subresource: 'log' }), { code: 'TAP_OBJECT_NOT_FOUND' });
  const target = { kind: { group: '', version: 'v1', plural: 'namespaces' } };
  await t.throwsAsync(engine.write({ verb: 'deletecollection', target, options: {} }, options()), { code: 'TAP_REQUEST_METHOD' });
});

test('a collection is deleted by selector', async (t) => {
  const { create, engine, names } = await startEngine();
  for (let index = 0; index < 40; index += 1)
    await create(configMaps, configMap(`c${String(index).padStart(2, '0')}`, {}, { labels: { n: `${index % 2}` } }));
  const target = { kind: configMaps, namespace: 'default' };
  const result = await engine.write({ verb: 'deletecollection', target, labelSelector: 'n=1', options: {} }, options());
  t.is(objectOf(result).items.length, 20);
  t.is((await names(configMaps)).length, 20);
  t.false((await names(configMaps)).includes('c01'));
});

test('delete preconditions hold', async (t) => {
  const { create, remove } = await startEngine();
  const { metadata } = objectOf(await create(widgets, widget('a')));
  await t.throwsAsync(remove(widgets, 'default/a', { preconditions: { uid: 'other' } }), { code: 'TAP_OBJECT_CONFLICT' });
  await t.throwsAsync(remove(widgets, 'default/a', { preconditions: { resourceVersion: '1' } }), { code: 'TAP_OBJECT_CONFLICT' });
  t.is(
    (await remove(widgets, 'default/a', { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } })).outcome,
    'deleted',
  );
});

test('a pod that runs somewhere gets time to end, and less when asked again', async (t) => {
  const { create, remove, patch, names, clock } = await startEngine({ more: [kubernetesHandle('', 'Pod')] });
  const pod = (name: string, nodeName?: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }], ...(nodeName && { nodeName }) },
  });
  await create(pods, pod('pending'));
  t.is((await remove(pods, 'default/pending')).outcome, 'deleted');
  await create(pods, pod('running', 'node-1'));
  const deleting = objectOf(await remove(pods, 'default/running'));
  t.is(deleting.metadata.deletionGracePeriodSeconds, 30);
  t.is(Date.parse(deleting.metadata.deletionTimestamp), clock.nowMs() + 30_000);
  await patch(pods, 'default/running', { status: { phase: 'Running' } }, { subresource: 'status' });
  const sooner = objectOf(await remove(pods, 'default/running', { gracePeriodSeconds: 5 }));
  t.is(Date.parse(sooner.metadata.deletionTimestamp), clock.nowMs() + 5_000);
  t.is((await remove(pods, 'default/running', { gracePeriodSeconds: 60 })).outcome, 'unchanged');
  t.is((await remove(pods, 'default/running', { gracePeriodSeconds: 0 })).outcome, 'deleted');
  t.deepEqual(await names(pods), []);
});

test('a node may bring its status when it registers itself', async (t) => {
  const { create } = await startEngine({ more: [kubernetesHandle('', 'Node')] });
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, status: { capacity: { cpu: '4' } } };
  t.deepEqual(objectOf(await create(nodes, node)).status.capacity, { cpu: '4' });
});

test('a finalizer-only write is not refused because of a spec that no longer fits', async (t) => {
  const first = await startEngine();
  await first.create(widgets, widget('a', { color: 'red' }, { finalizers: ['test.dev/one'] }));
  await first.engine.close();
  const behaviour = { check: () => [{ field: 'spec.color', reason: 'FieldValueInvalid', message: 'no longer allowed' }] };
  const { patch, remove, names } = await startEngine({ store: first.store, clock: first.clock, behaviour });
  await t.throwsAsync(patch(widgets, 'default/a', { spec: { size: 2 } }), { code: 'TAP_OBJECT_INVALID' });
  await patch(widgets, 'default/a', { status: { phase: 'Odd' } }, { subresource: 'status' });
  await remove(widgets, 'default/a');
  await patch(widgets, 'default/a', { metadata: { finalizers: null } });
  t.deepEqual(await names(widgets), []);
});

test('a default that came later is filled in when the spec is changed, not by a status or a label', async (t) => {
  const first = await startEngine();
  await first.create(widgets, widget('a', { size: 2 }));
  await first.engine.close();
  const behaviour = { default: (draft: { spec: { color?: string } }) => void (draft.spec.color ??= 'grey') };
  const { patch } = await startEngine({ store: first.store, clock: first.clock, behaviour: behaviour });
  const reported = objectOf(await patch(widgets, 'default/a', { status: { phase: 'x' } }, { subresource: 'status' }));
  t.deepEqual([reported.spec, reported.metadata.generation], [{ size: 2 }, 1]);
  const labelled = objectOf(await patch(widgets, 'default/a', { metadata: { labels: { x: 'y' } } }));
  t.deepEqual([labelled.spec, labelled.metadata.generation], [{ size: 2 }, 1]);
  const resized = objectOf(await patch(widgets, 'default/a', { spec: { size: 3 } }));
  t.deepEqual([resized.spec, resized.metadata.generation], [{ size: 3, color: 'grey' }, 2]);
});

test('whatever is written in one version reads back the same in it, after a way through the other', async (t) => {
  const versions = [
    {
      version: 'v1beta1',
      spec: Type.Object({ measure: Type.Object({ size: Type.Integer() }), color: Type.Optional(Type.String()) }),
      toHub: (spec: unknown) => {
        const { measure, ...rest } = spec as { measure: { size: number } };
        return { ...rest, size: measure.size };
      },
      fromHub: (spec: unknown) => {
        const { size, ...rest } = spec as { size: number };
        return { ...rest, measure: { size } };
      },
    },
  ];
  const beta = { ...widgets, version: 'v1beta1' };
  const { create, get, update } = await startEngine({ behaviour: { versions } });
  let count = 0;
  const spec = fc.record({ size: fc.integer({ min: 0, max: 9 }), color: fc.option(fc.constantFrom('red', 'blue'), { nil: undefined }) });
  await fc.assert(
    fc.asyncProperty(spec, fc.boolean(), async ({ size, color }, isBetaFirst) => {
      const name = `w${(count += 1)}`;
      const rest = color === undefined ? {} : { color };
      const [hub, later] = [
        { ...widget(name), spec: { size, ...rest } },
        { ...widget(name), apiVersion: 'test.tappaas.dev/v1beta1', spec: { measure: { size }, ...rest } },
      ];
      const [first, other] = isBetaFirst ? [beta, widgets] : [widgets, beta];
      await create(first, isBetaFirst ? later : hub);
      const before = await get(first, `default/${name}`);
      t.deepEqual(before.spec, (isBetaFirst ? later : hub).spec);
      t.is((await update(other, await get(other, `default/${name}`))).outcome, 'unchanged');
      t.deepEqual(await get(first, `default/${name}`), before);
    }),
    { numRuns: 40 },
  );
});

test('a kind in several versions is stored in one and served in each', async (t) => {
  const versions = [
    {
      version: 'v1beta1',
      spec: Type.Object({
        measure: Type.Object({ size: Type.Integer({ default: 1 }) }, { default: {} }),
        color: Type.Optional(Type.String()),
      }),
      deprecated: { since: '0.1', removedAfter: '1.0', instead: 'v1alpha1' },
      toHub: (spec: unknown) => {
        const { measure, ...rest } = spec as { measure?: { size?: number } };
        return { ...rest, size: measure?.size ?? 1 };
      },
      fromHub: (spec: unknown) => {
        const { size, ...rest } = spec as { size: number };
        return { ...rest, measure: { size } };
      },
    },
  ];
  const beta = { ...widgets, version: 'v1beta1' };
  const { create, get, patch, engine, update } = await startEngine({ behaviour: { versions } });
  const created = objectOf(await create(beta, { ...widget('a'), apiVersion: 'test.tappaas.dev/v1beta1', spec: { measure: { size: 4 } } }));
  t.deepEqual([created.apiVersion, created.spec], ['test.tappaas.dev/v1beta1', { measure: { size: 4 } }]);
  t.deepEqual((await get(widgets, 'default/a')).spec, { size: 4 });
  await patch(beta, 'default/a', { spec: { measure: { size: 6 } } });
  t.deepEqual((await get(widgets, 'default/a')).spec, { size: 6 });
  const read = await get(beta, 'default/a');
  t.is((await update(beta, read)).outcome, 'unchanged');
  t.is(await get(beta, 'default/a'), read, 'converted once');
  const applied = await patch(
    beta,
    'default/a',
    { ...read, metadata: { name: 'a' }, spec: { color: 'red' } },
    { type: 'apply', fieldManager: 'm' },
  );
  t.deepEqual(objectOf(applied).spec, { measure: { size: 6 }, color: 'red' });
  const conflict = await t.throwsAsync(
    patch(widgets, 'default/a', { ...widget('a', { color: 'blue' }) }, { type: 'apply', fieldManager: 'other' }),
    { code: 'TAP_OBJECT_CONFLICT' },
  );
  t.regex(conflict.message, /conflict with "m".*\.spec\.color/, 'who applied in one version owns the field in the other');
  t.is(engine.find(beta)?.deprecated?.instead, 'v1alpha1');
  t.deepEqual(
    engine
      .kinds()
      .filter(({ plural }) => plural === 'widgets')
      .map(({ version }) => version),
    ['v1alpha1', 'v1beta1'],
  );
});

test('finalizers that are no list are refused, also of what is being deleted', async (t) => {
  const { create, remove, patch, get } = await startEngine();
  await create(widgets, { ...widget('x'), metadata: { name: 'x', namespace: 'default', finalizers: ['test.tappaas.dev/kept'] } });
  await remove(widgets, 'default/x');
  await t.throwsAsync(patch(widgets, 'default/x', { metadata: { finalizers: 6 } }), { code: 'TAP_OBJECT_INVALID' });
  t.deepEqual((await get(widgets, 'default/x')).metadata.finalizers, ['test.tappaas.dev/kept']);
});

test('metadata is looked at as a whole when nothing else changes', async (t) => {
  const { create, get, patch } = await startEngine();
  await create(widgets, widget('x'));
  for (const metadata of [
    { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a' }] },
    { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'u', controller: 'yes' }] },
    { finalizers: [{}] },
    { labels: { a: 1 } },
  ]) {
    const error = await t.throwsAsync<Error & { code?: string }>(
      patch(widgets, 'default/x', { metadata }),
      undefined,
      JSON.stringify(metadata),
    );
    t.regex(error?.code ?? '', /TAP_OBJECT_INVALID|TAP_REQUEST_INVALID/);
  }
  t.is((await get(widgets, 'default/x')).metadata.ownerReferences, undefined);
});
