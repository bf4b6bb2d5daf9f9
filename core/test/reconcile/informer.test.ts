import test from 'ava';
import type { Immutable } from '@tappaas/sdk';
import type { Handler, Occasion } from '../../dist/reconcile/handler-feed.js';
import type { InformerOptions } from '../../dist/reconcile/informer-options.js';
import { createInformer } from '../../dist/reconcile/informer.js';
import { VirtualClock, seededRandom } from '../virtual-clock.ts';
import { FakeSource, type Thing } from './fake-source.ts';

function setUp(options: Partial<InformerOptions<Thing>> = {}) {
  const clock = new VirtualClock();
  const source = new FakeSource();
  const errors: unknown[] = [];
  const informer = createInformer<Thing>({
    name: 'things',
    source,
    clock,
    random: () => 0.5,
    backoff: (failures) => Math.min(15_000, 200 * 2 ** failures),
    onError: (error) => void errors.push(error),
    ...options,
  });
  const stop = new AbortController();
  const start = async (): Promise<void> => {
    void informer.run(stop.signal);
    await clock.advance(0);
  };
  return { clock, source, informer, errors, stop, start };
}

/** Writes down what it is told, such as `add a@1`. */
function recorder(log: string[]): Handler<Thing> {
  const mark = (thing: Immutable<Thing>, occasion: Occasion): string => {
    const flags = `${occasion.isInInitialList ? ' initial' : ''}${occasion.isResync ? ' resync' : ''}${occasion.isTombstone ? ' tombstone' : ''}`;
    return `${thing.metadata.name}@${thing.metadata.resourceVersion}${flags}`;
  };
  return {
    add: (thing, occasion) => void log.push(`add ${mark(thing, occasion)}`),
    update: (thing, previous, occasion) => void log.push(`update ${previous.metadata.resourceVersion}>${mark(thing, occasion)}`),
    delete: (thing, occasion) => void log.push(`delete ${mark(thing, occasion)}`),
  };
}

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

test('ten handlers and many readers cause one list and one watch', async (t) => {
  const { source, informer, start } = setUp();
  const told: number[] = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 10; n += 1) informer.addHandler({ add: () => void (told[n] = (told[n] ?? 0) + 1) });
  source.put('a');
  await start();
  t.deepEqual(
    told,
    Array.from({ length: 10 }, () => 1),
  );
  t.is(source.lists, 1);
  t.is(source.watches, 1);
});

test('a handler that comes late is told what is there as initial; one that left is told nothing', async (t) => {
  const { source, informer, start, clock } = setUp();
  source.put('a');
  await start();
  const log: string[] = [];
  const leave = informer.addHandler(recorder(log));
  t.deepEqual(log, ['add a@1 initial']);
  leave();
  source.put('a');
  await clock.advance(0);
  t.is(log.length, 1);
});

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

test('what it hands out is frozen all the way down', async (t) => {
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

test('an indexer that throws for one object is told and stops nothing', async (t) => {
  const { source, informer, start, errors } = setUp({
    indexers: {
      size: (thing) => {
        if (thing.metadata.name === 'bad') throw new Error('no size');
        return ['1'];
      },
    },
  });
  source.put('bad');
  source.put('good');
  await start();
  t.is(informer.size, 2);
  t.deepEqual(
    informer.byIndex('size', '1').map((thing) => thing.metadata.name),
    ['good'],
  );
  t.is(errors.length, 1);
});

test('a handler that throws is told again with back-off, and the others are told at once', async (t) => {
  const { source, informer, start, clock, errors } = setUp();
  const log: string[] = [];
  let broken = true;
  informer.addHandler({
    add: (thing) => {
      if (broken) throw new Error('handler');
      log.push(`late ${thing.metadata.name}`);
    },
  });
  informer.addHandler(recorder(log));
  await start();
  source.put('a');
  await clock.advance(0);
  t.deepEqual(log, ['add a@1']);
  t.is((errors[0] as Error).message, 'handler');
  broken = false;
  await clock.advance(1_000);
  t.deepEqual(log, ['add a@1', 'late a']);
});

test('a handler that failed is told the difference to what it saw last: no update, deletion or successor is lost', async (t) => {
  const { source, informer, start, clock } = setUp();
  const log: string[] = [];
  let broken = false;
  const record = recorder(log);
  const failing = (): void => {
    if (broken) throw new Error('handler');
  };
  informer.addHandler({
    add: (thing, occasion) => (failing(), record.add?.(thing, occasion)),
    update: (thing, previous, occasion) => (failing(), record.update?.(thing, previous, occasion)),
    delete: (thing, occasion) => (failing(), record.delete?.(thing, occasion)),
  });
  await start();
  for (const name of ['updated', 'deleted', 'replaced']) source.put(name);
  await clock.advance(0);
  log.length = 0;
  broken = true;
  source.put('updated');
  source.put('updated');
  source.put('deleted');
  source.delete('deleted');
  source.delete('replaced');
  source.put('replaced');
  source.put('added');
  source.put('added');
  source.put('passing');
  source.delete('passing');
  await clock.advance(1_000);
  t.deepEqual(log, []);
  broken = false;
  await clock.advance(20_000);
  t.deepEqual(log.sort(), ['add added@11', 'add replaced@9', 'delete deleted@2', 'delete replaced@8', 'update 1>updated@5']);
});

test('a handler that fails too often makes the watch wait instead of losing events', async (t) => {
  const { source, informer, start, clock } = setUp({ behindKeysMax: 3 });
  const seen = new Set<string>();
  let broken = true;
  informer.addHandler({
    add: (thing) => {
      if (broken) throw new Error('handler');
      seen.add(thing.metadata.name);
    },
  });
  await start();
  for (let n = 0; n < 10; n += 1) source.put(`thing-${n}`);
  await clock.advance(5_000);
  t.is(informer.size, 3, 'the watch waits');
  broken = false;
  await clock.advance(60_000);
  t.is(informer.size, 10);
  t.is(seen.size, 10);
});

test('a resync shows every object again from the cache, without asking the source', async (t) => {
  const { source, informer, start, clock } = setUp({ resyncMs: 60_000, silenceMsMax: Infinity });
  const log: string[] = [];
  source.put('a');
  await start();
  informer.addHandler(recorder(log));
  await clock.advance(120_000);
  t.deepEqual(log, ['add a@1 initial', 'update 1>a@1 resync', 'update 1>a@1 resync']);
  t.is(source.lists, 1);
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

for (const seed of [1, 2, 3]) {
  test(`whatever fails, the cache and a handler that throws at random end up as the source is (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const { source, informer, start, clock } = setUp({ random });
    const mirror = new Map<string, string>();
    let calm = false;
    const flaky = (): void => {
      if (!calm && random() < 0.2) throw new Error('handler');
    };
    informer.addHandler({
      add: (thing) => {
        flaky();
        if (mirror.has(thing.metadata.name)) t.fail('added twice');
        mirror.set(thing.metadata.name, thing.metadata.uid);
      },
      update: (thing) => {
        flaky();
        if (mirror.get(thing.metadata.name) !== thing.metadata.uid) t.fail('updated another object');
      },
      delete: (thing) => {
        flaky();
        if (mirror.get(thing.metadata.name) !== thing.metadata.uid) t.fail('deleted another object');
        mirror.delete(thing.metadata.name);
      },
    });
    await start();
    for (let n = 0; n < 400; n += 1) {
      const name = `thing-${Math.floor(random() * 8)}`;
      const draw = random();
      if (draw < 0.55) source.put(name);
      else if (draw < 0.8) source.delete(name);
      else if (draw < 0.86) source.cut(random() < 0.5 ? new Error('cut') : undefined);
      else if (draw < 0.9) source.compact();
      else if (draw < 0.92) source.hangs = 1;
      else if (draw < 0.95) source.listErrors.push(new Error('list'));
      else await clock.advance(Math.floor(random() * 20_000));
    }
    calm = true;
    source.hangs = 0;
    source.listErrors = [];
    source.cut();
    await clock.advance(120_000);
    const pairs = (things: readonly (Thing | Immutable<Thing>)[]): string[] =>
      things.map((thing) => `${thing.metadata.name} ${thing.metadata.uid}`).toSorted();
    const expected = pairs((await source.list()).items);
    t.deepEqual([...mirror].map(([name, uid]) => `${name} ${uid}`).toSorted(), expected);
    t.deepEqual(pairs(informer.list()), expected);
  });
}
