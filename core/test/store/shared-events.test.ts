import test from 'ava';
import { CacheChange } from '../../dist/store/cache-change.js';
import { cacheEntry } from '../../dist/store/cache-entry.js';
import { SharedEvents } from '../../dist/store/shared-events.js';

const codec = { encode: (text: string) => Buffer.from(text), restamp: (text: string) => text };
const entry = (text: string, modRevision: number) => cacheEntry({ key: 'a', createRevision: 1, modRevision }, text, codec.encode);
const change = (revision: number, current: string, previous?: string) =>
  new CacheChange(
    {
      key: 'a',
      revision,
      current: entry(current, revision),
      previous: previous === undefined ? undefined : entry(previous, revision - 1),
      sizeBytes: 1,
    },
    codec,
  );

test('watches that select the same are told one event, and what they ask is asked once', (t) => {
  const shared = new SharedEvents<string>();
  let requested = 0;
  const matches = ({ object }: { readonly object: string }): boolean => {
    requested += 1;
    return object === 'x';
  };
  const watches = Array.from({ length: 3 }, () => shared.eventOf('all x', matches));
  const [first, second] = [change(1, 'x'), change(2, 'y', 'x')];
  const reported = watches.map((eventOf) => eventOf(first));
  t.is(reported[0]?.type, 'added');
  t.true(reported.every((event) => event === reported[0]));
  t.deepEqual(
    watches.map((eventOf) => eventOf(second)?.type),
    ['deleted', 'deleted', 'deleted'],
  );
  t.is(requested, 3);
});

test('other selections, and those without a name, are asked by themselves', (t) => {
  const shared = new SharedEvents<string>();
  const all = shared.eventOf('all', () => true);
  const none = shared.eventOf('none', () => false);
  const nameless = [shared.eventOf(undefined, () => true), shared.eventOf(undefined, () => false)];
  const made = change(1, 'x');
  t.is(all(made)?.type, 'added');
  t.is(none(made), undefined);
  t.deepEqual(
    nameless.map((eventOf) => eventOf(made)?.type),
    ['added', undefined],
  );
});

test('a selection that throws throws for everybody who asks', (t) => {
  const shared = new SharedEvents<string>();
  const eventOf = shared.eventOf('bad', () => {
    throw new Error('no');
  });
  const made = change(1, 'x');
  t.throws(() => eventOf(made));
  t.throws(() => eventOf(made));
});

test('of a thousand selections the last event is remembered, of more they begin anew', (t) => {
  const shared = new SharedEvents<string>();
  const first = shared.eventOf('0', () => true);
  for (let n = 1; n < 1_000; n += 1) shared.eventOf(String(n), () => true);
  t.is(
    shared.eventOf('0', () => true),
    first,
  );
  shared.eventOf('one more', () => true);
  t.not(
    shared.eventOf('0', () => true),
    first,
  );
});
