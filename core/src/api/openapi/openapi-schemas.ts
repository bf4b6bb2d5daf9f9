import type { ServedKind } from '../../ports/engine.js';

export const referencePrefix = '#/components/schemas/';
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
export const statusSchema = `${meta}.Status`;
export const deleteOptionsSchema = `${meta}.DeleteOptions`;
const listMetaSchema = `${meta}.ListMeta`;

/** Schemas of one document by name. */
export type Schemas = Record<string, object>;

export function reference(name: string): object {
  return { $ref: referencePrefix + name };
}

export function listSchemaName({ schemaName }: ServedKind): string {
  return `${schemaName}List`;
}

/** What the operations of these kinds refer to: the kinds, their lists, and what every API has. */
export function schemasOf(kinds: readonly ServedKind[]): Schemas {
  const schemas: Schemas = { ...commonSchemas };
  for (const kind of kinds) {
    const components = kind.components();
    copyReachable(kind.schemaName, components, schemas);
    for (const { kind: body } of kind.subresources) {
      const name = body === undefined ? undefined : nameOfKind(body, components);
      if (name !== undefined) copyReachable(name, components, schemas);
    }
    if (kind.verbs.includes('list')) schemas[listSchemaName(kind)] = listSchema(kind);
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const ofKind = 'x-kubernetes-group-version-kind';

/** The component that describes a kind, by what it says of itself. */
export function nameOfKind({ group, version, kind }: GroupVersionKind, components: Readonly<Record<string, object>>): string | undefined {
  return Object.entries(components).find(([, schema]) =>
    ((schema as { [ofKind]?: readonly GroupVersionKind[] })[ofKind] ?? []).some(
      (each) => each.group === group && each.version === version && each.kind === kind,
    ),
  )?.[0];
}

function copyReachable(root: string, from: Readonly<Record<string, object>>, into: Schemas): void {
  const waiting = [root];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = from[name];
    if (schema === undefined || into[name] === schema) continue;
    into[name] = schema;
    waiting.push(...referencesIn(schema));
  }
}

function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    key === '$ref' && typeof part === 'string' && part.startsWith(referencePrefix)
      ? [part.slice(referencePrefix.length)]
      : referencesIn(part),
  );
}

function listSchema(kind: ServedKind): object {
  const { group, version } = kind;
  return {
    type: 'object',
    description: `A list of objects of kind ${kind.kind}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the items.' },
      kind: { type: 'string', description: `${kind.kind}List.` },
      metadata: { default: {}, allOf: [reference(listMetaSchema)], description: 'What every list carries.' },
      items: { type: 'array', items: { default: {}, allOf: [reference(kind.schemaName)] }, description: 'The objects of this page.' },
    },
    [ofKind]: [{ group, version, kind: `${kind.kind}List` }],
  };
}

const text = (description: string): object => ({ type: 'string', description });

const commonSchemas: Schemas = {
  [listMetaSchema]: {
    type: 'object',
    description: 'What every list carries.',
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
      gracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Time for an orderly shutdown of the object.' },
      propagationPolicy: text('What becomes of the objects it owns: Foreground, Background or Orphan.'),
      preconditions: {
        type: 'object',
        description: 'Conditions that the object must meet.',
        properties: { uid: text('Its uid.'), resourceVersion: text('Its resourceVersion.') },
      },
    },
  },
  [statusSchema]: {
    type: 'object',
    description: 'The outcome of a request that answers with no object.',
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
        properties: {
          name: text('Name of the object.'),
          group: text('Group of its kind.'),
          kind: text('Its kind or resource.'),
          uid: text('Its uid.'),
          code: text('Permanent code of the error.'),
          remedy: text('What to do next.'),
          plugin: text('The plugin at fault.'),
          retryAfterSeconds: { type: 'integer', format: 'int32', description: 'When to try again.' },
          causes: {
            type: 'array',
            description: 'Every reason.',
            items: {
              type: 'object',
              properties: { reason: text('Sort of problem.'), message: text('The problem.'), field: text('Path of the field.') },
            },
          },
        },
      },
    },
    [ofKind]: [{ group: '', version: 'v1', kind: 'Status' }],
  },
};
