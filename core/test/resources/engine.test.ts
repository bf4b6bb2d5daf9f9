import test from 'ava';
import { configMap, configMaps, never, objectOf, startEngine, targetOf, widget, widgets } from './engine-fixture.ts';

test('a created object is read as it was answered', async (t) => {
  const { create, engine } = await startEngine();
  const created = await create(widgets, widget('a', { color: 'red' }));
  const read = await engine.get(targetOf(widgets, 'default/a'), { signal: never });
  t.is(created.outcome, 'created');
  t.deepEqual(read.object, created.served.object);
  t.deepEqual(JSON.parse(new TextDecoder().decode(read.bytes)), created.served.object);
  const { metadata, spec } = objectOf(created);
  t.is(metadata.generation, 1);
  t.is(metadata.creationTimestamp, '2027-01-15T08:00:00Z');
  t.regex(metadata.uid, /^[0-9a-f-]{36}$/);
  t.is(metadata.resourceVersion, created.served.resourceVersion);
  t.deepEqual(spec, { size: 1, color: 'red' }, 'defaults are filled in');
});

test('reads of an unchanged object serve the same bytes without making them anew', async (t) => {
  const { create, engine } = await startEngine();
  await create(widgets, widget('a'));
  const first = await engine.get(targetOf(widgets, 'default/a'), { signal: never });
  const second = await engine.get(targetOf(widgets, 'default/a'), { signal: never });
  t.is(first.bytes, second.bytes);
});

test('a second create of a name is refused and changes nothing', async (t) => {
  const { create, get } = await startEngine();
  const created = await create(widgets, widget('a', { color: 'red' }));
  await t.throwsAsync(create(widgets, widget('a', { color: 'blue' })), { code: 'TAP_OBJECT_EXISTS' });
  t.deepEqual(await get(widgets, 'default/a'), objectOf(created));
});

test('generation rises with the spec only', async (t) => {
  const { create, patch } = await startEngine();
  await create(widgets, widget('a'));
  const labelled = await patch(widgets, 'default/a', { metadata: { labels: { tier: 'web' } } });
  t.is(objectOf(labelled).metadata.generation, 1);
  const sized = await patch(widgets, 'default/a', { spec: { size: 2 } });
  t.is(objectOf(sized).metadata.generation, 2);
  const reported = await patch(widgets, 'default/a', { status: { phase: 'Ready' } }, { subresource: 'status' });
  t.is(objectOf(reported).metadata.generation, 2);
  t.is(objectOf(reported).status.phase, 'Ready');
});

test('status is written through its subresource only, and the subresource writes nothing else', async (t) => {
  const { create, patch } = await startEngine();
  const created = await create(widgets, { ...widget('a'), status: { phase: 'Lied' } });
  t.is(objectOf(created).status, undefined);
  const main = await patch(widgets, 'default/a', { spec: { size: 5 }, status: { phase: 'Lied' } });
  t.is(objectOf(main).status, undefined);
  const status = await patch(widgets, 'default/a', { spec: { size: 9 }, status: { phase: 'Ready' } }, { subresource: 'status' });
  t.is(objectOf(status).spec.size, 5);
  t.is(objectOf(status).status.phase, 'Ready');
});

test('an update that changes nothing writes nothing', async (t) => {
  const { create, update, patch, store } = await startEngine();
  const created = await create(widgets, widget('a', { color: 'red' }));
  const revision = await store.currentRevision();
  const updated = await update(widgets, objectOf(created));
  const patched = await patch(widgets, 'default/a', { spec: { color: 'red' } });
  t.is(updated.outcome, 'unchanged');
  t.is(patched.outcome, 'unchanged');
  t.is(updated.served.resourceVersion, created.served.resourceVersion);
  t.is(await store.currentRevision(), revision);
});

test('an update of an old state is a conflict', async (t) => {
  const { create, update, patch } = await startEngine();
  const created = objectOf(await create(widgets, widget('a')));
  await patch(widgets, 'default/a', { spec: { size: 2 } });
  await t.throwsAsync(update(widgets, { ...created, spec: { size: 3 } }), { code: 'TAP_OBJECT_CONFLICT' });
  await t.throwsAsync(patch(widgets, 'default/a', { metadata: { resourceVersion: created.metadata.resourceVersion }, spec: { size: 3 } }), {
    code: 'TAP_OBJECT_CONFLICT',
  });
});

test('patches at the same time all take effect', async (t) => {
  const { create, patch, get } = await startEngine();
  await create(configMaps, configMap('a'));
  await Promise.all(Array.from({ length: 20 }, (_, index) => patch(configMaps, 'default/a', { data: { [`key-${index}`]: 'x' } })));
  t.is(Object.keys((await get(configMaps, 'default/a')).data).length, 20);
});

test('a deleted object is gone', async (t) => {
  const { create, remove, get, names } = await startEngine();
  await create(widgets, widget('a'));
  const removed = await remove(widgets, 'default/a');
  t.is(removed.outcome, 'deleted');
  await t.throwsAsync(get(widgets, 'default/a'), { code: 'TAP_OBJECT_NOT_FOUND', message: 'widgets.test.tappaas.dev "a" not found' });
  t.deepEqual(await names(widgets), []);
});

test('an object with finalizers stays until the last one is gone', async (t) => {
  const { create, remove, patch, get } = await startEngine();
  await create(widgets, widget('a', {}, { finalizers: ['test.dev/one', 'test.dev/two'] }));
  const removed = await remove(widgets, 'default/a');
  t.is(removed.outcome, 'deleting');
  t.is(objectOf(removed).metadata.deletionTimestamp, '2027-01-15T08:00:00Z');
  t.is((await remove(widgets, 'default/a')).outcome, 'unchanged');
  await t.throwsAsync(patch(widgets, 'default/a', { metadata: { finalizers: ['test.dev/one', 'test.dev/three'] } }), {
    code: 'TAP_OBJECT_INVALID',
  });
  await patch(widgets, 'default/a', { metadata: { finalizers: ['test.dev/one'] } });
  await patch(widgets, 'default/a', { metadata: { finalizers: null } });
  await t.throwsAsync(get(widgets, 'default/a'), { code: 'TAP_OBJECT_NOT_FOUND' });
});

test('a watch tells what is there and then every change in order', async (t) => {
  const { create, patch, remove, engine } = await startEngine();
  await create(widgets, widget('a'));
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const events of engine.watch({
      target: { kind: widgets },
      bookmarks: false,
      signal: stop.signal,
    })) {
      for (const { type, served } of events) seen.push(`${type} ${(served.object as { metadata: { name: string } }).metadata.name}`);
      if (seen.length >= 4) stop.abort();
    }
  })();
  await create(widgets, widget('b'));
  await patch(widgets, 'default/a', { spec: { size: 3 } });
  await remove(widgets, 'default/b');
  await watching;
  t.deepEqual(seen, ['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']);
});
