import test from 'ava';
import { configMap, configMaps, never, startEngine, widget, widgets, type Fixture } from './engine-fixture.ts';

const namesOf = (page: { readonly items: readonly { readonly object: object }[] }): string[] =>
  page.items.map(({ object }) => (object as { metadata: { name: string } }).metadata.name);

async function withWidgets(count: number): Promise<Fixture> {
  const fixture = await startEngine();
  for (let index = 0; index < count; index += 1) {
    await fixture.create(
      widgets,
      widget(`w${String(index).padStart(3, '0')}`, { color: index % 2 ? 'red' : 'blue' }, { labels: { n: `${index % 3}` } }),
    );
  }
  return fixture;
}

test('pages show one state of the collection, whatever is written meanwhile', async (t) => {
  const { engine, create, remove } = await withWidgets(7);
  const target = { kind: widgets, namespace: 'default' };
  const first = await engine.list({ target, limit: 3, signal: never });
  t.deepEqual(namesOf(first), ['w000', 'w001', 'w002']);
  t.is(first.remainingItemCount, 4);
  await create(widgets, widget('w0025'));
  await remove(widgets, 'default/w005');
  const second = await engine.list({ target, limit: 3, continueToken: first.continueToken ?? '', signal: never });
  t.deepEqual(namesOf(second), ['w003', 'w004', 'w005']);
  t.is(second.resourceVersion, first.resourceVersion);
  const third = await engine.list({ target, limit: 3, continueToken: second.continueToken ?? '', signal: never });
  t.deepEqual(namesOf(third), ['w006']);
  t.is(third.continueToken, undefined);
});

test('a continue token is good for its own list only', async (t) => {
  const { engine } = await withWidgets(4);
  const target = { kind: widgets, namespace: 'default' };
  const { continueToken = '' } = await engine.list({ target, limit: 2, signal: never });
  const refused = { code: 'TAP_REQUEST_INVALID' };
  const again = async (query: object): Promise<unknown> => engine.list({ target, limit: 2, continueToken, signal: never, ...query });
  await t.throwsAsync(again({ labelSelector: 'n=1' }), refused);
  await t.throwsAsync(again({ target: { kind: widgets, namespace: 'other' } }), refused);
  await t.throwsAsync(again({ target: { kind: configMaps, namespace: 'default' } }), refused);
  await t.throwsAsync(again({ continueToken: `${continueToken.slice(0, -2)}xx` }), refused);
  await t.throwsAsync(again({ continueToken: 'x' }), refused);
  await t.throwsAsync(again({ resourceVersion: '1099511627776' }), refused);
  t.deepEqual(namesOf(await engine.list({ target, limit: 2, continueToken, signal: never })), ['w002', 'w003']);
});

test('a token outlives a restart, which answers with a fresh one that goes on as of now', async (t) => {
  const { engine, store, clock, create } = await withWidgets(5);
  const target = { kind: widgets, namespace: 'default' };
  const { continueToken = '' } = await engine.list({ target, limit: 2, signal: never });
  await create(widgets, widget('w0025'));
  await store.compact(await store.currentRevision());
  await engine.close();
  const { engine: next } = await startEngine({ store, clock });
  const error = await t.throwsAsync(async () => next.list({ target, limit: 2, continueToken, signal: never }), {
    code: 'TAP_OBJECT_EXPIRED',
  });
  const fresh = (error as unknown as { data: { continueToken: string } }).data.continueToken;
  t.deepEqual(namesOf(await next.list({ target, limit: 9, continueToken: fresh, signal: never })), ['w002', 'w0025', 'w003', 'w004']);
});

test('a token of another life of the store goes on from its place as of now', async (t) => {
  const { engine, store } = await withWidgets(4);
  const target = { kind: widgets, namespace: 'default' };
  const { continueToken = '' } = await engine.list({ target, limit: 2, signal: never });
  const snapshot = await Array.fromAsync(store.snapshot());
  await store.restore(
    (async function* chunks() {
      yield* snapshot;
    })(),
  );
  const error = await t.throwsAsync(async () => engine.list({ target, limit: 2, continueToken, signal: never }), {
    code: 'TAP_OBJECT_EXPIRED',
  });
  const fresh = (error as unknown as { data: { continueToken: string } }).data.continueToken;
  t.deepEqual(namesOf(await engine.list({ target, limit: 2, continueToken: fresh, signal: never })), ['w002', 'w003']);
});

test('labels and fields select', async (t) => {
  const { engine } = await withWidgets(6);
  const select = async (filter: object): Promise<string[]> =>
    namesOf(await engine.list({ target: { kind: widgets }, signal: never, ...filter }));
  t.deepEqual(await select({ labelSelector: 'n=1' }), ['w001', 'w004']);
  t.deepEqual(await select({ labelSelector: 'n in (0,1)' }), ['w000', 'w001', 'w003', 'w004']);
  t.deepEqual(await select({ labelSelector: 'n!=1,n!=2' }), ['w000', 'w003']);
  t.deepEqual(await select({ labelSelector: 'missing' }), []);
  t.deepEqual(await select({ labelSelector: '!missing' }), ['w000', 'w001', 'w002', 'w003', 'w004', 'w005']);
  t.deepEqual(await select({ fieldSelector: 'spec.color=red' }), ['w001', 'w003', 'w005']);
  t.deepEqual(await select({ fieldSelector: 'spec.color!=red', labelSelector: 'n=0' }), ['w000']);
  t.deepEqual(await select({ fieldSelector: 'metadata.name=w003' }), ['w003']);
  t.deepEqual(await select({ fieldSelector: 'metadata.name=w00' }), []);
  t.deepEqual(await select({ fieldSelector: 'metadata.namespace=default,metadata.name!=w000', labelSelector: 'n=0' }), ['w003']);
  await t.throwsAsync(select({ fieldSelector: 'spec.size=1' }), { code: 'TAP_SELECTOR_INVALID' });
});

test('a name selects one object, not those whose names begin with it', async (t) => {
  const { engine, create } = await startEngine();
  for (const name of ['a', 'ab', 'a-b']) await create(configMaps, configMap(name));
  const target = { kind: configMaps, namespace: 'default' };
  t.deepEqual(namesOf(await engine.list({ target, fieldSelector: 'metadata.name=a', signal: never })), ['a']);
});

test('a namespace shows its own objects, not those of namespaces whose names begin with it', async (t) => {
  const { engine, create } = await startEngine();
  for (const name of ['team', 'team-a']) {
    await create({ group: '', version: 'v1', plural: 'namespaces' }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await create(configMaps, configMap('x', {}, { namespace: name }));
  }
  t.deepEqual(namesOf(await engine.list({ target: { kind: configMaps, namespace: 'team' }, signal: never })), ['x']);
  t.is((await engine.list({ target: { kind: configMaps }, signal: never })).items.length, 2);
});

test('resourceVersion says how old an answer may be', async (t) => {
  const { engine, create, patch } = await startEngine();
  const created = await create(widgets, widget('a'));
  const patched = await patch(widgets, 'default/a', { spec: { size: 2 } });
  const size = async (query: object): Promise<unknown> => {
    const { items } = await engine.list({ target: { kind: widgets }, signal: never, ...query });
    return (items[0]?.object as { spec: { size: number } } | undefined)?.spec.size;
  };
  t.is(await size({}), 2);
  t.is(await size({ resourceVersion: '0' }), 2);
  t.is(await size({ resourceVersion: patched.served.resourceVersion }), 2);
  t.is(await size({ resourceVersion: created.served.resourceVersion }), 2);
  t.is(await size({ resourceVersion: created.served.resourceVersion, resourceVersionMatch: 'Exact' }), 1);
  t.is(await size({ resourceVersion: created.served.resourceVersion, limit: 5 }), 1);
  t.is(await size({ resourceVersion: created.served.resourceVersion, limit: 5, resourceVersionMatch: 'NotOlderThan' }), 2);
});

test('a version of another life of the store, or of the future, is refused', async (t) => {
  const { engine, create } = await startEngine();
  const { served } = await create(widgets, widget('a'));
  const other = String(Number(served.resourceVersion) + 2 ** 40);
  const future = String(Number(served.resourceVersion) + 1000);
  for (const resourceVersion of [other, future, '5']) {
    const unknown = { code: 'TAP_OBJECT_UNKNOWN_VERSION' };
    await t.throwsAsync(async () => engine.list({ target: { kind: widgets }, resourceVersion, signal: never }), unknown);
    await t.throwsAsync(
      async () => engine.get({ kind: widgets, namespace: 'default', name: 'a' }, { resourceVersion, signal: never }),
      unknown,
    );
    const watch = engine.watch({ target: { kind: widgets }, resourceVersion, bookmarks: false, signal: never });
    await t.throwsAsync(watch[Symbol.asyncIterator]().next(), unknown);
  }
  for (const resourceVersion of ['x', '-1', '1.5', '01', '99999999999999999999', '1e3', ' 1']) {
    await t.throwsAsync(
      async () => engine.list({ target: { kind: widgets }, resourceVersion, signal: never }),
      { code: 'TAP_REQUEST_INVALID' },
      resourceVersion,
    );
  }
});

test('parameters that contradict each other are refused', async (t) => {
  const { engine } = await startEngine();
  const list = async (query: object): Promise<unknown> => engine.list({ target: { kind: widgets }, signal: never, ...query });
  await t.throwsAsync(list({ limit: -1 }), { code: 'TAP_REQUEST_INVALID' });
  await t.throwsAsync(list({ limit: 1.5 }), { code: 'TAP_REQUEST_INVALID' });
  await t.throwsAsync(list({ resourceVersionMatch: 'Exact' }), { code: 'TAP_REQUEST_INVALID' });
  await t.throwsAsync(list({ resourceVersionMatch: 'Exact', resourceVersion: '0' }), { code: 'TAP_REQUEST_INVALID' });
});

test('a kind that is not served is not found', async (t) => {
  const { engine } = await startEngine();
  await t.throwsAsync(async () => engine.list({ target: { kind: { group: 'x', version: 'v1', plural: 'gadgets' } }, signal: never }), {
    code: 'TAP_KIND_NOT_FOUND',
    message: 'no resource gadgets in x/v1 is served',
  });
});

test('a page of now keeps its items while only other kinds change, and is never older than what was acknowledged', async (t) => {
  const { engine, create, remove } = await withWidgets(4);
  const target = { kind: widgets, namespace: 'default' };
  const list = (query: object = {}) => engine.list({ target, signal: never, ...query });
  const first = await list();
  t.is(await list(), first);
  await create(configMaps, configMap('c'));
  const later = await list();
  t.is(later.items, first.items);
  t.true(Number(later.resourceVersion) > Number(first.resourceVersion));
  for (const query of [{}, { limit: 2 }, { labelSelector: 'n=1' }, { resourceVersion: '0' }]) {
    const before = await list(query);
    await create(widgets, widget('a', {}, { labels: { n: '1' } }));
    t.deepEqual(namesOf(await list(query)).includes('a'), true, JSON.stringify(query));
    await remove(widgets, 'default/a');
    t.deepEqual(namesOf(await list(query)), namesOf(before), JSON.stringify(query));
  }
});
