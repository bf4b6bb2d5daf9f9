import test from 'ava';
import { defineKind, Type } from '@tappaas/sdk';
import { Operation } from '@tappaas/sdk/kinds';
import { coreKinds } from '../../dist/resources/kinds/kernel-kinds.js';
import { objectOf, startEngine } from './engine-fixture.ts';

const Site = defineKind({
  group: 'test.tappaas.dev',
  kind: 'Site',
  plural: 'sites',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'A thing that takes time to become true.',
  spec: Type.Object({ size: Type.Integer({ default: 1 }) }),
  status: Type.Object({ operation: Type.Optional(Type.String()), phase: Type.Optional(Type.String()) }),
});
const sites = { group: 'test.tappaas.dev', version: 'v1alpha1', plural: 'sites' };
const operations = { group: 'ops.tappaas.dev', version: 'v1alpha1', plural: 'operations' };
const site = (size: number, metadata: object = {}) => ({
  apiVersion: 'test.tappaas.dev/v1alpha1',
  kind: 'Site',
  metadata: { name: 'shop', namespace: 'default', ...metadata },
  spec: { size },
});

function start() {
  const own = [
    { kind: Operation, plugin: 'kernel' },
    { kind: Site, plugin: 'sites', operation: { verb: 'raise' } },
  ];
  return startEngine({ kinds: [...coreKinds(), ...own] });
}

test('a create is written with its operation in one revision, and both name each other', async (t) => {
  const { create, get, store } = await start();
  const before = await store.currentRevision();
  const created = await create(sites, site(1), { requestId: 'request-7' });
  t.is(await store.currentRevision(), before + 1);
  const { metadata, status } = objectOf(created);
  t.deepEqual(created.operation, { kind: operations, namespace: 'default', name: status.operation });
  const operation = await get(operations, `default/${status.operation}`);
  t.like(operation, {
    spec: { verb: 'raise', target: { kind: 'Site', name: 'shop', uid: metadata.uid, generation: 1 }, requestId: 'request-7' },
    status: { phase: 'Pending', percent: 0 },
  });
  t.is(operation.metadata.resourceVersion, metadata.resourceVersion);
  t.is(operation.metadata.ownerReferences[0].uid, metadata.uid);
});

test('each change of the spec begins another operation; of status and labels none', async (t) => {
  const { create, patch, names } = await start();
  await create(sites, site(1));
  const labelled = await patch(sites, 'default/shop', { metadata: { labels: { a: 'b' } } });
  const reported = await patch(sites, 'default/shop', { status: { phase: 'Up' } }, { subresource: 'status' });
  const same = await patch(sites, 'default/shop', { spec: { size: 1 } });
  t.deepEqual([labelled.operation, reported.operation, same.operation], [undefined, undefined, undefined]);
  const changed = await patch(sites, 'default/shop', { spec: { size: 2 } });
  t.is(objectOf(changed).status.phase, 'Up');
  t.regex(changed.operation?.name ?? '', /^shop-raise-2-/);
  t.is((await names(operations)).length, 2);
});

test('a dry run and a refused write begin nothing', async (t) => {
  const { create, patch, names } = await start();
  t.is((await create(sites, site(1), { dryRun: true })).operation, undefined);
  await create(sites, site(1));
  await t.throwsAsync(patch(sites, 'default/shop', { spec: { size: 'large' } }), { code: 'TAP_OBJECT_INVALID' });
  t.is((await patch(sites, 'default/shop', { spec: { size: 3 } }, { dryRun: true })).operation, undefined);
  t.is((await names(operations)).length, 1);
});

test('a repeated request is answered with the operation that the first one began', async (t) => {
  const { create, names } = await start();
  const first = await create(sites, site(1), { idempotencyKey: 'once' });
  const second = await create(sites, site(1), { idempotencyKey: 'once' });
  t.truthy(first.operation);
  t.deepEqual(second.operation, first.operation);
  t.is((await names(operations)).length, 1);
});

test('an object that takes the name of a deleted one begins an operation of its own', async (t) => {
  const { create, remove, names } = await start();
  const first = await create(sites, site(1));
  await remove(sites, 'default/shop');
  const second = await create(sites, site(1));
  t.not(second.operation?.name, first.operation?.name);
  t.is((await names(operations)).length, 2);
});

test('of writes that race for one object, exactly those that were written have an operation', async (t) => {
  const { create, patch, get, names } = await start();
  await create(sites, site(0));
  await Promise.all(Array.from({ length: 20 }, (_, size) => patch(sites, 'default/shop', { spec: { size: size + 1 } })));
  const { metadata, status } = await get(sites, 'default/shop');
  t.is(metadata.generation, 21);
  t.is((await names(operations)).length, 21);
  t.regex(status.operation, /^shop-raise-21-/);
});
