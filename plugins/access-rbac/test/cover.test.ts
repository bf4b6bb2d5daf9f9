import type { PolicyRule } from '@tappaas/sdk/kubernetes';
import test from 'ava';
import * as fc from 'fast-check';
import { uncovered } from '../dist/cover.js';
import { CompiledRules } from '../dist/rule.js';

const rule = (verbs: string[], resources: string[], rest: object = {}): PolicyRule => ({ verbs, apiGroups: [''], resources, ...rest });

test('rules are covered together: each single combination by one of them', (t) => {
  const owned = [rule(['get', 'list'], ['pods']), rule(['get'], ['services'])];
  t.deepEqual(uncovered(owned, [rule(['get'], ['pods', 'services'])]), []);
  t.deepEqual(uncovered(owned, [rule(['get', 'list'], ['pods', 'services'])]), [rule(['list'], ['services'])]);
});

test('a star covers everything and is covered by a star only', (t) => {
  t.deepEqual(uncovered([rule(['*'], ['*'])], [rule(['get'], ['pods/log'])]), []);
  t.is(uncovered([rule(['get', 'list'], ['pods'])], [rule(['*'], ['pods'])]).length, 1);
  t.deepEqual(uncovered([rule(['get'], ['*/scale'])], [rule(['get'], ['deployments/scale'])]), []);
  t.is(uncovered([rule(['get'], ['*/scale'])], [rule(['get'], ['deployments'])]).length, 1);
  t.is(uncovered([rule(['get'], ['pods'], { resourceNames: ['a'] })], [rule(['get'], ['pods'])]).length, 1);
  t.deepEqual(uncovered([rule(['get'], ['pods'])], [rule(['get'], ['pods'], { resourceNames: ['a'] })]), []);
});

test('paths are covered by the same path or a beginning of it', (t) => {
  const paths = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });
  t.deepEqual(uncovered([paths('/plugins/*')], [paths('/plugins/a', '/plugins/b/*')]), []);
  t.is(uncovered([paths('/plugins/a')], [paths('/plugins/*')]).length, 1);
  t.is(uncovered([rule(['*'], ['*'])], [paths('/metrics')]).length, 1);
});

test('a rule that stands for too many combinations is refused instead of looked at', (t) => {
  const many = Array.from({ length: 200 }, (_, index) => `v${index}`);
  t.throws(() => uncovered([rule(['get'], ['pods'])], [rule(many, many)]), { instanceOf: RangeError });
  t.deepEqual(uncovered([rule(['*'], ['*'])], [rule(many, many)]), []);
});

test('whatever covered rules allow, the owned ones allow', (t) => {
  const words = (values: string[]) => fc.subarray(values, { minLength: 1, maxLength: 3 });
  const arbitrary = fc.record({
    verbs: words(['get', 'list', '*']),
    apiGroups: words(['', 'apps', '*']),
    resources: words(['pods', 'pods/log', '*/scale', 'deployments/scale', '*']),
    resourceNames: fc.subarray(['a', 'b']),
  });
  const request = fc.record({
    verb: fc.constantFrom('get', 'list', 'create'),
    resource: fc.record({
      group: fc.constantFrom('', 'apps', 'batch'),
      version: fc.constant('v1'),
      plural: fc.constantFrom('pods', 'deployments'),
      subresource: fc.constantFrom('', 'log', 'scale'),
      name: fc.constantFrom('a', 'b', 'c'),
    }),
  });
  fc.assert(
    fc.property(
      fc.array(arbitrary, { maxLength: 3 }),
      fc.array(arbitrary, { maxLength: 2 }),
      fc.array(request, { minLength: 20 }),
      (owned, wanted, questions) => {
        if (uncovered(owned, wanted).length > 0) return true;
        const [mine, others] = [new CompiledRules(owned), new CompiledRules(wanted)];
        return questions.every((question) => !others.allows(question) || mine.allows(question));
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
