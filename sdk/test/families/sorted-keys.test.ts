import test from 'ava';
import * as fc from 'fast-check';
import { compareKeys, keyAfterPrefix, SortedKeys } from '../../dist/index.js';

const key = fc
  .oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }), fc.constantFrom('a', 'b', 'é', '\uffee', '\u{1f600}'))
  .filter((text) => text.isWellFormed());
const bytewise = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));

test('keys compare as the bytes of their UTF-8 form do', (t) => {
  fc.assert(
    fc.property(key, key, (left, right) => Math.sign(compareKeys(left, right)) === bytewise(left, right)),
    { numRuns: 2_000 },
  );
  t.true(compareKeys('\uffee', '\u{1f600}') < 0);
});

test('a set of keys stays in order under any additions and removals', (t) => {
  const step = fc.record({ key, remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), key, key, (steps, start, end) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      for (const { key, remove } of steps) {
        t.is(remove ? keys.delete(key) : keys.add(key), remove ? model.delete(key) : !model.has(key) && model.add(key) !== undefined);
      }
      const expected = [...model].toSorted(bytewise);
      const inside = expected.filter((key) => bytewise(key, start) >= 0 && bytewise(key, end) < 0);
      t.deepEqual([...keys.between('')], expected);
      t.deepEqual([...keys.between(start, end)], inside);
      t.deepEqual([keys.size, keys.countBetween(start, end)], [expected.length, inside.length]);
      for (const key of model) t.true(keys.has(key));
    }),
    { numRuns: 300 },
  );
});

test('a set of many keys works the same beyond one chunk, whatever the order of addition', (t) => {
  for (const order of [(index: number) => index, (index: number) => 4_999 - index, (index: number) => (index * 2_741) % 5_000]) {
    const keys = new SortedKeys();
    const name = (index: number) => `k${String(index).padStart(4, '0')}`;
    for (let index = 0; index < 5_000; index++) t.true(keys.add(name(order(index))));
    t.false(keys.add(name(17)));
    t.deepEqual([...keys.between(name(1_230), name(1_233))], [name(1_230), name(1_231), name(1_232)]);
    t.is(keys.countBetween(name(100), name(4_100)), 4_000);
    for (let index = 0; index < 5_000; index += 2) t.true(keys.delete(name(index)));
    t.is([...keys.between('')].length, 2_500);
    t.false(keys.has(name(2)));
    t.is(keys.countBetween('', keyAfterPrefix('k')), 2_500);
  }
});
