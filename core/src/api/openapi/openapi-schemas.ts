import type { ServedKind } from '../../ports/engine.js';

export const referencePrefix = '#/components/schemas/';
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
export const statusSchema = `${meta}.Status`;
export const deleteOptionsSchema = `${meta}.DeleteOptions`;
const listMetaSchema = `${meta}.ListMeta`;
/** Schema of merge patches: fields of the object, all of them optional. */
export const patchSchema = `${meta}.Patch`;
export const watchEventSchema = `${meta}.WatchEvent`;
export const jsonPatchSchema = 'JsonPatch';
export const problemSchema = 'Problem';

/** Schemas of one document by name. */
export type Schemas = Record<string, object>;

/** States that fields are open: to generators such as openapi-typescript, an object that declares no field has none. */
const anyFields = { type: 'object', additionalProperties: true } as const;

export function reference(name: string): object {
  return { $ref: referencePrefix + name };
}

export function listSchemaName({ schemaName }: ServedKind): string {
  return `${schemaName}List`;
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const ofKind = 'x-kubernetes-group-version-kind';

/** Finds the component of a kind by its `x-kubernetes-group-version-kind`. */
export function nameOfKind({ group, version, kind }: GroupVersionKind, components: Readonly<Record<string, object>>): string | undefined {
  return Object.entries(components).find(([, schema]) =>
    ((schema as { [ofKind]?: readonly GroupVersionKind[] })[ofKind] ?? []).some(
      (each) => each.group === group && each.version === version && each.kind === kind,
    ),
  )?.[0];
}

/** Makes the schema of a page of objects. */
export function listSchema(kind: ServedKind): object {
  const { group, version } = kind;
  return {
    type: 'object',
    description: `A list of objects of kind ${kind.kind}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the items.' },
      kind: { type: 'string', description: `${kind.kind}List.` },
      metadata: { default: {}, allOf: [reference(listMetaSchema)], description: 'Metadata of the list.' },
      items: { type: 'array', items: { default: {}, allOf: [reference(kind.schemaName)] }, description: 'The objects of this page.' },
    },
    [ofKind]: [{ group, version, kind: `${kind.kind}List` }],
  };
}

const text = (description: string): object => ({ type: 'string', description });

const statusDetails = {
  name: text('Name of the object.'),
  group: text('Group of its kind.'),
  kind: text('Its kind or resource.'),
  uid: text('Its uid.'),
  code: text('Permanent code of the error.'),
  remedy: text('What to do next.'),
  plugin: text('The plugin at fault.'),
  retryAfterSeconds: { type: 'integer', format: 'int32', description: 'Seconds to wait before retrying.' },
  causes: {
    type: 'array',
    description: 'Every reason.',
    items: {
      type: 'object',
      properties: { reason: text('Type of the problem.'), message: text('The problem.'), field: text('Path of the field.') },
    },
  },
};

/** Schemas of every API, besides those of its kinds. */
export const commonSchemas: Readonly<Schemas> = {
  [listMetaSchema]: {
    type: 'object',
    description: 'Metadata of the list.',
    properties: {
      resourceVersion: text('Version of the list, to watch from.'),
      continue: text('Token for the next page; absent on the last one.'),
      remainingItemCount: { type: 'integer', format: 'int64', description: 'How many objects come after this page, where that is known.' },
    },
  },
  [deleteOptionsSchema]: {
    type: 'object',
    description: 'How an object is to be deleted.',
    properties: {
      apiVersion: text('v1.'),
      kind: text('DeleteOptions.'),
      dryRun: { type: 'array', items: { type: 'string' }, description: '"All": everything except the write.' },
      gracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Seconds that the object has for an orderly shutdown.' },
      propagationPolicy: text('How owned objects are handled: Foreground, Background or Orphan.'),
      preconditions: {
        type: 'object',
        description: 'Conditions that the object must meet.',
        properties: { uid: text('Its uid.'), resourceVersion: text('Its resourceVersion.') },
      },
    },
  },
  [statusSchema]: {
    type: 'object',
    description: 'Outcome of a request that returns no object.',
    properties: {
      apiVersion: text('v1.'),
      kind: text('Status.'),
      metadata: { default: {}, allOf: [reference(listMetaSchema)], description: 'A continue token when a list has expired.' },
      status: text('Success or Failure.'),
      message: text('What happened, for people.'),
      reason: text('What happened, for programs.'),
      code: { type: 'integer', format: 'int32', description: 'The HTTP status.' },
      details: {
        type: 'object',
        description: 'The object concerned, the reasons, and what to do.',
        properties: statusDetails,
      },
    },
    [ofKind]: [{ group: '', version: 'v1', kind: 'Status' }],
  },
  [problemSchema]: {
    type: 'object',
    description: 'A problem of RFC 9457, with the details of a Status.',
    required: ['type', 'status'],
    properties: {
      type: text('about:blank: the problem has no type beyond its title.'),
      title: text('What happened, for programs.'),
      status: { type: 'integer', format: 'int32', description: 'The HTTP status.' },
      detail: text('What happened, for people.'),
      instance: text('Id of the request.'),
      ...statusDetails,
    },
  },
  [watchEventSchema]: {
    type: 'object',
    description: 'One event of a watch.',
    required: ['type', 'object'],
    properties: {
      type: { type: 'string', enum: ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'], description: 'What happened.' },
      object: { ...anyFields, description: 'The object; a bookmark has only its resourceVersion, an error has a Status.' },
    },
  },
  [patchSchema]: { ...anyFields, description: 'The fields to change, structured as in the object; null removes a field.' },
  [jsonPatchSchema]: {
    type: 'array',
    description: 'Operations of RFC 6902, applied all or none.',
    maxItems: 10_000,
    items: {
      type: 'object',
      required: ['op', 'path'],
      properties: {
        op: { type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'], description: 'The operation.' },
        path: text('Target location, as a JSON Pointer.'),
        from: text('Source location of move and copy, as a JSON Pointer.'),
        value: { description: 'Value to add, to replace with, or to test for.' },
      },
    },
  },
};
