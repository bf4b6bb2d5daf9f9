import {
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLString,
  type GraphQLInputFieldConfigMap,
  type GraphQLInputType,
} from 'graphql';
import { graphqlErrors } from '../errors.js';
import { type OutputTypes, scalarOf, undescribed } from './output-types.js';
import { jsonScalar } from './scalars.js';
import { descriptionOf, isGraphqlName, shapeOf, type Components, type JsonSchema } from './shape.js';
import { pascalCase, singular, type TypeNames } from './type-names.js';

/** An input type, and the conversion of its values to the JSON that the engine reads. */
export interface InputType {
  readonly type: GraphQLInputType;
  readonly toJson: ToJson;
}

/** Converts a value; `path` locates it in errors. @throws TAP_GRAPHQL_ARGUMENT_INVALID when a map has a key twice */
type ToJson = (value: unknown, path: string) => unknown;

/** Input fields, and the conversion of their values to JSON. */
export interface InputFields {
  readonly fields: GraphQLInputFieldConfigMap;
  readonly toJson: (value: unknown, path?: string) => Record<string, unknown>;
}

const asItIs = (value: unknown): unknown => value;

/**
 * Makes input types. All fields are optional except the keys of lists and maps, because one type serves create, update and apply; the
 * engine reports a missing field as a user error with its path.
 */
export class InputTypes {
  readonly #names: TypeNames;
  readonly #outputs: OutputTypes;
  readonly #components = new Map<string, InputType>();
  readonly stringEntry: GraphQLInputObjectType;

  constructor(names: TypeNames, outputs: OutputTypes) {
    this.#names = names;
    this.#outputs = outputs;
    this.stringEntry = this.#entryType('StringEntryInput', 'One entry of a map from strings to strings, such as a label.', GraphQLString);
  }

  typeOf(schema: JsonSchema, components: Components, name: string, keys: readonly string[] = []): InputType {
    const shape = shapeOf(schema, components);
    switch (shape.is) {
      case 'enum':
        return { type: this.#outputs.enumOf(shape.words, name, descriptionOf(schema, components)), toJson: asItIs };
      case 'list': {
        const items = this.typeOf(shape.items, components, singular(name), shape.keys);
        const toJson: ToJson = (value, path) =>
          Array.isArray(value) ? value.map((each, index) => items.toJson(each, `${path}[${index}]`)) : value;
        return { type: new GraphQLList(new GraphQLNonNull(items.type)), toJson };
      }
      case 'map':
        return this.#mapType(shape.values, components, name);
      case 'object':
        return this.#objectType(shape.schema, components, name, shape.component, keys);
      default:
        return { type: scalarOf(shape) ?? jsonScalar, toJson: asItIs };
    }
  }

  /** Returns the properties of a schema as input fields; those in `keys` are required. */
  fieldsOf(schema: JsonSchema, components: Components, name: string, keys: readonly string[] = []): InputFields {
    const converters = new Map<string, ToJson>();
    const shown = Object.entries(schema.properties ?? {}).filter(([property]) => isGraphqlName(property));
    const fields = shown.map(([property, value]) => {
      const { type, toJson } = this.typeOf(value, components, name + pascalCase(property));
      converters.set(property, toJson);
      const description = descriptionOf(value, components) ?? undescribed(property, name);
      return [property, { type: keys.includes(property) ? new GraphQLNonNull(type) : type, description }] as const;
    });
    const toJson: InputFields['toJson'] = (value, path = '') =>
      Object.fromEntries(
        Object.entries(value ?? {}).map(([property, each]) => [
          property,
          (converters.get(property) ?? asItIs)(each, path === '' ? property : `${path}.${property}`),
        ]),
      );
    return { fields: Object.fromEntries(fields), toJson };
  }

  #objectType(schema: JsonSchema, components: Components, name: string, component: string | undefined, keys: readonly string[]): InputType {
    const id = component === undefined ? undefined : `${component} ${keys.join(' ')}`;
    const known = id === undefined ? undefined : this.#components.get(id);
    if (known !== undefined) return known;
    const own = component === undefined ? name : (component.split('.').at(-1) ?? name);
    const claimed = this.#names.claim(`${own}Input`, `${name}Input`);
    let made: InputFields | undefined;
    const fields = (): InputFields => (made ??= this.fieldsOf(schema, components, component === undefined ? name : own, keys));
    const type = new GraphQLInputObjectType({
      name: claimed,
      description: schema.description ?? `Input fields of ${own}.`,
      fields: () => fields().fields,
    });
    const input: InputType = {
      type,
      toJson: (value, path) => (value === null || value === undefined ? value : fields().toJson(value, path)),
    };
    if (id !== undefined) this.#components.set(id, input);
    return input;
  }

  #mapType(values: JsonSchema, components: Components, name: string): InputType {
    const isText = shapeOf(values, components).is === 'string';
    const value = isText ? { type: GraphQLString, toJson: asItIs } : this.typeOf(values, components, `${name}Value`);
    const description = `One entry of the map that ${name} is.`;
    const entry = isText ? this.stringEntry : this.#entryType(`${name}EntryInput`, description, value.type);
    return { type: new GraphQLList(new GraphQLNonNull(entry)), toJson: (entries, path) => mapOf(entries, path, value.toJson) };
  }

  #entryType(name: string, description: string, value: GraphQLInputType): GraphQLInputObjectType {
    return new GraphQLInputObjectType({
      name: this.#names.claim(name),
      description,
      fields: {
        key: { type: new GraphQLNonNull(GraphQLString), description: 'The key, unique in the map.' },
        value: { type: value, description: 'The value for the key; null removes the entry when an object is changed.' },
      },
    });
  }
}

/** Converts entries to the map that they represent. @throws TAP_GRAPHQL_ARGUMENT_INVALID for a repeated key, which would be ambiguous */
export function mapOf(entries: unknown, path: string, toJson: ToJson = asItIs): unknown {
  if (!Array.isArray(entries)) return entries;
  const map = new Map<string, unknown>();
  for (const { key, value } of entries as readonly { readonly key: string; readonly value?: unknown }[]) {
    if (map.has(key)) {
      const message = `${path}: expected each key once, found ${JSON.stringify(key)} more than once`;
      throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ field: path, message });
    }
    map.set(key, toJson(value ?? null, `${path}.${key}`));
  }
  return Object.fromEntries(map);
}
