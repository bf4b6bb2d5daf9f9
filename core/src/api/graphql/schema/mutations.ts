import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLInputFieldConfigMap,
} from 'graphql';
import type { ServedKind } from '../../../ports/engine.js';
import type { GraphqlContext } from '../context.js';
import type { ObjectBody } from '../object-reader.js';
import { writeObject, type Written } from '../object-writer.js';
import { actionFields } from './actions.js';
import type { ExposedKind } from './exposed-kinds.js';
import { mapOf, type InputFields, type InputTypes } from './input-types.js';
import type { ObjectTypes } from './object-types.js';
import type { Fields } from './output-types.js';
import { findKind, type SchemaParts, type ValueTypes } from './schema-parts.js';
import type { JsonSchema } from './shape.js';
import { operationOf } from '../operation-of.js';
import { userErrorsField } from './user-errors.js';
import { camelCase, type TypeNames } from './type-names.js';

const propagation = new GraphQLEnumType({
  name: 'Propagation',
  description: 'What happens to the objects that a deleted object owns.',
  values: {
    BACKGROUND: { value: 'Background', description: 'They are deleted afterwards.' },
    FOREGROUND: { value: 'Foreground', description: 'They are deleted first.' },
    ORPHAN: { value: 'Orphan', description: 'They stay.' },
  },
});

const common: GraphQLInputFieldConfigMap = {
  dryRun: { type: GraphQLBoolean, defaultValue: false, description: 'Do everything except the write.' },
};

const expectedVersion = {
  type: GraphQLString,
  description: 'resourceVersion that the object must have; another one is a user error, and nothing is written.',
};

/** The kind and GraphQL type of Operations. */
interface Operations {
  readonly kind: ServedKind;
  readonly type: GraphQLObjectType;
}

interface Verb {
  readonly name: 'create' | 'update' | 'apply' | 'delete';
  /** Verb that the kind must serve for the mutation to exist. */
  readonly needs: string;
  readonly what: string;
}

const verbs: readonly Verb[] = [
  { name: 'create', needs: 'create', what: 'Creates the object; an existing object of the same name is a user error.' },
  {
    name: 'update',
    needs: 'patch',
    what: 'Changes only the given fields: lists are replaced, null removes a field.',
  },
  {
    name: 'apply',
    needs: 'patch',
    what: 'Creates the object or changes it to the given state (server-side apply): lists are merged by their keys, and fields that the same manager applied before and omits now are removed.',
  },
  { name: 'delete', needs: 'delete', what: 'Deletes the object.' },
];

/** Makes the mutations of all writable kinds, and those for actions of plugins. */
export function mutationFields(parts: SchemaParts, objects: ObjectTypes, types: ValueTypes, names: TypeNames): Fields {
  const operations = findKind(parts.kinds, 'ops.tappaas.dev', 'Operation');
  const operation = operations && { kind: operations.served, type: objects.of(operations) };
  const made = parts.kinds.flatMap((kind) => {
    // All verbs of a kind share one content type.
    const content = contentOf(kind, types.inputs);
    return verbs
      .filter(({ needs }) => kind.served.verbs.includes(needs))
      .map((verb) => {
        const written = { kind, type: objects.of(kind), content };
        return [verb.name + kind.typeName, mutationField(verb, written, operation, types.inputs, names)] as const;
      });
  });
  return { ...actionFields(parts, types, names, operation?.type), ...(Object.fromEntries(made) as Fields) };
}

/** A kind with its GraphQL type, and its writable content. */
interface WrittenKind {
  readonly kind: ExposedKind;
  readonly type: GraphQLObjectType;
  readonly content: () => InputFields;
}

function mutationField(
  verb: Verb,
  { kind, type, content }: WrittenKind,
  operations: Operations | undefined,
  inputs: InputTypes,
  names: TypeNames,
): Fields[string] {
  const name = `${verb.name.charAt(0).toUpperCase()}${verb.name.slice(1)}${kind.typeName}`;
  const input = new GraphQLInputObjectType({
    name: names.claim(`${name}Input`),
    description: `Input of ${verb.name}${kind.typeName}.`,
    fields: () => inputFields(verb, kind, content, inputs),
  });
  return {
    type: new GraphQLNonNull(payloadType(name, type, verb.name !== 'delete' && hasOperations(kind) ? operations : undefined, names)),
    description: `${kind.served.description} ${verb.what}`,
    args: { input: { type: new GraphQLNonNull(input), description: 'Input of the mutation.' } },
    extensions: { cost: { points: 10 } },
    resolve: (_, { input: given }: { input: Readonly<Record<string, unknown>> }, context) =>
      writeObject(verb.name, kind.served, given, () => toRequest(given, content), context),
  } as Fields[string];
}

/** Makes the input fields for the writable properties besides metadata: spec, or data, rules and so on. */
function contentOf({ schema, components, typeName }: ExposedKind, inputs: InputTypes): () => InputFields {
  const left = new Set(['apiVersion', 'kind', 'metadata', 'status', 'namespace', 'name', 'generateName', 'labels', 'annotations']);
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !left.has(name)));
  const content: JsonSchema = { ...schema, properties };
  let made: InputFields | undefined;
  return () => (made ??= inputs.fieldsOf(content, components, typeName));
}

function inputFields(
  { name }: Verb,
  { served }: ExposedKind,
  content: () => InputFields,
  { stringEntry }: InputTypes,
): GraphQLInputFieldConfigMap {
  const entries = new GraphQLList(new GraphQLNonNull(stringEntry));
  const key: GraphQLInputFieldConfigMap = {
    ...(served.scope === 'Namespaced' && {
      namespace: { type: new GraphQLNonNull(GraphQLString), description: 'Namespace of the object.' },
    }),
    name: { type: name === 'create' ? GraphQLString : new GraphQLNonNull(GraphQLString), description: 'Name of the object.' },
  };
  if (name === 'delete') {
    return {
      ...key,
      ...common,
      expectedVersion,
      propagation: { type: propagation, description: 'What happens to the objects that this object owns. Default: BACKGROUND.' },
      gracePeriodSeconds: { type: GraphQLInt, description: 'Time for an orderly shutdown, in seconds; default: the kind’s.' },
    };
  }
  return {
    ...key,
    labels: { type: entries, description: 'Labels of the object.' },
    annotations: { type: entries, description: 'Annotations of the object.' },
    ...content().fields,
    ...common,
    fieldManager: {
      type: GraphQLString,
      description: 'Name of the manager that owns the written fields. Default: the first word of the user agent.',
    },
    ...(name === 'create' && {
      generateName: { type: GraphQLString, description: 'Prefix of a name that the platform completes, instead of a name.' },
      idempotencyKey: {
        type: GraphQLString,
        description: 'Idempotency key of 1 to 255 characters: the same input with the same key is done once, and returns the same result.',
      },
    }),
    ...(name !== 'create' && { expectedVersion }),
    ...(name === 'apply' && {
      force: { type: GraphQLBoolean, defaultValue: false, description: 'Take over fields that other managers own.' },
    }),
  };
}

function toRequest(given: Readonly<Record<string, unknown>>, content: () => InputFields): Readonly<Record<string, unknown>> {
  const { fields, toJson } = content();
  const written = Object.fromEntries(Object.entries(given).filter(([name]) => name in fields));
  const labels = mapOf(given['labels'], 'labels');
  const annotations = mapOf(given['annotations'], 'annotations');
  return { ...given, labels, annotations, content: toJson(written) };
}

/** Whether the kind's status names an operation: such a kind has a controller that creates one. */
function hasOperations({ schema }: ExposedKind): boolean {
  return schema.properties?.['status']?.properties?.['operation'] !== undefined;
}

function payloadType(name: string, type: GraphQLObjectType, operations: Operations | undefined, names: TypeNames): GraphQLObjectType {
  return new GraphQLObjectType<Written, GraphqlContext>({
    name: names.claim(`${name}Payload`),
    description: `Result of ${camelCase(name)}.`,
    fields: {
      object: { type, description: 'The object as it is now; after a dry run, as it would be; after a deletion, as it was.' },
      ...(operations !== undefined && {
        operation: {
          type: operations.type,
          description: 'Operation on the object that the mutation caused; null when there is none. Waits up to 2 s for it to begin.',
          resolve: ({ object, isDryRun }: Written, _: unknown, context: GraphqlContext) =>
            object === undefined || isDryRun ? undefined : operationOf(object as ObjectBody, operations.kind, context),
        },
      }),
      warnings: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))),
        description: 'Warnings: nothing failed, but the caller should know.',
      },
      userErrors: userErrorsField,
    },
  });
}
