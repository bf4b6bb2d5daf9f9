/** Values by schema: as it wants them, or with parts exchanged for junk. */
import {
  array,
  base64String,
  bigInt,
  boolean,
  constant,
  constantFrom,
  dictionary,
  double,
  integer,
  oneof,
  record,
  string,
  stringMatching,
  subarray,
  type Arbitrary,
} from 'fast-check';
import type { Document, Schema } from './openapi-document.ts';
import { fittingFields, fittingSchemas, leftOut, neededBesides } from './fitting-values.ts';
import { knownVersion, names, namespace, otherNamespace, text } from './openapi-texts.ts';

const depthMax = 6;
const optionalKeysMax = 4;

export const junk: Arbitrary<unknown> = oneof(
  constant(null),
  boolean(),
  integer(),
  double({ noNaN: true, noDefaultInfinity: true }),
  text,
  constant([]),
  constant({}),
  constant({ __proto__: null, constructor: { prototype: { polluted: true } } }),
  constant(JSON.parse('{"__proto__":{"polluted":true}}')),
  array(constant({}), { minLength: 200, maxLength: 200 }),
  constant(nested(70)),
);

function nested(levels: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

/** Mostly nothing. */
export const seldom = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> =>
  oneof({ weight: 12, arbitrary: constant(undefined) }, { weight: 1, arbitrary });

/** Names of fields that mean the same wherever they stand. */
const known: Readonly<Record<string, Arbitrary<unknown>>> = {
  namespace: oneof({ weight: 30, arbitrary: constant(namespace) }, { weight: 1, arbitrary: oneof(constant(otherNamespace), text) }),
  name: text,
  resourceVersion: oneof(
    { weight: 2, arbitrary: constant(knownVersion) },
    { weight: 1, arbitrary: seldom(constantFrom('0', '1', '99999999999999999999', 'x')) },
  ),
  uid: seldom(text),
  dryRun: seldom(constantFrom(['All'], ['Some'], 'All')),
  propagationPolicy: constantFrom('Foreground', 'Background', 'Orphan', 'x'),
  gracePeriodSeconds: constantFrom(0, 1, -1),
  cedar: oneof(
    constantFrom(
      'forbid(principal, action, resource) when { principal.name == "nobody" };',
      'forbid(principal, action, resource) when { resource.nothing == 1 };',
      'permit(principal, action, resource);',
      'forbid(principal, action, resource) when {',
    ),
    text,
  ),
};

/** Values by schema; each part is now and then something else, unless all of it is to fit. */
export class Values {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #fits: boolean;
  readonly #made = new Map<string, Arbitrary<unknown>>();

  constructor({ components }: Document, fits: boolean) {
    this.#schemas = components.schemas;
    this.#fits = fits;
  }

  of(schema: Schema, depth = 0): Arbitrary<unknown> {
    const fitting = this.#fitting(schema, depth);
    return this.#fits ? fitting : oneof({ weight: 40, arbitrary: fitting }, { weight: 1, arbitrary: junk });
  }

  /** The schema that a kind has in this document. */
  ofKind({ group, version, kind }: { readonly group: string; readonly version: string; readonly kind: string }): Arbitrary<unknown> {
    const isIt = (each: Schema) =>
      each['x-kubernetes-group-version-kind']?.some((own) => own.group === group && own.version === version && own.kind === kind) === true;
    return this.of(Object.values(this.#schemas).find(isIt) ?? {});
  }

  #fitting(schema: Schema, depth: number): Arbitrary<unknown> {
    const { $ref, allOf, oneOf, anyOf } = schema;
    if ($ref !== undefined) return this.#named($ref.slice($ref.lastIndexOf('/') + 1), depth);
    if (allOf?.length === 1 && allOf[0] !== undefined) return this.#fitting(allOf[0], depth);
    const either = oneOf ?? anyOf;
    if (either !== undefined) return oneof(...either.map((each) => this.of(each, depth)));
    if (schema.enum !== undefined) return constantFrom(...schema.enum);
    switch (schema.type) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return this.#list(schema, depth);
      case 'boolean':
        return boolean();
      case 'integer':
        return this.#integer(schema);
      case 'number':
        return double({
          noNaN: true,
          noDefaultInfinity: true,
          ...(this.#fits && { min: schema.minimum ?? 0, max: schema.maximum ?? 1e6 }),
        });
      case 'string':
        return this.#fits ? fittingText(schema) : this.#text(schema);
      default:
        return this.#fits ? constant({}) : junk;
    }
  }

  #named(name: string, depth: number): Arbitrary<unknown> {
    const key = `${name} ${depth}`;
    const fixed = this.#fits ? fittingSchemas[name] : undefined;
    const made = this.#made.get(key) ?? (fixed === undefined ? this.#fitting(this.#schemas[name] ?? {}, depth) : constant(fixed));
    this.#made.set(key, made);
    return made;
  }

  #list({ items = {}, minItems = 0, 'x-kubernetes-list-map-keys': keys }: Schema, depth: number): Arbitrary<unknown> {
    // Two of the same key would not fit.
    const maxLength = this.#fits && keys !== undefined ? Math.max(1, minItems) : Math.max(3, minItems);
    return depth > depthMax ? constant([]) : array(this.of(items, depth + 1), { minLength: this.#fits ? minItems : 0, maxLength });
  }

  #integer({ minimum = 0, maximum = 2 ** 31 - 1 }: Schema): Arbitrary<unknown> {
    if (this.#fits) return integer({ min: Math.ceil(minimum), max: Math.min(maximum, Math.ceil(minimum) + 3) });
    return oneof(integer({ min: 0, max: 3 }), integer(), bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(Number));
  }

  #text({ format, pattern }: Schema): Arbitrary<unknown> {
    if (pattern !== undefined) return oneof({ weight: 9, arbitrary: stringMatching(new RegExp(pattern)) }, { weight: 1, arbitrary: text });
    if (format === 'byte') return oneof(base64String({ maxLength: 40 }), text);
    if (format === 'date-time') return constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000Z', 'yesterday');
    return text;
  }

  #object(schema: Schema, depth: number): Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties, 'x-kubernetes-group-version-kind': kinds = [] } = schema;
    const own = depth === 0 ? kindOf(kinds, this.#fits) : {};
    const keys = Object.keys(properties);
    if (keys.length === 0) {
      const inside = typeof additionalProperties === 'object' ? additionalProperties : {};
      if (this.#fits && typeof additionalProperties !== 'object') return constant({});
      const key = this.#fits ? constantFrom(...names) : text;
      return depth > depthMax ? constant({}) : dictionary(key, this.of(inside, depth + 1), { maxKeys: 3 });
    }
    // Without a name nothing comes of anything.
    const always = [
      ...(this.#fits ? [...Object.keys(own), ...neededBesides] : []),
      ...required,
      ...(depth === 0 ? ['metadata'] : []),
      ...('generateName' in properties ? ['name'] : []),
    ].filter((key) => key in properties);
    const optional = depth > depthMax ? [] : keys.filter((key) => !always.includes(key) && !(this.#fits && leftOut.has(key)));
    const maxLength = Math.min(this.#fits && depth > 0 ? 1 : optionalKeysMax, optional.length);
    const meant = (key: string) => (this.#fits ? fittingFields[key] : known[key]);
    return subarray(optional, { maxLength }).chain((chosen) =>
      record(
        Object.fromEntries(
          [...always, ...chosen].map((key) => [key, own[key] ?? meant(key) ?? this.of(properties[key] ?? {}, depth + 1)] as const),
        ),
      ),
    );
  }
}

function fittingText({ format, pattern, minLength = 0, maxLength }: Schema): Arbitrary<unknown> {
  if (pattern !== undefined) return stringMatching(new RegExp(pattern), { size: 'xsmall' });
  if (format === 'byte') return base64String({ maxLength: 40 });
  if (format === 'date-time') return constant('2030-01-01T00:00:00Z');
  if (format === 'int-or-string') return constantFrom(0, '10%');
  return minLength > 1
    ? string({ minLength, maxLength: maxLength ?? minLength + 20, unit: constantFrom(...names) })
    : constantFrom(...names);
}

/** What an object says of itself, if it says it. */
function kindOf(
  [kind]: NonNullable<Schema['x-kubernetes-group-version-kind']>,
  fits: boolean,
): Readonly<Record<string, Arbitrary<unknown>>> {
  if (kind === undefined) return {};
  const mostly = (value: string): Arbitrary<unknown> =>
    fits ? constant(value) : oneof({ weight: 20, arbitrary: constant(value) }, { weight: 1, arbitrary: text });
  return { kind: mostly(kind.kind), apiVersion: mostly(kind.group === '' ? kind.version : `${kind.group}/${kind.version}`) };
}
