import test from 'ava';
import type { Immutable } from '@tappaas/sdk';
import { seededRandom } from '../virtual-clock.ts';
import type { Thing } from './fake-source.ts';
import { setUp, recorder } from './informer-fixture.ts';

test('ten handlers and many readers cause one list and one watch', async (t) => {
  const { source, informer, start } = setUp();
  const reported: number[] = Array.from({ length: 10 }, () => 0);
  for (let n = 0; n < 10; n += 1) informer.addHandler({ add: () => void (reported[n] = (reported[n] ?? 0) + 1) });
  source.put('a');
  await start();
  t.deepEqual(
    reported,
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
