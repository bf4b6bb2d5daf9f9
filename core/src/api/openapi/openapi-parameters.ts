/** Query and path parameters as OpenAPI describes them, in the order in which they are told. */
interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly description: string;
  readonly required?: boolean;
  readonly schema: { readonly type: string; readonly uniqueItems: boolean };
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
const labelSelector = query('labelSelector', 'string', 'Only objects whose labels match.');
const fieldSelector = query('fieldSelector', 'string', 'Only objects whose fields match.');
const resourceVersion = query('resourceVersion', 'string', 'At least (get, list) or after (watch) this version.');
const resourceVersionMatch = query('resourceVersionMatch', 'string', 'Exact or NotOlderThan.');
const deletion = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Time for an orderly shutdown of the object.'),
  query('propagationPolicy', 'string', 'What becomes of the objects it owns: Foreground, Background or Orphan.'),
];

/** Parameters of each of Kubernetes' actions. */
export const parametersOf: Readonly<Record<string, readonly Parameter[]>> = {
  get: [resourceVersion],
  list: [
    labelSelector,
    fieldSelector,
    query('limit', 'integer', 'Objects of one page.'),
    query('continue', 'string', 'Token of the page before.'),
    resourceVersion,
    resourceVersionMatch,
    query('watch', 'boolean', 'Tells changes instead of answering once.'),
    query('allowWatchBookmarks', 'boolean', 'Tells now and then how far the watch has come.'),
    query('sendInitialEvents', 'boolean', 'True begins a watch with what is there and a bookmark, false with what happens next.'),
    query('timeoutSeconds', 'integer', 'Ends the watch after this time.'),
  ],
  post: [dryRun, fieldManager, fieldValidation],
  put: [dryRun, fieldManager, fieldValidation],
  patch: [dryRun, fieldManager, fieldValidation, force],
  delete: deletion,
  deletecollection: [...deletion, labelSelector, fieldSelector],
};

export const nameParameter = path('name', 'Name of the object.');
export const namespaceParameter = path('namespace', 'Namespace of the object.');
