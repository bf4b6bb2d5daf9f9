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

const dryRun = query('dryRun', 'string', '"All" runs everything but the write.');
const fieldManager = query('fieldManager', 'string', 'Who owns the fields that are written; at most 128 characters.');
const fieldValidation = query('fieldValidation', 'string', 'What becomes of unknown and duplicate fields: Strict, Warn or Ignore.');
const force = query('force', 'boolean', 'Takes fields over from other managers; for apply only.');

const parameters = {
  dryRun,
  fieldManager,
  fieldValidation,
  labelSelector: query('labelSelector', 'string', 'Only objects whose labels match.'),
  fieldSelector: query('fieldSelector', 'string', 'Only objects whose fields match.'),
  limit: query('limit', 'integer', 'Objects of one page.'),
  continue: query('continue', 'string', 'Token of the page before.'),
  resourceVersion: query('resourceVersion', 'string', 'At least (get, list) or after (watch) this version.'),
  resourceVersionMatch: query('resourceVersionMatch', 'string', 'Exact or NotOlderThan.'),
  watch: query('watch', 'boolean', 'Tells changes instead of answering once.'),
  allowWatchBookmarks: query('allowWatchBookmarks', 'boolean', 'Tells now and then how far the watch has come.'),
  sendInitialEvents: query(
    'sendInitialEvents',
    'boolean',
    'True begins a watch with what is there and a bookmark, false with what happens next.',
  ),
  timeoutSeconds: query('timeoutSeconds', 'integer', 'Ends the watch after this time.'),
  gracePeriodSeconds: query('gracePeriodSeconds', 'integer', 'Time for an orderly shutdown of the object.'),
  propagationPolicy: query('propagationPolicy', 'string', 'What becomes of the objects it owns: Foreground, Background or Orphan.'),
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
