import test from 'ava';
import { seededRandom } from '../virtual-clock.ts';
import { FakeSource } from './fake-source.ts';
import { setUp, recorder } from './informer-fixture.ts';

test('after a cut it resumes from the last revision: nothing is lost, doubled or listed again', async (t) => {
  const { source, informer, start, clock } = setUp();
  const log: string[] = [];
  informer.addHandler(recorder(log));
  await start();
  source.put('a');
  await clock.advance(0);
  source.cut(new Error('ECONNRESET'));
  source.put('a');
  source.put('b');
  await clock.advance(30_000);
  t.deepEqual(log, ['add a@1', 'update 1>a@2', 'add b@3']);
  t.is(source.lists, 1);
});

test('an event that a resumed watch tells again changes nothing', async (t) => {
  const { source, informer, start, clock } = setUp();
  const log: string[] = [];
  informer.addHandler(recorder(log));
  await start();
  source.put('a');
  source.put('a');
  const watch = source.watch.bind(source);
  source.watch = (options) => watch({ ...options, fromRevision: '0' });
  await clock.advance(0);
  source.cut();
  await clock.advance(30_000);
  t.deepEqual(log, ['add a@1', 'update 1>a@2']);
  t.is(informer.get('a')?.metadata.resourceVersion, '2');
});

test('after 410 it lists again and tells only what differs, deletions as tombstones', async (t) => {
  const { source, informer, start, clock } = setUp();
  const log: string[] = [];
  informer.addHandler(recorder(log));
  for (const name of ['same', 'changed', 'gone']) source.put(name);
  await start();
  log.length = 0;
  source.cut();
  source.quietly(() => {
    source.put('changed');
    source.put('new');
    source.delete('gone');
  });
  source.compact();
  await clock.advance(30_000);
  t.deepEqual(log, ['update 2>changed@4', 'add new@5', 'delete gone@3 tombstone']);
  t.is(source.lists, 2);
});

test('another object of the same name found by listing is told as a deletion and an addition', async (t) => {
  const { source, informer, start, clock } = setUp();
  const log: string[] = [];
  informer.addHandler(recorder(log));
  source.put('a');
  await start();
  source.cut();
  source.delete('a');
  source.put('a');
  source.compact();
  await clock.advance(30_000);
  t.deepEqual(log, ['add a@1 initial', 'delete a@1', 'add a@3']);
});

test('a late deletion of an earlier object of that name does not remove the present one', async (t) => {
  const { source, informer, start, clock } = setUp();
  source.put('a', {}, 'second');
  await start();
  source.cut();
  source.watch = async function* () {
    yield { type: 'deleted', object: { metadata: { name: 'a', uid: 'first', resourceVersion: '2' } } } as const;
    await new Promise(() => {});
  };
  await clock.advance(1_000);
  t.is(informer.revision, '2');
  t.is(informer.get('a')?.metadata.uid, 'second');
});

test('a watch that says nothing is taken for half-open and left within 30 s, even if it ignores its signal', async (t) => {
  const { source, informer, start, clock } = setUp();
  source.hangs = 1;
  await start();
  source.put('a');
  await clock.advance(24_000);
  t.is(informer.get('a'), undefined);
  await clock.advance(6_000);
  t.is(informer.get('a')?.metadata.name, 'a');
});

test('a quiet kind whose server sends no bookmarks is watched without gaps, and is no error', async (t) => {
  const { source, informer, start, clock, errors } = setUp();
  await start();
  await clock.advance(600_000);
  t.deepEqual(errors, []);
  t.is(source.lists, 1);
  t.is(source.openWatches, 1);
  source.put('a');
  await clock.advance(0);
  t.truthy(informer.get('a'), 'told at once, after ten minutes of silence');
});

test('after a quiet while the next failure is again the first', async (t) => {
  const { source, informer, start, clock } = setUp();
  await start();
  source.watchErrors = Array.from({ length: 6 }, () => new Error('down'));
  source.cut();
  await clock.advance(120_000);
  source.cut(new Error('again'));
  source.put('b');
  await clock.advance(200);
  t.truthy(informer.get('b'));
});

test('after an event the next failure is again the first', async (t) => {
  const { source, informer, start, clock } = setUp();
  await start();
  source.watchErrors = Array.from({ length: 6 }, () => new Error('down'));
  source.cut();
  await clock.advance(60_000);
  source.put('a');
  await clock.advance(0);
  source.cut(new Error('again'));
  source.put('b');
  await clock.advance(200);
  t.truthy(informer.get('b'));
});

test('bookmarks move the revision, keep a quiet watch open, and make resuming cheap', async (t) => {
  const { source, informer, start, clock } = setUp();
  await start();
  source.put('elsewhere');
  await clock.advance(0);
  for (let n = 0; n < 20; n += 1) {
    await clock.advance(10_000);
    source.bookmark();
  }
  await clock.advance(0);
  t.is(source.watches, 1, 'never taken for half-open');
  source.quietly(() => source.put('other'));
  source.bookmark();
  await clock.advance(0);
  t.is(informer.revision, '2');
});

test('every kind of failure is recovered from within 30 s', async (t) => {
  const status = (httpStatus: number, retryAfterMs?: number): Error =>
    Object.assign(new Error(`answered ${httpStatus}`), {
      name: 'TapError',
      code: 'X',
      spec: { httpStatus, retry: 'back-off' },
      retryAfterMs,
    });
  const faults: Record<string, (source: FakeSource) => void> = {
    cut: (source) => source.cut(new Error('ECONNRESET')),
    end: (source) => source.cut(),
    gone: (source) => source.cut(source.expired()),
    'gone twice': (source) => {
      source.watchErrors.push(source.expired());
      source.cut(source.expired());
    },
    'too many requests': (source) => {
      source.watchErrors.push(status(429, 5_000), status(429, 5_000));
      source.cut();
    },
    'server errors': (source) => {
      source.watchErrors.push(status(500), status(503));
      source.listErrors.push(status(502), status(504));
      source.cut(source.expired());
    },
    'half-open': (source) => {
      source.hangs = 1;
      source.cut();
    },
  };
  for (const [name, inject] of Object.entries(faults)) {
    const { source, informer, start, clock, stop } = setUp();
    source.put('a');
    await start();
    inject(source);
    source.quietly(() => source.put('b'));
    await clock.advance(30_000);
    t.is(informer.get('b')?.metadata.resourceVersion, '2', `after ${name}`);
    stop.abort();
  }
});

test('a source that fails again and again is asked less and less often', async (t) => {
  const { source, start, clock, errors } = setUp();
  source.listErrors = Array.from({ length: 1_000 }, () => new Error('down'));
  await start();
  await clock.advance(60_000);
  t.true(source.lists > 5 && source.lists < 15, `${source.lists} lists in a minute`);
  t.is(errors.length, source.lists);
});

test('a server that ends every watch at once is backed off from', async (t) => {
  const { source, start, clock } = setUp();
  source.watch = () => {
    source.watches += 1;
    return source.empty();
  };
  await start();
  await clock.advance(60_000);
  t.true(source.watches < 15, `${source.watches} watches in a minute`);
});

test('a server that answers 410 to every watch is backed off from', async (t) => {
  const { source, start, clock } = setUp();
  source.watchErrors = Array.from({ length: 1_000 }, () => source.expired());
  await start();
  await clock.advance(60_000);
  t.true(source.lists < 15, `${source.lists} lists in a minute`);
});

test('watches last a random time, so that many informers do not come back together', async (t) => {
  const { source, start, clock } = setUp({ random: seededRandom(7), watchMs: 60_000 });
  await start();
  for (let n = 0; n < 20; n += 1) {
    source.cut();
    await clock.advance(5_000);
  }
  t.true(new Set(source.timeouts).size > 15);
  t.true(source.timeouts.every((timeoutMs) => timeoutMs >= 60_000 && timeoutMs <= 120_000));
});
