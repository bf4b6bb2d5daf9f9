/** Requests made from an OpenAPI document: mostly as it wants them, often a little wrong, sometimes hostile. */
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
  stringMatching,
  subarray,
  tuple,
  type Arbitrary,
} from 'fast-check';
import type { Document, Operation, Schema } from './openapi-document.ts';
import { parameter } from './openapi-parameters.ts';
import { text } from './openapi-texts.ts';

export interface FuzzRequest {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Where most is asked about. */
export const namespace = 'fuzz';
/** Somebody else's, which is asked about now and then. */
export const otherNamespace = 'fuzz-rival';
const depthMax = 6;
const optionalKeysMax = 4;

const junk: Arbitrary<unknown> = oneof(
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
const seldom = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> =>
  oneof({ weight: 12, arbitrary: constant(undefined) }, { weight: 1, arbitrary });

/** Names of fields that mean the same wherever they stand. */
const known: Readonly<Record<string, Arbitrary<unknown>>> = {
  namespace: oneof({ weight: 30, arbitrary: constant(namespace) }, { weight: 1, arbitrary: oneof(constant(otherNamespace), text) }),
  name: text,
  resourceVersion: seldom(constantFrom('0', '1', '99999999999999999999', 'x')),
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

/** Values by schema; each part is now and then something else. */
class Values {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #made = new Map<string, Arbitrary<unknown>>();

  constructor({ components }: Document) {
    this.#schemas = components.schemas;
  }

  of(schema: Schema, depth = 0): Arbitrary<unknown> {
    return oneof({ weight: 40, arbitrary: this.#fitting(schema, depth) }, { weight: 1, arbitrary: junk });
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
        return depth > depthMax ? constant([]) : array(this.of(schema.items ?? {}, depth + 1), { maxLength: 3 });
      case 'boolean':
        return boolean();
      case 'integer':
        return oneof(integer({ min: 0, max: 3 }), integer(), bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(Number));
      case 'number':
        return double({ noNaN: true, noDefaultInfinity: true });
      case 'string':
        return this.#text(schema);
      default:
        return junk;
    }
  }

  #named(name: string, depth: number): Arbitrary<unknown> {
    const key = `${name} ${depth}`;
    const made = this.#made.get(key) ?? this.#fitting(this.#schemas[name] ?? {}, depth);
    this.#made.set(key, made);
    return made;
  }

  #text({ format, pattern }: Schema): Arbitrary<unknown> {
    if (pattern !== undefined) return oneof({ weight: 9, arbitrary: stringMatching(new RegExp(pattern)) }, { weight: 1, arbitrary: text });
    if (format === 'byte') return oneof(base64String({ maxLength: 40 }), text);
    if (format === 'date-time') return constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000Z', 'yesterday');
    return text;
  }

  #object(schema: Schema, depth: number): Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties, 'x-kubernetes-group-version-kind': kinds = [] } = schema;
    const own = depth === 0 ? kindOf(kinds) : {};
    const keys = Object.keys(properties);
    if (keys.length === 0) {
      const inside = typeof additionalProperties === 'object' ? additionalProperties : {};
      return depth > depthMax ? constant({}) : dictionary(text, this.of(inside, depth + 1), { maxKeys: 3 });
    }
    // Without a name nothing comes of anything.
    const always = [...required, ...(depth === 0 ? ['metadata'] : []), ...('generateName' in properties ? ['name'] : [])].filter(
      (key) => key in properties,
    );
    const optional = depth > depthMax ? [] : keys.filter((key) => !always.includes(key));
    return subarray(optional, { maxLength: Math.min(optionalKeysMax, optional.length) }).chain((chosen) =>
      record(
        Object.fromEntries(
          [...always, ...chosen].map((key) => [key, own[key] ?? known[key] ?? this.of(properties[key] ?? {}, depth + 1)] as const),
        ),
      ),
    );
  }
}

/** What an object says of itself, if it says it. */
function kindOf([kind]: NonNullable<Schema['x-kubernetes-group-version-kind']>): Readonly<Record<string, Arbitrary<unknown>>> {
  if (kind === undefined) return {};
  const mostly = (value: string): Arbitrary<unknown> => oneof({ weight: 20, arbitrary: constant(value) }, { weight: 1, arbitrary: text });
  return { kind: mostly(kind.kind), apiVersion: mostly(kind.group === '' ? kind.version : `${kind.group}/${kind.version}`) };
}

const namespaces = oneof(
  { weight: 30, arbitrary: constant(namespace) },
  { weight: 3, arbitrary: constant(otherNamespace) },
  { weight: 1, arbitrary: text },
);

function pathOf({ path }: Operation): Arbitrary<string> {
  const segment = (value: Arbitrary<string>): Arbitrary<string> =>
    oneof(
      { weight: 20, arbitrary: value.map(encodeURIComponent) },
      { weight: 1, arbitrary: constantFrom('..', '%00', '%', '%ff', 'a;b', '%2e') },
    );
  const parts = path.split('/').map((part) => {
    if (part === '{namespace}') return segment(namespaces);
    return part === '{name}' ? segment(text) : constant(part);
  });
  return tuple(...parts).map((each) => each.join('/'));
}

/** JSON as text that is not what it was any more. */
function broken(whole: string): Arbitrary<string> {
  const at = integer({ min: 0, max: Math.max(0, whole.length - 1) });
  return oneof(
    at.map((index) => whole.slice(0, index)),
    tuple(at, constantFrom('"', '{', '[', ',', '\0', '\\', '\ud800', '1e999')).map(
      ([index, piece]) => whole.slice(0, index) + piece + whole.slice(index),
    ),
    constant(whole + whole),
    constant(whole.replace('{', '{"metadata":{"name":"other"},')),
    constant(`[${whole}]`),
  );
}

const accepts = [
  undefined,
  'application/json',
  'application/yaml',
  'application/problem+json',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'text/html',
  '*/*',
  ';;',
];

/** All requests to one operation. */
function requestOf(operation: Operation, values: Values): Arbitrary<FuzzRequest> {
  const { method, parameters = [], requestBody } = operation;
  const types = Object.entries(requestBody?.content ?? {});
  const queries = parameters.filter((each) => each.in === 'query');
  const query = subarray(queries, { maxLength: Math.min(3, queries.length) }).chain((chosen) => tuple(...chosen.map(parameter)));
  const type = types.length === 0 ? constant(undefined) : constantFrom(...types.map(([name]) => name));
  const bodyOf = (chosen: string | undefined): Arbitrary<string | undefined> => {
    const schema = types.find(([name]) => name === chosen)?.[1].schema;
    if (schema === undefined) return constant(undefined);
    const patch = array(
      record({
        op: constantFrom('add', 'remove', 'replace', 'test', 'move', 'copy', 'x'),
        path: constantFrom('/metadata', '/spec', '/a/-', '', 'x', '/__proto__/x'),
        value: junk,
      }),
      { maxLength: 4 },
    );
    const fitting = (chosen === 'application/json-patch+json' ? patch : values.of(schema)).map((value) => JSON.stringify(value) ?? '');
    return oneof({ weight: 12, arbitrary: fitting }, { weight: 1, arbitrary: fitting.chain(broken) });
  };
  return record({
    path: pathOf(operation),
    query: oneof(
      { weight: 1, arbitrary: constant<readonly (readonly [name: string, value: string])[]>([]) },
      { weight: 1, arbitrary: query },
    ),
    manager: constantFrom('fuzz', 'other'),
    typed: type.chain((chosen) => tuple(constant(chosen), bodyOf(chosen))),
    otherType: seldom(constantFrom('text/plain', 'application/json; charset=utf-16', 'application/xml', '')),
    accept: oneof({ weight: 3, arbitrary: constant('application/json') }, { weight: 1, arbitrary: constantFrom(...accepts) }),
    match: seldom(constantFrom('"1"', '*', 'x', '"1", "2"')),
    key: seldom(constantFrom('key-1', 'key-2', 'x'.repeat(300))),
  }).map(({ path, query: parts, manager, typed: [contentType, body], otherType, accept, match, key }) => {
    const isNameless = contentType?.includes('apply-patch') === true && !parts.some(([name]) => name === 'fieldManager');
    const all = new URLSearchParams(
      [...parts, ...(isNameless ? [['fieldManager', manager] as const] : [])].map(([name, value]) => [name, value]),
    );
    return {
      operation,
      method,
      path: all.size === 0 ? path : `${path}?${all}`,
      headers: {
        ...(body !== undefined && contentType !== undefined && { 'content-type': otherType ?? contentType }),
        ...(accept !== undefined && { accept }),
        ...(match !== undefined && { 'if-match': match }),
        ...(key !== undefined && method === 'POST' && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body }),
    };
  });
}

/** Requests to all operations of a document, each as often as every other. */
export function requestsOf(document: Document, operations: readonly Operation[]): Arbitrary<FuzzRequest> {
  const values = new Values(document);
  return oneof(...operations.map((operation) => requestOf(operation, values)));
}
