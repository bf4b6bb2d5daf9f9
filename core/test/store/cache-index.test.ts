import { array, assert, constantFrom, option, property, tuple, uniqueArray } from 'fast-check';
import test from 'ava';
import { cacheEntry } from '../../dist/store/cache-entry.js';
import { CacheIndex } from '../../dist/store/cache-index.js';

const functions = { tag: (tags: readonly string[]) => tags };
const key = constantFrom('/a/1', '/a/2', '/a/3', '/b/1');
const tags = uniqueArray(constantFrom('x', 'y', 'z'), { maxLength: 3 });

test('what stands under a value is what has it, whether that is one key or many, after any changes', (t) => {
  assert(
    property(array(tuple(key, option(tags, { nil: undefined })), { maxLength: 40 }), (changes) => {
      const index = new CacheIndex(functions);
      const model = new Map<string, readonly string[]>();
      for (const [at, value] of changes) {
        if (value === undefined) index.delete(at);
        else index.put(cacheEntry({ key: at, createRevision: 1, modRevision: 1 }, value, () => new Uint8Array()));
        if (value === undefined) model.delete(at);
        else model.set(at, value);
        for (const values of [['x'], ['y', 'z']]) {
          const where = [{ index: 'tag', values }];
          const expected = [...model].filter(([, has]) => has.some((tag) => values.includes(tag))).map(([found]) => found);
          t.deepEqual(
            [...index.select({ where }, undefined)].map((entry) => entry.key),
            expected.toSorted(),
          );
          if (values.length === 1) t.is(index.count({ where }, undefined), expected.length);
        }
      }
    }),
  );
});
