import test from 'ava';
import * as fc from 'fast-check';
import { isTapError } from '@tappaas/sdk';
import { parseJson } from '../../../dist/resources/schema/json-document.js';
import { parseYaml, yamlCharactersMax } from '../../../dist/resources/schema/yaml-document.js';

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return isTapError(error) ? error.code : String(error);
  }
};
const nested = (levels: number) => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

test('every JSON value is read as JSON.parse reads it, without duplicates, frozen', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value, undefined, 2);
      if (text.includes('"__proto__"')) return;
      const document = parseJson(text);
      t.deepEqual(document.value, JSON.parse(text));
      t.deepEqual(document.duplicates, []);
      t.true(Object.isFrozen(document.value));
    }),
  );
});

test('keys that stand twice are told with their path, and the later one counts', (t) => {
  const text = String.raw`{"spec":{"a":1,"list":[{"x":"}{,\"x\":1"},{"y":1,"\u0079":2}],"a":{"b\"":1,"b\"":2}},"spec2":"a,\"spec2\":"}`;
  const { duplicates, value } = parseJson(text);
  t.deepEqual(duplicates, ['spec.list[1].y', 'spec.a', 'spec.a.b"']);
  t.deepEqual(value, JSON.parse(text));
});

test('a key that ends with a backslash does not hide the next one', (t) => {
  t.deepEqual(parseJson(String.raw`{"a\\":1,"a\\":2,"b":"\\","b":3}`).duplicates, ['a\\', 'b']);
});

test('text that no UTF-8 can carry is refused with its path, in JSON and YAML, and what looks like it is not', (t) => {
  const message = (run: () => unknown): string => {
    try {
      run();
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const parse of [parseJson, parseYaml]) {
    t.regex(
      message(() => parse(String.raw`{"spec":{"list":["a","\ud83d"]}}`)),
      /^spec\.list\[1\]: expected Unicode text, found half/,
    );
    t.regex(
      message(() => parse(String.raw`{"a\udfff":1}`)),
      /^a\ufffd: expected/,
    );
    t.is(
      codeOf(() => parse(String.raw`{"spec":"\udc00\ud800"}`)),
      'TAP_DOCUMENT_SYNTAX',
    );
    t.deepEqual(parse(String.raw`{"spec":"\ud83d\ude00","b":"\\ud800"}`).value, { spec: '\u{1f600}', b: String.raw`\ud800` });
  }
  t.is(
    codeOf(() => parseYaml(String.raw`spec: "\ud800"`)),
    'TAP_DOCUMENT_SYNTAX',
  );
});

test('depth, keys and __proto__ are limited', (t) => {
  t.is(
    codeOf(() => parseJson(nested(64))),
    undefined,
  );
  t.is(
    codeOf(() => parseJson(nested(65))),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseJson('['.repeat(500_000) + ']'.repeat(500_000))),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseJson('['.repeat(500_000))),
    'TAP_DOCUMENT_SYNTAX',
  );
  const keys = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0])));
  t.is(
    codeOf(() => parseJson(keys(10), { depthMax: 5, keysMax: 10 })),
    undefined,
  );
  t.is(
    codeOf(() => parseJson(keys(11), { depthMax: 5, keysMax: 10 })),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseJson('{"a":[{"__proto__":{"polluted":1}}]}')),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseJson(String.raw`{"\u005f_proto__":1}`)),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseJson('{"a":"__proto__"}')),
    undefined,
  );
});

test('malformed JSON is refused with its position', (t) => {
  for (const text of ['', '{', '{"a":1,}', "{'a':1}", '{"a":1}x', 'NaN', '\u0000'])
    t.is(
      codeOf(() => parseJson(text)),
      'TAP_DOCUMENT_SYNTAX',
      text,
    );
});

test('YAML gives what the same JSON gives', (t) => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {on: "yes"}}\ndata:\n  a: |\n    x\n  b: yes\n';
  t.deepEqual(parseYaml(text), {
    value: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { on: 'yes' } }, data: { a: 'x\n', b: 'yes' } },
    duplicates: [],
  });
  const json = '{"a":[{"b":1,"b":2}],"c":{"d":{"e":1}},"c":null}';
  t.deepEqual(parseYaml(json).value, parseJson(json).value);
  t.deepEqual(parseYaml(json).duplicates.toSorted(), parseJson(json).duplicates.toSorted());
});

test('YAML that is broken, tagged, or more than one document is refused', (t) => {
  for (const text of [
    'a: [',
    'a: !!js/function x',
    '%YAML 3\n---\na: !foo 1',
    '',
    'a: 1\n---\nb: 2',
    '? [a]\n: 1',
    '? {a: 1}\n: 1',
    'a: *nowhere',
    'a: &a [*a]',
    '&a {x: {y: *a}}',
  ]) {
    t.is(
      codeOf(() => parseYaml(text)),
      'TAP_DOCUMENT_SYNTAX',
      text,
    );
  }
});

test('an alias bomb, depth and __proto__ are refused in YAML as well', (t) => {
  const bomb = [
    'a0: &a0 [x,x,x,x,x,x,x,x,x]',
    ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`),
  ].join('\n');
  t.is(
    codeOf(() => parseYaml(bomb)),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseYaml(nested(65))),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseYaml('__proto__: {a: 1}')),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseYaml('{a: &x {b: 1}, c: *x}')),
    undefined,
  );
});

test('hostile YAML is refused before it holds anybody up', (t) => {
  const start = process.threadCpuUsage();
  const aliases = `a: &a x\nb:\n${'- *a\n'.repeat(20_000)}`;
  t.is(
    codeOf(() => parseYaml(aliases)),
    'TAP_DOCUMENT_LIMIT',
  );
  for (const text of ['['.repeat(100_000), '{a: '.repeat(20_000), '- '.repeat(50_000), '"'.repeat(50_000)])
    t.is(
      codeOf(() => parseYaml(text)),
      'TAP_DOCUMENT_SYNTAX',
    );
  t.is(
    codeOf(() => parseYaml(`a: ${'x'.repeat(yamlCharactersMax)}`)),
    'TAP_DOCUMENT_LIMIT',
  );
  t.is(
    codeOf(() => parseYaml(JSON.stringify({ a: 'x'.repeat(yamlCharactersMax) }))),
    undefined,
    'JSON may be longer',
  );
  const used = process.threadCpuUsage(start);
  t.true(used.user + used.system < 8_000_000, `${used.user + used.system} µs`);
});

test('a fault in YAML is told with its line and column', (t) => {
  const error = t.throws(() => parseYaml('a: 1\nb: [1,\nc: 2\n'));
  t.regex(error?.message ?? '', /^the document is not valid YAML: .* at line \d, column \d+$/);
});
