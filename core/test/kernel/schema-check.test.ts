import { Type } from '@tappaas/sdk';
import { Ajv } from 'ajv';
import test from 'ava';
import * as fc from 'fast-check';
import { closedSchema } from '../../dist/kernel/config/closed-schema.js';
import { nearestName } from '../../dist/kernel/config/nearest-name.js';
import { nodeOf } from '../../dist/kernel/config/node.js';
import { checkValue } from '../../dist/kernel/config/schema-check.js';
import { unreadableSecret } from '../../dist/kernel/config/secret-source.js';

const check = (schema: object, value: unknown) => checkValue(nodeOf(value), closedSchema(schema), ['config'], unreadableSecret);
const reported = (schema: object, value: unknown) => check(schema, value).problems.map(({ path, message }) => `${path}: ${message}`);

const { schema: schemaArbitrary } = fc.letrec<{ schema: object; leaf: object }>((tie) => ({
  leaf: fc.oneof(
    fc.record({ minLength: fc.nat(3), maxLength: fc.integer({ min: 3, max: 6 }) }).map((rules) => Type.String(rules)),
    fc
      .record({ minimum: fc.integer({ min: -5, max: 0 }), exclusiveMaximum: fc.integer({ min: 1, max: 5 }) })
      .map((rules) => Type.Number(rules)),
    fc.constantFrom(2, 3, 0.5).map((multipleOf) => Type.Number({ multipleOf })),
    fc.constant(Type.Integer()),
    fc.constant(Type.Boolean()),
    fc.constant(Type.Null()),
    fc.constant(Type.String({ pattern: '^[a-c]+$' })),
    fc
      .uniqueArray(fc.constantFrom('a', 'b', 'c', 1, true), { minLength: 1 })
      .map((values) => Type.Union(values.map((value) => Type.Literal(value)))),
  ),
  schema: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'schema' },
    tie('leaf'),
    fc
      .record({ items: tie('schema'), minItems: fc.nat(1), uniqueItems: fc.boolean() })
      .map(({ items, ...rules }) => Type.Array(items as never, rules)),
    fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), fc.tuple(tie('schema'), fc.boolean()))
      .map((properties) =>
        Type.Object(
          Object.fromEntries(
            Object.entries(properties).map(([key, [part, isOptional]]) => [
              key,
              isOptional ? Type.Optional(part as never) : (part as never),
            ]),
          ),
        ),
      ),
    fc
      .tuple(fc.constantFrom('', 'a', 0, true), fc.constantFrom('b', 1, null))
      .map(([a, b]) =>
        Type.Object(
          { a: Type.Optional(Type.Unknown()), b: Type.Optional(Type.Unknown()) },
          { not: { properties: { a: { const: a }, b: { const: b } }, required: ['a', 'b'] } },
        ),
      ),
    tie('schema').map((part) => Type.Record(Type.String(), part as never)),
    fc.tuple(tie('schema'), tie('schema')).map(([one, two]) => Type.Union([one as never, two as never])),
  ),
}));

const valueArbitrary = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('', 'a', 'b', 'abc', 'aaaaaaaa', 'd', 0, 1, 2, 3, -1, 0.5, 4.5, 6, true, false, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

test('the check accepts exactly what an independent validator accepts', (t) => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  let accepted = 0;
  fc.assert(
    fc.property(schemaArbitrary, valueArbitrary, (schema, made) => {
      const value = JSON.parse(JSON.stringify(made)) as unknown;
      const closed = closedSchema(schema);
      const expected = ajv.compile(closed as object)(value);
      if (expected) accepted += 1;
      return (check(schema, value).problems.length === 0) === expected;
    }),
    { numRuns: 1000 },
  );
  t.true(accepted > 20, `only ${accepted} values were accepted`);
});

test('an accepted value comes back as it is, with defaults filled in at every depth', (t) => {
  const schema = Type.Object({
    list: Type.Array(Type.Object({ size: Type.Integer({ default: 1 }) })),
    deep: Type.Object({ name: Type.String({ default: 'x' }) }, { default: {} }),
    choice: Type.Union([
      Type.Object({ kind: Type.Literal('a'), n: Type.Integer({ default: 7 }) }),
      Type.Object({ kind: Type.Literal('b') }),
    ]),
  });
  const { value, problems } = check(schema, { list: [{}, { size: 2 }], choice: { kind: 'a' } });
  t.deepEqual(problems, []);
  t.deepEqual(value, { list: [{ size: 1 }, { size: 2 }], deep: { name: 'x' }, choice: { kind: 'a', n: 7 } });
});

test('messages say what was expected and what was found', (t) => {
  const rules = Type.Object({
    url: Type.String({ format: 'uri' }),
    names: Type.Array(Type.String(), { minItems: 1, uniqueItems: true }),
    size: Type.Integer(),
    either: Type.Union([Type.String(), Type.Array(Type.String())]),
    auth: Type.Union([
      Type.Object({ kind: Type.Literal('token'), header: Type.String() }),
      Type.Object({ kind: Type.Literal('basic'), user: Type.String() }),
    ]),
  });
  t.deepEqual(reported(rules, { url: 'nowhere', names: ['a', 'a'], size: 1.5, either: 7, auth: { kind: 'basic', usr: 'x' } }), [
    'config.url: expected a string of format "uri", found "nowhere"',
    'config.names[1]: "a" stands in the list before',
    'config.size: expected a whole number, found 1.5',
    'config.either: expected a string or a list, found 7',
    'config.auth.usr: unknown key; did you mean "user"?',
  ]);
  t.deepEqual(reported(rules, { url: 'a:b', names: [], size: '1', either: {}, auth: [] }), [
    'config.names: at least 1 items expected, 0 found',
    'config.size: expected a whole number, found "1"',
    'config.either: expected a string or a list, found a map',
    'config.auth: expected a map or a map, found a list',
  ]);
});

test('schemas that cannot be closed or are not understood are refused while building', (t) => {
  const refuses = (schema: object, message: RegExp) => t.throws(() => closedSchema(schema), { message });
  refuses(Type.Intersect([Type.Object({}), Type.Object({})]), /Intersect cannot be closed/);
  refuses(Type.Object({ a: Type.Object({ b: Type.Intersect([]) }) }), /config\.a\.b: an Intersect/);
  refuses({ type: 'object', if: {} }, /the schema keyword "if" cannot be used/);
  refuses({ type: 'object', not: { required: ['a'] } }, /config: not has to name values that do not go together/);
  refuses(Type.String({ format: 'moon-phase' }), /format "moon-phase" is none of/);
  t.like(closedSchema(Type.Object({ a: Type.String({ default: '' }), b: Type.String() })), {
    additionalProperties: false,
    required: ['b'],
  });
});

test('the nearest name is one that was plausibly meant', (t) => {
  const known = ['monthlyBudgetEuro', 'currency', 'port'];
  t.is(nearestName('monthlyBudgetEur', known), 'monthlyBudgetEuro');
  t.is(nearestName('monthlybudgeteuro', known), 'monthlyBudgetEuro');
  t.is(nearestName('prot', known), 'port');
  t.is(nearestName('pot', known), 'port');
  t.is(nearestName('host', known), undefined);
  t.is(nearestName('x', known), undefined);
  t.is(nearestName('admission.nix', ['admission.claim']), undefined);
  t.is(nearestName('admision.claim', ['admission.claim']), 'admission.claim');
});
