import test from 'ava';
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { freezeDeep, isTapError } from '@tappaas/sdk';
import { applyJsonPatch, jsonPatchOperationsMax } from '../../../dist/resources/patch/json-patch.js';
import type { JsonObject } from '../../../dist/resources/schema/json-value.js';
import { applyMergePatch } from '../../../dist/resources/patch/merge-patch.js';

const { compare } = createRequire(import.meta.url)('fast-json-patch');
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return isTapError(error) ? error.code : String(error);
  }
};
const object = fc
  .dictionary(fc.stringMatching(/^[a-z~/]{0,3}$/), fc.jsonValue({ maxDepth: 3 }))
  .map((value) => freezeDeep(JSON.parse(JSON.stringify(value))))
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

test('the JSON patch of a difference gives the target, and the source stays as it is', (t) => {
  fc.assert(
    fc.property(object, object, (source, target) => {
      const before = JSON.stringify(source);
      t.deepEqual(applyJsonPatch(source, compare(source, target)), target);
      t.is(JSON.stringify(source), before);
    }),
  );
  t.pass();
});

const difference = (source: unknown, target: unknown): unknown => {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(source) || !isObject(target)) return target;
  const removed = Object.keys(source)
    .filter((key) => !Object.hasOwn(target, key))
    .map((key) => [key, null]);
  return Object.fromEntries([
    ...removed,
    ...Object.keys(target).map((key) => [key, difference(Object.hasOwn(source, key) ? source[key] : undefined, target[key])]),
  ]);
};
const withoutNulls = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .filter(([, member]) => member !== null)
          .map(([key, member]) => [key, withoutNulls(member)]),
      );

test('the merge patch of a difference gives the target, and patching again changes nothing', (t) => {
  fc.assert(
    fc.property(object, object, (source, raw) => {
      const target = withoutNulls(raw);
      const patch = freezeDeep(difference(source, target));
      const patched = applyMergePatch(source, patch);
      t.deepEqual(patched, target);
      t.deepEqual(applyMergePatch(patched, patch), patched);
    }),
  );
  t.pass();
});

test('a merge patch follows the table of its RFC', (t) => {
  const rows: readonly (readonly [JsonObject, JsonObject, JsonObject])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of rows) t.deepEqual(applyMergePatch(freezeDeep(target), freezeDeep(patch)), result);
  t.is(
    codeOf(() => applyMergePatch({}, [])),
    'TAP_PATCH_INVALID',
  );
  t.is(
    codeOf(() => applyMergePatch({}, null)),
    'TAP_PATCH_INVALID',
  );
});

const run = (target: JsonObject, ...patch: readonly object[]) => applyJsonPatch(freezeDeep(target), patch);

test('each operation does what its RFC says', (t) => {
  t.deepEqual(run({ a: [1, 2] }, { op: 'add', path: '/a/1', value: 9 }, { op: 'add', path: '/a/-', value: 3 }), { a: [1, 9, 2, 3] });
  t.deepEqual(run({ a: { b: 1 } }, { op: 'add', path: '/a', value: 2 }), { a: 2 });
  t.deepEqual(run({ a: [1, 2, 3] }, { op: 'remove', path: '/a/0' }, { op: 'replace', path: '/a/1', value: 8 }), { a: [2, 8] });
  t.deepEqual(run({ 'a/b': 1, 'c~d': 2 }, { op: 'move', from: '/a~1b', path: '/c~0d' }), { 'c~d': 1 });
  t.deepEqual(run({ a: [1, 2, 3] }, { op: 'move', from: '/a/0', path: '/a/2' }), { a: [2, 3, 1] });
  t.deepEqual(run({ a: { b: [1] } }, { op: 'copy', from: '/a', path: '/c' }, { op: 'add', path: '/c/b/0', value: 0 }), {
    a: { b: [1] },
    c: { b: [0, 1] },
  });
  t.deepEqual(run({ a: { x: 1, y: [2] } }, { op: 'test', path: '/a', value: { y: [2], x: 1 } }), { a: { x: 1, y: [2] } });
  t.deepEqual(run({ a: 1 }, { op: 'replace', path: '', value: { b: 2 } }), { b: 2 });
  t.deepEqual(run({ '': { '': 1 } }, { op: 'replace', path: '//', value: 2 }), { '': { '': 2 } });
  t.deepEqual(run({ a: null }, { op: 'test', path: '/a', value: null }), { a: null });
});

test('what does not fit the object is rejected, and a failed test stops everything', (t) => {
  const rows: object[] = [
    { op: 'remove', path: '/b' },
    { op: 'replace', path: '/b', value: 1 },
    { op: 'add', path: '/b/c', value: 1 },
    { op: 'add', path: '/a/3', value: 1 },
    { op: 'add', path: '/a/01', value: 1 },
    { op: 'add', path: '/a/x', value: 1 },
    { op: 'add', path: '/s/x', value: 1 },
    { op: 'remove', path: '/a/-' },
    { op: 'remove', path: '/a/length' },
    { op: 'remove', path: '/constructor' },
    { op: 'remove', path: '' },
    { op: 'test', path: '/a', value: [1, 2, 3] },
    { op: 'move', from: '/o', path: '/o/inner' },
    { op: 'copy', from: '/a/9', path: '/b' },
  ];
  for (const operation of rows)
    t.is(
      codeOf(() => run({ a: [1, 2], s: 'text', o: {} }, operation)),
      'TAP_PATCH_REJECTED',
      JSON.stringify(operation),
    );
});

test('a malformed patch is refused before any part of it is applied', (t) => {
  const rows: unknown[] = [
    {},
    null,
    'x',
    [1],
    [{ op: 'spam', path: '/a' }],
    [{ path: '/a' }],
    [{ op: 'add', path: '/a' }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'add', value: 1 }],
    [{ op: 'move', path: '/a' }],
    [{ op: 'add', path: '/a~2', value: 1 }],
  ];
  for (const patch of rows)
    t.is(
      codeOf(() => applyJsonPatch({}, patch)),
      'TAP_PATCH_INVALID',
      JSON.stringify(patch),
    );
});

test('hostile paths reach no prototype', (t) => {
  for (const path of ['/__proto__/polluted', '/a/__proto__/polluted', '/__proto__']) {
    t.is(
      codeOf(() => run({ a: {} }, { op: 'add', path, value: 1 })),
      'TAP_PATCH_INVALID',
    );
  }
  t.is(
    codeOf(() => run({ a: {} }, { op: 'add', path: '/constructor/prototype/polluted', value: 1 })),
    'TAP_PATCH_REJECTED',
  );
  t.is((Object.prototype as Record<string, unknown>)['polluted'], undefined);
});

test('operations, copies and depth reach their limits', (t) => {
  const tests = (count: number) => Array.from({ length: count }, () => ({ op: 'test', path: '/a', value: 1 }));
  t.deepEqual(run({ a: 1 }, ...tests(jsonPatchOperationsMax)), { a: 1 });
  t.is(
    codeOf(() => run({ a: 1 }, ...tests(jsonPatchOperationsMax + 1))),
    'TAP_PATCH_TOO_LARGE',
  );
  const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  t.is(
    codeOf(() => run({ a: [1] }, ...doubling)),
    'TAP_PATCH_TOO_LARGE',
  );
  const deepening = Array.from({ length: 70 }, () => ({ op: 'move', from: '/a', path: '/b' })).flatMap((move) => [
    move,
    { op: 'add', path: '/a', value: {} },
    { op: 'move', from: '/b', path: '/a/b' },
  ]);
  t.is(
    codeOf(() => run({ a: 1 }, ...deepening)),
    'TAP_PATCH_TOO_LARGE',
  );
});

test('ten thousand insertions into a long list take less than a second', (t) => {
  const start = process.threadCpuUsage();
  const patch = Array.from({ length: 10_000 }, (_, index) => ({ op: 'add', path: `/a/${index}`, value: index }));
  t.is((applyJsonPatch({ a: [] }, patch) as { a: unknown[] }).a.length, 10_000);
  const used = process.threadCpuUsage(start);
  t.true(used.user + used.system < 1_000_000);
});

test('pushing a long list aside again and again reaches its limit', (t) => {
  const list = Array.from({ length: 400_000 }, () => 0);
  const pushing = Array.from({ length: 200 }, () => ({ op: 'add', path: '/a/0', value: 1 }));
  t.is(
    codeOf(() => run({ a: list }, ...pushing)),
    'TAP_PATCH_TOO_LARGE',
  );
});
