import test from 'ava';
import type { Thing } from './fake-source.ts';
import { setUp, recorder } from './informer-fixture.ts';

test('it lists, marks what was there as initial, then follows the watch', async (t) => {
  const { source, informer, start, clock } = setUp();
  const log: string[] = [];
  informer.addHandler(recorder(log));
  source.put('a');
  source.put('b');
  t.false(informer.hasSynced);
  await start();
  t.true(informer.hasSynced);
  source.put('a');
  source.put('c');
  source.delete('b');
  await clock.advance(0);
  t.deepEqual(log, ['add a@1 initial', 'add b@2 initial', 'update 1>a@3', 'add c@4', 'delete b@5']);
  t.deepEqual(
    informer.list().map((thing) => thing.metadata.name),
    ['a', 'c'],
  );
  t.is(informer.revision, '5');
});

test('objects from an informer are deeply frozen', async (t) => {
  const { source, informer, start } = setUp();
  source.put('a', { spec: { size: 1 } });
  await start();
  const thing = informer.get('a') as Thing;
  t.throws(() => (thing.metadata.name = 'b'), { instanceOf: TypeError });
  t.throws(() => Object.assign(thing.spec ?? {}, { size: 2 }), { instanceOf: TypeError });
});

test('managed fields are dropped before caching', async (t) => {
  const { source, informer, start } = setUp();
  const managedFields = [{ manager: 'kubelet' }, { manager: 'tappaas-application' }];
  source.put('a', { metadata: { name: 'a', uid: 'u', resourceVersion: '1', managedFields } });
  await start();
  t.deepEqual(informer.get('a')?.metadata, { name: 'a', uid: 'u', resourceVersion: '1' });
});

test('indexes follow every change', async (t) => {
  const { source, informer, start, clock } = setUp({ indexers: { app: (thing) => Object.values(thing.metadata.labels ?? {}) } });
  const labelled = (app: string): Partial<Thing> => ({ metadata: { labels: { app } } as unknown as Thing['metadata'] });
  const names = (app: string): string[] => informer.byIndex('app', app).map((thing) => thing.metadata.name);
  source.put('a', labelled('shop'));
  source.put('b', labelled('shop'));
  await start();
  t.deepEqual(names('shop'), ['a', 'b']);
  source.put('a', labelled('blog'));
  source.delete('b');
  await clock.advance(0);
  t.deepEqual([names('shop'), names('blog'), names('none')], [[], ['a'], []]);
  t.deepEqual(informer.byIndex('unknown', 'x'), []);
});

test('a reader can wait until the cache has reached a revision', async (t) => {
  const { source, informer, start, clock } = setUp();
  await start();
  const signal = new AbortController().signal;
  let reached = false;
  const waiting = informer.waitFor('2', signal).then(() => (reached = true));
  source.put('a');
  await clock.advance(0);
  t.false(reached);
  source.put('a');
  await waiting;
  t.is(informer.get('a')?.metadata.resourceVersion, '2');
  await informer.waitFor('1', signal);
  const leave = new AbortController();
  const never = informer.waitFor('99', leave.signal);
  leave.abort(new Error('enough'));
  await t.throwsAsync(never, { message: 'enough' });
});

test('revisions are compared as numbers of any length', async (t) => {
  const { informer, start, source, clock } = setUp();
  for (let n = 0; n < 9; n += 1) source.put('a');
  await start();
  source.put('a');
  await clock.advance(0);
  t.is(informer.get('a')?.metadata.resourceVersion, '10', '10 is news after 9');
});

test('only so many readers may wait', async (t) => {
  const { informer, start } = setUp({ waitersMax: 2 });
  await start();
  const signal = new AbortController().signal;
  void informer.waitFor('5', signal);
  void informer.waitFor('6', signal);
  await t.throwsAsync(informer.waitFor('7', signal), { code: 'TAP_CACHE_WAITERS_TOO_MANY' });
});

test('a cache that would grow beyond its maximum says so and keeps what it has', async (t) => {
  const { source, informer, start, clock, errors } = setUp({ itemsMax: 2 });
  source.put('a');
  source.put('b');
  await start();
  source.put('c');
  await clock.advance(1_000);
  t.is(informer.size, 2);
  t.is((errors[0] as { code?: string }).code, 'TAP_CACHE_TOO_LARGE');
  source.delete('a');
  source.compact();
  await clock.advance(30_000);
  t.deepEqual([...informer.keys()].sort(), ['b', 'c'], 'it goes on when there is room');
});

test('synced resolves with the first list, and rejects when its signal aborts before', async (t) => {
  const { informer, start } = setUp();
  const leave = new AbortController();
  const early = informer.synced(leave.signal);
  leave.abort(new Error('left'));
  await t.throwsAsync(early, { message: 'left' });
  const waiting = informer.synced(new AbortController().signal);
  await start();
  await t.notThrowsAsync(waiting);
});

test('stopping ends the watch and leaves no timer behind', async (t) => {
  const { source, informer, clock, stop } = setUp({ resyncMs: 1_000 });
  const ended = informer.run(stop.signal);
  await clock.advance(0);
  t.is(source.openWatches, 1);
  stop.abort();
  await ended;
  await clock.advance(0);
  t.is(source.openWatches, 0);
  t.is(clock.sleeping, 0);
});
