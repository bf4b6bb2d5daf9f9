import test from 'ava';
import { objectOf, startEngine, widget, widgets, type Fixture, type TestObject } from './engine-fixture.ts';
import { settled } from '../virtual-clock.ts';

interface Told {
  readonly type: string;
  readonly served: { readonly object: TestObject; readonly resourceVersion: string };
  readonly initial?: { readonly reached?: string };
}

/** Collects what a watch tells. */
function listen({ engine }: Fixture, query: object = {}) {
  const stop = new AbortController();
  const events: Told[] = [];
  const ended = (async () => {
    const watch = engine.watch({ target: { kind: widgets }, bookmarks: false, signal: stop.signal, ...query });
    for await (const batch of watch) events.push(...batch);
  })();
  const said = (): string[] => events.map(({ type, served }) => `${type} ${served.object.metadata.name ?? ''}`.trim());
  return { events, said, ended, stop: () => stop.abort() };
}

test('a watch from a version tells exactly what came after it', async (t) => {
  const fixture = await startEngine();
  const { create, patch, remove } = fixture;
  await create(widgets, widget('a'));
  const from = await patch(widgets, 'default/a', { spec: { size: 2 } });
  await patch(widgets, 'default/a', { spec: { size: 3 } });
  const watch = listen(fixture, { resourceVersion: from.served.resourceVersion });
  await settled();
  await remove(widgets, 'default/a');
  await settled();
  watch.stop();
  await watch.ended;
  t.deepEqual(watch.said(), ['MODIFIED a', 'DELETED a']);
  t.is(watch.events[1]?.served.object.spec.size, 3, 'a deletion shows the last state');
  const [modified, deleted] = watch.events.map(({ served }) => Number(served.resourceVersion));
  t.true((deleted ?? 0) > (modified ?? 0), 'and has a version of its own');
});

test('initial events end with a marked bookmark', async (t) => {
  const fixture = await startEngine();
  await fixture.create(widgets, widget('a'));
  const watch = listen(fixture, { sendInitialEvents: true, bookmarks: true });
  await settled();
  await fixture.create(widgets, widget('b'));
  await settled();
  watch.stop();
  await watch.ended;
  t.deepEqual(watch.said(), ['ADDED a', 'BOOKMARK', 'ADDED b']);
  const bookmark = watch.events[1]?.served.object;
  t.deepEqual(bookmark.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
  t.is(bookmark.kind, 'Widget');
  t.is(bookmark.apiVersion, 'test.tappaas.dev/v1alpha1');
});

test('what is there at the beginning says with its last object how far it goes, and before that nothing', async (t) => {
  const fixture = await startEngine();
  await fixture.create(widgets, widget('b'));
  const last = await fixture.create(widgets, widget('a'));
  const watch = listen(fixture);
  await settled();
  await fixture.create(widgets, widget('c'));
  await settled();
  watch.stop();
  await watch.ended;
  t.deepEqual(watch.said(), ['ADDED a', 'ADDED b', 'ADDED c']);
  t.deepEqual(
    watch.events.map(({ initial }) => initial),
    [{}, { reached: last.served.resourceVersion }, undefined],
  );
});

test('without initial events a watch of no version, or of "0", begins with what happens next', async (t) => {
  const fixture = await startEngine();
  const from = await fixture.create(widgets, widget('a'));
  const watches = [{}, { resourceVersion: '0' }, { resourceVersion: from.served.resourceVersion }].map((version) =>
    listen(fixture, { ...version, sendInitialEvents: false, bookmarks: true }),
  );
  await settled();
  await fixture.create(widgets, widget('b'));
  await settled();
  for (const { stop, ended, said } of watches) {
    stop();
    await ended;
    t.deepEqual(said(), ['ADDED b']);
  }
});

test('bookmarks carry a watch on while nothing of its own happens', async (t) => {
  const fixture = await startEngine();
  await fixture.create(widgets, widget('a'));
  const watch = listen(fixture, { bookmarks: true });
  await settled();
  const other = await fixture.create(
    { group: '', version: 'v1', plural: 'configmaps' },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: 'default' },
    },
  );
  await fixture.clock.advance(11_000);
  watch.stop();
  await watch.ended;
  t.deepEqual(watch.said(), ['ADDED a', 'BOOKMARK']);
  t.is(watch.events[1]?.served.resourceVersion, other.served.resourceVersion);
});

test('an object that begins or stops to match is added or deleted for the watcher', async (t) => {
  const fixture = await startEngine();
  const { create, patch } = fixture;
  await create(widgets, widget('a'));
  const watch = listen(fixture, { labelSelector: 'tier=web' });
  await settled();
  await patch(widgets, 'default/a', { metadata: { labels: { tier: 'web' } } });
  await patch(widgets, 'default/a', { spec: { size: 4 } });
  await patch(widgets, 'default/a', { metadata: { labels: { tier: 'db' } } });
  await patch(widgets, 'default/a', { spec: { size: 5 } });
  await settled();
  watch.stop();
  await watch.ended;
  t.deepEqual(watch.said(), ['ADDED a', 'MODIFIED a', 'DELETED a']);
});

test('a watch of one namespace or one name hears nothing else', async (t) => {
  const fixture = await startEngine();
  const { create } = fixture;
  await create({ group: '', version: 'v1', plural: 'namespaces' }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
  const inDefault = listen(fixture, { target: { kind: widgets, namespace: 'default' } });
  const one = listen(fixture, { target: { kind: widgets, namespace: 'default' }, fieldSelector: 'metadata.name=b' });
  await settled();
  await create(widgets, widget('a', {}, { namespace: 'other' }));
  await create(widgets, widget('b'));
  await create(widgets, widget('bb'));
  await settled();
  for (const watch of [inDefault, one]) watch.stop();
  t.deepEqual(inDefault.said(), ['ADDED b', 'ADDED bb']);
  t.deepEqual(one.said(), ['ADDED b']);
});

test('a watch whose history is gone says so', async (t) => {
  const fixture = await startEngine();
  const { create, engine, store, clock } = fixture;
  const old = await create(widgets, widget('a'));
  await create(widgets, widget('b'));
  await engine.close();
  const restarted = await startEngine({ store, clock });
  const watch = listen(restarted, { resourceVersion: old.served.resourceVersion });
  await t.throwsAsync(watch.ended, { code: 'TAP_STORE_COMPACTED' });
});

test('after a restore every version from before is refused and everything is there anew', async (t) => {
  const fixture = await startEngine();
  const { create, engine, store, clock, get } = fixture;
  const before = await create(widgets, widget('a'));
  const snapshot = await Array.fromAsync(store.snapshot());
  await create(widgets, widget('lost'));
  await engine.close();
  await store.restore(
    (async function* chunks() {
      yield* snapshot;
    })(),
  );
  const restored = await startEngine({ store, clock });
  const watch = listen(restored, { resourceVersion: before.served.resourceVersion });
  await t.throwsAsync(watch.ended, { code: 'TAP_OBJECT_UNKNOWN_VERSION' });
  t.deepEqual(await restored.names(widgets), ['a']);
  const after = await restored.get(widgets, 'default/a');
  t.true(Number(after.metadata.resourceVersion) > Number(before.served.resourceVersion));
  t.is(after.metadata.uid, objectOf(before).metadata.uid);
  await t.throwsAsync(async () => get(widgets, 'default/a'), { code: 'TAP_ENGINE_NOT_STARTED' });
});

test('a restore under a running engine ends its watches and gives every object a version of the new life', async (t) => {
  const fixture = await startEngine();
  const { create, store, get, names, patch } = fixture;
  const before = await create(widgets, widget('a'));
  const snapshot = await Array.fromAsync(store.snapshot());
  await create(widgets, widget('lost'));
  const watch = listen(fixture, { resourceVersion: before.served.resourceVersion });
  await settled();
  await store.restore(
    (async function* chunks() {
      yield* snapshot;
    })(),
  );
  await t.throwsAsync(watch.ended);
  await fixture.clock.advance(60_000);
  t.deepEqual(await names(widgets), ['a']);
  const after = await get(widgets, 'default/a');
  t.true(Number(after.metadata.resourceVersion) > Number(before.served.resourceVersion));
  const patched = await patch(widgets, 'default/a', { metadata: { resourceVersion: after.metadata.resourceVersion }, spec: { size: 3 } });
  t.is(patched.outcome, 'updated');
});

test('a watch of events that came before it was opened and after tells each once', async (t) => {
  const fixture = await startEngine();
  const watches: ReturnType<typeof listen>[] = [];
  for (let index = 0; index < 40; index += 1) {
    if (index % 10 === 0) watches.push(listen(fixture));
    await fixture.create(widgets, widget(`w${String(index).padStart(2, '0')}`));
  }
  await settled();
  const expected = Array.from({ length: 40 }, (_, index) => `ADDED w${String(index).padStart(2, '0')}`);
  for (const watch of watches) {
    watch.stop();
    await watch.ended;
    t.deepEqual(watch.said(), expected);
  }
});

test('an aborted watch ends without an error, also before it began', async (t) => {
  const { engine } = await startEngine();
  const watch = engine.watch({ target: { kind: widgets }, bookmarks: false, signal: AbortSignal.abort() });
  t.deepEqual(await Array.fromAsync(watch), []);
});
