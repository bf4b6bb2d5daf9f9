import type { GraphQLFieldConfigArgumentMap } from 'graphql';
import type { GraphqlContext } from '../context.js';
import type { ObjectBody } from '../object-reader.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { InputTypes } from './input-types.js';
import type { Fields } from './output-types.js';
import type { SchemaParts, ValueTypes } from './schema-parts.js';
import { isGraphqlName, type JsonSchema } from './shape.js';
import { pascalCase } from './type-names.js';

/** Makes the fields that plugins add to a kind: nullable, and resolved in batches. The kind's own fields override theirs. */
export function pluginFields({ served, typeName }: ExposedKind, { fields }: SchemaParts, { outputs, inputs }: ValueTypes): Fields {
  const own = fields.filter(({ group, kind, name }) => group === served.group && kind === served.kind && isGraphqlName(name));
  return Object.fromEntries(
    own.map((field) => {
      const name = typeName + pascalCase(field.name);
      const args = argumentsOf(field.args, name, inputs);
      const resolve = (object: unknown, given: Readonly<Record<string, unknown>>, { fields: loaders }: GraphqlContext): Promise<unknown> =>
        loaders.load(field, object as ObjectBody, args.toJson(given));
      const type = outputs.typeOf(field.type, {}, name);
      const extensions = { cost: { points: Math.max(0, field.costPerObject) } };
      return [field.name, { type, description: field.description, args: args.fields, extensions, resolve }];
    }),
  );
}

/** Makes the arguments of a field: those that its schema requires are non-null unless they have a default. */
function argumentsOf(
  schema: JsonSchema,
  name: string,
  inputs: InputTypes,
): { readonly fields: GraphQLFieldConfigArgumentMap; readonly toJson: (value: unknown) => Record<string, unknown> } {
  const defaults = Object.entries(schema.properties ?? {}).flatMap(([property, value]) =>
    value.default === undefined ? [] : [[property, value.default] as const],
  );
  const isDefaulted = new Map(defaults);
  const required = (schema.required ?? []).filter((property) => !isDefaulted.has(property));
  const { fields, toJson } = inputs.fieldsOf(schema, {}, name, required);
  const args = Object.entries(fields).map(([property, field]) => {
    const defaultValue = isDefaulted.get(property);
    return [property, { ...field, ...(defaultValue !== undefined && { defaultValue }) }] as const;
  });
  return { fields: Object.fromEntries(args), toJson };
}
