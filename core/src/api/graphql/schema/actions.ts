import {
  GraphQLBoolean,
  GraphQLInputObjectType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLInputFieldConfigMap,
  type GraphQLInputType,
} from 'graphql';
import type { ServedAction } from '../../contributions.js';
import type { GraphqlContext } from '../context.js';
import { pathOf } from '../object-reader.js';
import { userErrorsOf, type UserError } from '../object-writer.js';
import { userErrorsField } from './user-errors.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { Fields } from './output-types.js';
import { findKind, type SchemaParts, type ValueTypes } from './schema-parts.js';
import type { JsonSchema } from './shape.js';
import { camelCase, pascalCase, type TypeNames } from './type-names.js';

interface ActionInput {
  readonly namespace?: string;
  readonly name: string;
  readonly parameters?: unknown;
  readonly dryRun: boolean;
  readonly expectedVersion?: string | null;
  readonly idempotencyKey?: string | null;
}

interface ActionPayload {
  readonly output?: object;
  readonly operation?: string;
  readonly userErrors: readonly UserError[];
}

/** Makes a mutation for each action of a plugin: `restartApplication` for the action restart of Application. */
export function actionFields(parts: SchemaParts, types: ValueTypes, names: TypeNames, operation: GraphQLObjectType | undefined): Fields {
  const made = parts.actions.flatMap((action) => {
    const kind = parts.kinds.find(({ served }) => served.group === action.group && served.plural === action.plural);
    if (kind === undefined) return [];
    const name = pascalCase(action.name) + kind.typeName;
    return [[camelCase(name), actionField(action, kind, name, parts, types, names, operation)] as const];
  });
  return Object.fromEntries(made);
}

function actionField(
  action: ServedAction,
  kind: ExposedKind,
  name: string,
  parts: SchemaParts,
  { outputs, inputs }: ValueTypes,
  names: TypeNames,
  operation: GraphQLObjectType | undefined,
): Fields[string] {
  const schema = action.input as JsonSchema;
  const required = (schema.required ?? []).filter((property) => schema.properties?.[property]?.default === undefined);
  const parameters = inputs.typeOf(schema, {}, `${name}Parameters`, required);
  const hasParameters = Object.keys(schema.properties ?? {}).length > 0;
  const ofAction = required.length > 0 ? new GraphQLNonNull(parameters.type) : parameters.type;
  const fields = inputFields(action, kind, hasParameters ? ofAction : undefined);
  return {
    type: new GraphQLNonNull(payloadType(action, name, parts, outputs, names, operation)),
    description: action.description,
    args: {
      input: {
        type: new GraphQLNonNull(
          new GraphQLInputObjectType({ name: names.claim(`${name}Input`), description: `Input of ${camelCase(name)}.`, fields }),
        ),
        description: 'Input of the mutation.',
      },
    },
    extensions: { cost: { points: 10 } },
    resolve: (_, args, context) => run(action, kind, (args as { readonly input: ActionInput }).input, parameters.toJson, context),
  };
}

function inputFields(action: ServedAction, { served }: ExposedKind, parameters: GraphQLInputType | undefined): GraphQLInputFieldConfigMap {
  return {
    ...(served.scope === 'Namespaced' && {
      namespace: { type: new GraphQLNonNull(GraphQLString), description: 'Namespace of the object.' },
    }),
    name: { type: new GraphQLNonNull(GraphQLString), description: 'Name of the object.' },
    ...(parameters !== undefined && { parameters: { type: parameters, description: 'Input of the action.' } }),
    dryRun: { type: new GraphQLNonNull(GraphQLBoolean), defaultValue: false, description: 'Do everything except the change.' },
    expectedVersion: {
      type: GraphQLString,
      description: 'resourceVersion that the object must have when the action begins; another one is a user error, and nothing is done.',
    },
    ...(action.isLong && {
      idempotencyKey: {
        type: GraphQLString,
        description:
          'Idempotency key of 1 to 255 characters: the same input with the same key is done once, and returns the same operation.',
      },
    }),
  };
}

function payloadType(
  action: ServedAction,
  name: string,
  parts: SchemaParts,
  outputs: ValueTypes['outputs'],
  names: TypeNames,
  operation: GraphQLObjectType | undefined,
): GraphQLObjectType<ActionPayload, GraphqlContext> {
  return new GraphQLObjectType<ActionPayload, GraphqlContext>({
    name: names.claim(`${name}Payload`),
    description: `Result of ${camelCase(name)}.`,
    fields: {
      output: {
        type: outputs.typeOf(action.output, {}, `${name}Output`),
        description: 'Output of the action; null when it was refused.',
      },
      ...(operation !== undefined && {
        operation: {
          type: operation,
          description: 'Operation that the action started; null when it started none.',
          resolve: ({ operation: path }: ActionPayload, _: unknown, context: GraphqlContext) => operationAt(path, parts, context),
        },
      }),
      userErrors: userErrorsField,
    },
  });
}

async function run(
  action: ServedAction,
  { served }: ExposedKind,
  { namespace, name, parameters, dryRun, expectedVersion, idempotencyKey }: ActionInput,
  toJson: (value: unknown, path: string) => unknown,
  { access, caller, requestId, signal, remainingMs }: GraphqlContext,
): Promise<ActionPayload> {
  const key = { name, ...(namespace !== undefined && { namespace }) };
  const target = { kind: pathOf(served), ...key, subresource: action.name };
  const act = async () => {
    const conditions = {
      ...(typeof expectedVersion === 'string' && { expectedVersion }),
      ...(typeof idempotencyKey === 'string' && { idempotencyKey }),
    };
    const input = { key, input: toJson(parameters ?? {}, 'parameters'), dryRun, ...conditions };
    return action.handle(input, { caller, requestId, signal, remainingMs });
  };
  try {
    const answer = await access.change({ verb: 'create', target, isDryRun: dryRun }, act, ({ operation }) => ({
      status: operation === undefined ? 200 : 202,
    }));
    // A long action has no output yet: its operation will hold the result.
    return { ...(answer.operation === undefined ? answer : { operation: answer.operation }), userErrors: [] };
  } catch (error) {
    return { userErrors: userErrorsOf(error) };
  }
}

/** Reads the Operation at a path such as `/apis/ops.tappaas.dev/v1alpha1/namespaces/team/operations/shop-restart-3`. */
async function operationAt(path: string | undefined, { kinds }: SchemaParts, { reader }: GraphqlContext): Promise<object | undefined> {
  const [, namespace, name] = /\/namespaces\/([^/]+)\/operations\/([^/]+)$/.exec(path ?? '') ?? [];
  const kind = findKind(kinds, 'ops.tappaas.dev', 'Operation');
  if (namespace === undefined || name === undefined || kind === undefined) return undefined;
  return reader.get(kind.served, { namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) });
}
