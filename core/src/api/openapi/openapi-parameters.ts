import { sentHeaders } from './openapi-headers.js';

/** A query or path parameter in OpenAPI: a component that operations reference. */
interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly description: string;
  readonly required?: boolean;
  readonly schema: object;
}

const query = (name: string, type: string, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});
const path = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: { type: 'string', uniqueItems: true },
});

const dryRun = query('dryRun', 'string', 'Dry run: "All" runs everything except the write.');
const fieldManager = query('fieldManager', 'string', 'Name of the field manager that owns the written fields; at most 128 characters.');
const fieldValidation = query('fieldValidation', 'string', 'How unknown and duplicate fields are handled: Strict, Warn or Ignore.');
const force = query('force', 'boolean', 'Takes over fields that other managers own; for apply only.');

const parameters = {
  dryRun,
  fieldManager,
  fieldValidation,
  labelSelector: query('labelSelector', 'string', 'Selects objects by their labels.'),
  fieldSelector: query('fieldSelector', 'string', 'Selects objects by their fields.'),
  limit: query('limit', 'integer', 'Maximum number of objects per page.'),
  continue: query('continue', 'string', 'Continue token of the previous page.'),
  resourceVersion: query('resourceVersion', 'string', 'Reads (get, list) at or after this version, or watches changes after it.'),
  resourceVersionMatch: query('resourceVersionMatch', 'string', 'How resourceVersion is applied to a list: Exact or NotOlderThan.'),
  watch: query('watch', 'boolean', 'Streams changes instead of returning a list.'),
  allowWatchBookmarks: query(
    'allowWatchBookmarks',
    'boolean',
    'Sends bookmark events, which carry the resource version that the watch has reached.',
  ),
  sendInitialEvents: query(
    'sendInitialEvents',
    'boolean',
    'True: a watch begins with the existing objects and a bookmark; false: only with later changes.',
  ),
  timeoutSeconds: query('timeoutSeconds', 'integer', 'Duration after which the watch ends.'),
  gracePeriodSeconds: query('gracePeriodSeconds', 'integer', 'Seconds that the object has for an orderly shutdown.'),
  propagationPolicy: query('propagationPolicy', 'string', 'How owned objects are handled: Foreground, Background or Orphan.'),
  name: path('name', 'Name of the object.'),
  namespace: path('namespace', 'Namespace of the object.'),
  ...sentHeaders,
} as const;

type ParameterName = keyof typeof parameters;

/** The parameters by the name of their component. */
export const parameterComponents: Readonly<Record<string, object>> = parameters;

/** Makes references to parameters, in the order of the documents. */
export const sent = (...names: readonly ParameterName[]): readonly object[] =>
  names.map((name) => ({ $ref: `#/components/parameters/${name}` }));

const deletion = ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'] as const;
const written = ['dryRun', 'fieldManager', 'fieldValidation'] as const;

/** The parameters of each of Kubernetes' actions. */
export const parametersOf = {
  get: sent('resourceVersion', 'IfNoneMatch'),
  list: sent(
    'labelSelector',
    'fieldSelector',
    'limit',
    'continue',
    'resourceVersion',
    'resourceVersionMatch',
    'watch',
    'allowWatchBookmarks',
    'sendInitialEvents',
    'timeoutSeconds',
  ),
  post: sent(...written, 'IfAbsent', 'IdempotencyKey'),
  /** For creates of kinds that are never stored, such as reviews. */
  ask: sent(...written),
  put: sent(...written, 'IfMatch'),
  // Inline, because kubectl finds out here by name, without following references, what a server supports (--validate, --dry-run).
  patch: [dryRun, fieldManager, fieldValidation, force, ...sent('IfMatch', 'IfAbsent')],
  delete: sent(...deletion, 'IfMatch'),
  deletecollection: sent(...deletion, 'labelSelector', 'fieldSelector'),
} as const satisfies Readonly<Record<string, readonly object[]>>;

/** Converts the properties of an object schema to query parameters. */
export function queryParameters(schema: object = {}): readonly object[] {
  const { properties = {}, required = [] } = schema as {
    readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description = '', ...rest }]) => ({
    name,
    in: 'query',
    description,
    ...(required.includes(name) && { required: true }),
    schema: rest,
  }));
}
