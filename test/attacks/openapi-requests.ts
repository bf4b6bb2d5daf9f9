/** Requests made from an OpenAPI document: mostly as it wants them, often a little wrong, sometimes hostile. */
import { array, constant, constantFrom, integer, oneof, record, subarray, tuple, type Arbitrary } from 'fast-check';
import type { Document, Operation, Parameter, Schema } from './openapi-document.ts';
import { goodHeader, goodParameter, parameter, sentHeader } from './openapi-parameters.ts';
import { knownVersion, names, namespace, otherNamespace, text } from './openapi-texts.ts';
import { junk, seldom, Values } from './openapi-values.ts';

export interface FuzzRequest {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
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

const step = record({
  op: constantFrom('add', 'remove', 'replace', 'test', 'move', 'copy', 'x'),
  path: constantFrom('/metadata', '/spec', '/a/-', '', 'x', '/__proto__/x'),
  value: junk,
});

/** Bodies of the media types that are recognized only by their form. */
function bodyValues(operation: Operation, type: string, schema: Schema, values: Values, fits: boolean): Arbitrary<unknown> {
  const kind = operation['x-kubernetes-group-version-kind'];
  if (type === 'application/json-patch+json')
    return fits ? constant([{ op: 'add', path: '/metadata/annotations', value: { note: 'fuzz' } }]) : array(step, { maxLength: 4 });
  if (operation.method !== 'PATCH') return values.of(schema);
  if (fits && type !== 'application/apply-patch+yaml') return constant({ metadata: { annotations: { note: 'fuzz' } } });
  return values.ofKind(kind);
}

/** All requests to one operation. */
function requestOf(operation: Operation, values: Values): Arbitrary<FuzzRequest> {
  const { method, parameters, requestBody } = operation;
  const types = Object.entries(requestBody?.content ?? {});
  const queries = parameters.filter((each) => each.in === 'query');
  const query = subarray(queries, { maxLength: Math.min(3, queries.length) }).chain((chosen) => tuple(...chosen.map(parameter)));
  const type = types.length === 0 ? constant(undefined) : constantFrom(...types.map(([name]) => name));
  const bodyOf = (chosen: string | undefined): Arbitrary<string | undefined> => {
    const schema = types.find(([name]) => name === chosen)?.[1].schema;
    if (schema === undefined) return constant(undefined);
    const fitting = bodyValues(operation, chosen ?? '', schema, values, false).map((value) => JSON.stringify(value) ?? '');
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
    sent: headersOf(operation, sentHeader),
    /** Where the operation knows no such header. */
    match: seldom(constantFrom('"1"', '*', 'x', '"1", "2"')),
  }).map(({ path, query: parts, manager, typed: [contentType, body], otherType, accept, sent, match }) => {
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
        ...sent,
      },
      ...(body !== undefined && { body }),
    };
  });
}

/** The headers that an operation knows, each now and then. */
function headersOf(
  { parameters }: Operation,
  draw: (header: Parameter) => Arbitrary<string | undefined>,
): Arbitrary<Readonly<Record<string, string>>> {
  const headers = parameters.filter((each) => each.in === 'header');
  return tuple(...headers.map(draw)).map((drawn) =>
    Object.fromEntries(headers.flatMap(({ name }, index) => (drawn[index] === undefined ? [] : [[name.toLowerCase(), drawn[index]]]))),
  );
}

/** Requests to one operation that are as its description wants them; about an object of a name, if one is given. */
export function fittingRequestOf(operation: Operation, values: Values, about?: string): Arbitrary<FuzzRequest> {
  const { method, parameters, requestBody } = operation;
  const isNamed = operation.path.includes('{name}');
  const types = Object.entries(requestBody?.content ?? {});
  const bodies = types.map(([type, { schema }]) => tuple(constant(type), bodyValues(operation, type, schema, values, true)));
  const required = parameters.filter((each) => each.in === 'query' && each.required === true);
  return record({
    name: about === undefined ? (isNamed ? constantFrom(...names) : someName) : constant(about),
    query: tuple(...required.map(goodParameter)),
    typed: bodies.length === 0 ? constant(undefined) : oneof(...bodies),
    sent: headersOf(operation, goodHeader),
  }).map(({ name, query, typed, sent }) => {
    const [type, value] = typed ?? [];
    const isApply = type === 'application/apply-patch+yaml';
    const all = new URLSearchParams([...query, ...(isApply ? applied : [])].map(([key, each]) => [key, each]));
    const path = operation.path.replace('{namespace}', namespace).replace('{name}', name);
    return {
      operation,
      method,
      path: all.size === 0 ? path : `${path}?${all}`,
      headers: { accept: 'application/json', ...(type !== undefined && { 'content-type': type }), ...sent },
      ...(type !== undefined && { body: JSON.stringify(namedAs(name, value, operation, type)) }),
    };
  });
}

/** Nothing has it yet, perhaps. */
const someName = oneof(
  constantFrom(...names),
  integer({ min: 0, max: 1e6 }).map((each) => `fuzz-${each}`),
);

const applied = [
  ['fieldManager', 'fuzz'],
  ['force', 'true'],
] as const;

/** An object says its name as the path does, and its version where it replaces another. */
function namedAs(name: string, value: unknown, { method }: Operation, type: string): unknown {
  const { metadata, ...rest } = value as { readonly metadata?: object };
  if (typeof metadata !== 'object' || type.includes('patch+json')) return value;
  return { ...rest, metadata: { ...metadata, name, resourceVersion: method === 'PUT' ? knownVersion : undefined } };
}

/** Requests to all operations of a document, each as often as every other. */
export function requestsOf(document: Document, operations: readonly Operation[]): Arbitrary<FuzzRequest> {
  const wrong = new Values(document, false);
  const right = new Values(document, true);
  return oneof(
    ...operations.map((operation) =>
      oneof({ weight: 3, arbitrary: requestOf(operation, wrong) }, { weight: 1, arbitrary: fittingRequestOf(operation, right) }),
    ),
  );
}
