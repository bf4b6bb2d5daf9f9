import test from 'ava';
import { array, assert, boolean, constant, constantFrom, dictionary, double, letrec, nat, oneof, property, string } from 'fast-check';
import { canonicalJson } from '../../dist/reconcile/canonical.js';

/** How stored digests were made from the beginning. */
function asEver(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

const name = oneof(string(), nat().map(String), constantFrom('4294967294', '4294967295', '01', '-1', '__proto__', 'constructor'));
const { value: json } = letrec((tie) => ({
  value: oneof(
    { maxDepth: 4 },
    string(),
    double(),
    boolean(),
    constant(null),
    constant(undefined),
    array(tie('value'), { maxLength: 4 }),
    dictionary(name, tie('value'), { maxKeys: 6 }),
  ),
}));

test('canonical JSON is what it ever was: digests of it are stored', (t) => {
  assert(
    property(json, (value) => {
      if (value !== undefined) t.is(canonicalJson(value), asEver(value));
    }),
    { numRuns: 2_000 },
  );
  t.is(canonicalJson({ b: 1, '10': 2, '9': 3, a: undefined }), '{"9":3,"10":2,"b":1}');
});
