import test from 'ava';
import * as fc from 'fast-check';
import { isTapError } from '@tappaas/sdk';
import { parseFieldSelector } from '../../../dist/resources/selectors/field-selector.js';
import { labelSelectorOf, labelSelectorText, parseLabelSelector } from '../../../dist/resources/selectors/label-selector.js';
import { labelSelector, type LabelRequirement } from '../../../dist/resources/selectors/label-requirement.js';
import { selectorCharactersMax } from '../../../dist/resources/selectors/selector-errors.js';

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return isTapError(error, 'TAP_SELECTOR_INVALID') ? error.message : `unexpected ${String(error)}`;
  }
  return 'no error';
};

test('a label selector selects as kubectl get -l does', (t) => {
  const labels = { app: 'web', tier: 'front', empty: '', rank: '7' };
  const rows: Record<string, boolean> = {
    '': true,
    '  ': true,
    'app=web': true,
    'app==web': true,
    ' app = web , tier!=back ': true,
    'app!=web': false,
    'nobody!=x': true,
    'app in (web, api)': true,
    'app in (api)': false,
    'app notin (api,db)': true,
    'nobody notin (x)': true,
    'app notin (web)': false,
    app: true,
    nobody: false,
    '!nobody': true,
    '! app': false,
    'empty=': true,
    'empty in (,x)': true,
    'nobody=': false,
    'app=': false,
    'rank>6': true,
    'rank > 7': false,
    'rank<8,rank>6': true,
    'app>1': false,
    'in=x': false,
    'in in (in)': false,
    'app in (web),tier in (front),!x': true,
    'example.com/a.b_c=1': false,
    constructor: false,
    '!toString': true,
  };
  for (const [selector, expected] of Object.entries(rows)) {
    t.is(parseLabelSelector(selector).matches(labels), expected, selector);
  }
  t.false(parseLabelSelector('a').matches(undefined));
  t.true(parseLabelSelector('!a').matches(undefined));
});

test('a malformed label selector is refused with its position', (t) => {
  for (const text of [
    '=',
    'a=b=c',
    'a b',
    'a in',
    'a in b',
    'a in (b',
    'a in (b c)',
    ',',
    'a,',
    'a,,b',
    '!',
    '!a=b',
    '!!a',
    '(a)',
    'a>b',
    'a=b c',
    'a/b/c',
    'a=-',
    'ä',
    'a in ()x',
    'a=(b)',
  ]) {
    t.regex(
      messageOf(() => parseLabelSelector(text)),
      /label selector/,
      text,
    );
  }
  t.is(
    messageOf(() => parseLabelSelector('a in b')),
    "unable to parse the label selector \"a in b\": found 'b', expected '('",
  );
  t.regex(
    messageOf(() => parseLabelSelector('a'.repeat(selectorCharactersMax + 1))),
    /16384 characters/,
  );
});

test('an index answers equalities, sets and presence; the rest is matched', (t) => {
  const selector = parseLabelSelector('a=1,b in (2,3),c');
  t.deepEqual(
    [selector.lookups, selector.isExact],
    [
      [
        { key: 'a', values: ['1'] },
        { key: 'b', values: ['2', '3'] },
        { key: 'c', values: undefined },
      ],
      true,
    ],
  );
  t.false(parseLabelSelector('a=1,b!=2').isExact);
  t.deepEqual(parseLabelSelector('!a,b>1').lookups, []);
  t.true(parseLabelSelector('').isExact);
});

test('the selector inside of an object is the same selector', (t) => {
  const selector = labelSelectorOf({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'x', operator: 'NotIn', values: ['y'] },
      { key: 'p', operator: 'Exists' },
      { key: 'q', operator: 'DoesNotExist' },
    ],
  });
  t.is(labelSelectorText(selector), 'app=web,tier in (a,b),x!=y,p,!q');
  t.true(labelSelectorOf({}).matches({}));
  for (const bad of [
    { matchExpressions: {} },
    { matchExpressions: [{ key: 'a', operator: 'Like', values: [] }] },
    { matchExpressions: [{ key: 'a', operator: 'In' }] },
    { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
    { matchLabels: { 'a b': 'c' } },
    { matchExpressions: [{ key: 'a', operator: 'constructor', values: ['x'] }] },
  ]) {
    t.not(
      messageOf(() => labelSelectorOf(bad)),
      'no error',
      JSON.stringify(bad),
    );
  }
});

const word = fc.constantFrom('a', 'b', 'in', 'notin', 'x.y/z', 'A_1');
const value = fc.constantFrom('', 'a', 'b', '7');
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key: word,
    operator: fc.constantFrom('in', 'notIn'),
    values: fc.uniqueArray(value, { minLength: 1 }).map((list) => list.toSorted()),
  }),
  fc.record({ key: word, operator: fc.constantFrom('exists', 'absent'), values: fc.constant([]) }),
  fc.record({ key: word, operator: fc.constantFrom('greater', 'less'), values: fc.constantFrom(['1'], ['42']) }),
);

test('a selector written as text parses to the same selector', (t) => {
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), (requirements) => {
      t.deepEqual(parseLabelSelector(labelSelectorText(labelSelector(requirements))).requirements, requirements);
    }),
  );
  t.pass();
});

test('lookups never exclude what matches', (t) => {
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), fc.dictionary(word, value), (requirements, raw) => {
      const labels: Record<string, string> = { ...raw };
      const selector = labelSelector(requirements);
      const found = selector.lookups.every(
        ({ key, values }) => key in labels && (values === undefined || values.includes(labels[key] ?? '')),
      );
      if (selector.matches(labels)) t.true(found);
      if (selector.isExact) t.is(found, selector.matches(labels));
    }),
  );
  t.pass();
});

const fields = new Map([
  ['metadata.name', ['metadata', 'name']],
  ['spec.nodeName', ['spec', 'nodeName']],
  ['spec.unschedulable', ['spec', 'unschedulable']],
]);

test('a field selector selects by the fields that the kind offers', (t) => {
  const object = { metadata: { name: 'a,b=c\\' }, spec: { unschedulable: true } };
  const rows: Record<string, boolean> = {
    '': true,
    'metadata.name=a': false,
    [String.raw`metadata.name=a\,b\=c\\`]: true,
    [String.raw`metadata.name==a\,b\=c\\,spec.unschedulable=true`]: true,
    'spec.nodeName=': true,
    'spec.nodeName!=': false,
    'spec.nodeName!=x,metadata.name!=y': true,
    'spec.unschedulable=false': false,
  };
  for (const [selector, expected] of Object.entries(rows)) t.is(parseFieldSelector(selector, fields).matches(object), expected, selector);
  t.deepEqual(parseFieldSelector('metadata.name=a,spec.nodeName!=b', fields).lookups, [{ field: 'metadata.name', value: 'a' }]);
  t.deepEqual(
    [parseFieldSelector('metadata.name=a', fields).isExact, parseFieldSelector('metadata.name!=a', fields).isExact],
    [true, false],
  );
});

test('a malformed field selector, or one for an unknown field, is refused', (t) => {
  t.is(
    messageOf(() => parseFieldSelector('spec.foo=1', fields)),
    'field label not supported: spec.foo; selectable are metadata.name, spec.nodeName, spec.unschedulable',
  );
  for (const text of [
    'metadata.name',
    '=a',
    'metadata.name=a=b',
    'metadata.name in (a)',
    String.raw`metadata.name=a\x`,
    'metadata.name=a\\',
    '__proto__=x',
    'constructor=x',
  ]) {
    t.not(
      messageOf(() => parseFieldSelector(text, fields)),
      'no error',
      text,
    );
  }
});
