import test from 'ava';
import { apiErrors } from '../../dist/api/errors.js';
import { configMap, configMaps, objectOf, startEngine, type TestObject } from './engine-fixture.ts';

const nobody = { apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: '0' };
const forbidden = { code: 'TAP_REQUEST_FORBIDDEN' };

/** An object with these owners, and what is asked while it is written. */
async function world(...ownerReferences: readonly object[]) {
  const fixture = await startEngine();
  await fixture.create(configMaps, configMap('a', {}, ownerReferences.length > 0 ? { ownerReferences } : {}));
  let requested = 0;
  const refusing = {
    authorizeOwners: async () => {
      requested += 1;
      throw apiErrors.TAP_REQUEST_FORBIDDEN({ message: 'user ann cannot delete configmaps' });
    },
  };
  const owners = async (): Promise<TestObject> => (await fixture.get(configMaps, 'default/a')).metadata.ownerReferences;
  return { ...fixture, refusing, owners, requested: () => requested };
}

test('whoever may not delete an object gives it no other owners, whichever way it is written', async (t) => {
  const { patch, update, refusing, owners } = await world();
  const metadata = { ownerReferences: [nobody] };
  const json = [{ op: 'add', path: '/metadata/ownerReferences', value: [nobody] }];
  await t.throwsAsync(update(configMaps, configMap('a', {}, metadata), refusing), forbidden);
  await t.throwsAsync(patch(configMaps, 'default/a', { metadata }, refusing), forbidden);
  await t.throwsAsync(patch(configMaps, 'default/a', { metadata }, { ...refusing, type: 'strategic' }), forbidden);
  await t.throwsAsync(patch(configMaps, 'default/a', json, { ...refusing, type: 'json' }), forbidden);
  const applied = configMap('a', {}, metadata);
  await t.throwsAsync(patch(configMaps, 'default/a', applied, { ...refusing, type: 'apply', fieldManager: 'ann', force: true }), forbidden);
  await t.throwsAsync(patch(configMaps, 'default/a', { metadata }, { ...refusing, dryRun: true }), forbidden);
  t.is(await owners(), undefined);
});

test('to let go of one of several owners needs the right to delete, to let go of all does not', async (t) => {
  const second = { ...nobody, name: 'other', uid: '1' };
  const { patch, refusing, owners, requested } = await world(nobody, second);
  await t.throwsAsync(patch(configMaps, 'default/a', { metadata: { ownerReferences: [second] } }, refusing), forbidden);
  await t.throwsAsync(patch(configMaps, 'default/a', { metadata: { ownerReferences: [{ ...nobody, uid: '2' }] } }, refusing), forbidden);
  t.is(requested(), 2);
  await patch(configMaps, 'default/a', { metadata: { ownerReferences: null } }, refusing);
  t.is(await owners(), undefined);
  t.is(requested(), 2, 'an object without owners is deleted by nobody');
});

test('a write that leaves the owners as they are is not asked about', async (t) => {
  const { create, patch, update, refusing, requested, get } = await world(nobody);
  await patch(configMaps, 'default/a', { data: { x: '1' }, metadata: { labels: { a: 'b' } } }, refusing);
  const object = await get(configMaps, 'default/a');
  await update(configMaps, { ...object, data: { x: '2' } }, refusing);
  t.is(objectOf(await create(configMaps, configMap('b', {}, { ownerReferences: [nobody] }), refusing)).metadata.name, 'b');
  t.is(requested(), 0);
});

test('owners that are no owners are refused as such to whoever may delete', async (t) => {
  const { patch } = await world();
  const allowing = { authorizeOwners: async () => {} };
  for (const ownerReferences of ['none', { length: 1 }, [{}], [7]]) {
    const error = await t.throwsAsync(patch(configMaps, 'default/a', { metadata: { ownerReferences } }, allowing));
    t.not((error as { code?: string }).code, undefined, JSON.stringify(ownerReferences));
    t.not((error as { code?: string }).code, forbidden.code);
  }
});
