import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  type GraphQLOutputType,
  type GraphQLScalarType,
} from 'graphql';
import type { GraphqlContext } from '../context.js';
import { kubernetesDescriptions } from './kubernetes-descriptions.js';
import { intOrStringScalar, jsonScalar, longScalar, timeScalar } from './scalars.js';
import { descriptionOf, isGraphqlName, shapeOf, type Components, type JsonSchema, type Shape } from './shape.js';
import { pascalCase, singular, type TypeNames } from './type-names.js';

/** The fields of an object type. */
export type Fields = GraphQLFieldConfigMap<unknown, GraphqlContext>;

const scalars: Readonly<Record<string, GraphQLScalarType>> = {
  string: GraphQLString,
  boolean: GraphQLBoolean,
  int: GraphQLInt,
  long: longScalar,
  float: GraphQLFloat,
  time: timeScalar,
  'int-or-string': intOrStringScalar,
  json: jsonScalar,
};

/** Returns the scalar of a shape; undefined when it needs a type of its own. */
export function scalarOf(shape: Shape): GraphQLScalarType | undefined {
  return scalars[shape.is];
}

/** Makes output types; components that several kinds share, such as ObjectMeta, become one type. */
export class OutputTypes {
  readonly #names: TypeNames;
  readonly #components = new Map<string, GraphQLObjectType>();
  readonly #conditions = new Map<string, GraphQLOutputType>();
  readonly #enums = new Map<string, GraphQLEnumType>();
  readonly #stringEntry: GraphQLObjectType;

  constructor(names: TypeNames) {
    this.#names = names;
    this.#stringEntry = this.#entryType('StringEntry', 'One entry of a map from strings to strings, such as a label.', GraphQLString);
  }

  /** Returns the type of a value; types made for it are named after `name`. */
  typeOf(schema: JsonSchema, components: Components, name: string): GraphQLOutputType {
    const shape = shapeOf(schema, components);
    switch (shape.is) {
      case 'enum':
        return this.enumOf(shape.words, name, descriptionOf(schema, components));
      case 'list':
        return new GraphQLList(new GraphQLNonNull(this.#itemType(shape, components, name)));
      case 'map':
        return new GraphQLList(new GraphQLNonNull(this.#entry(shape.values, components, name)));
      case 'object':
        return this.#objectType(shape.schema, components, name, shape.component);
      default:
        return scalars[shape.is] ?? jsonScalar;
    }
  }

  /** Makes the fields for the properties of a schema. Required ones are non-null, because kinds only ever gain optional fields. */
  fieldsOf(schema: JsonSchema, components: Components, name: string): Fields {
    const required = new Set(schema.required ?? []);
    const shown = Object.entries(schema.properties ?? {}).filter(([property]) => isGraphqlName(property));
    return Object.fromEntries(
      shown.map(([property, value]) => {
        const type = this.typeOf(value, components, name + pascalCase(property));
        const field: GraphQLFieldConfig<unknown, GraphqlContext> = {
          type: required.has(property) ? new GraphQLNonNull(type) : type,
          description: descriptionOf(value, components) ?? undescribed(property, name),
          ...(shapeOf(value, components).is === 'map' && { resolve: (parent) => entriesOf((parent as Record<string, unknown>)[property]) }),
        };
        return [property, field];
      }),
    );
  }

  /** Returns one enum for the same words and name, shared by input and output. */
  enumOf(words: readonly string[], name: string, description: string | undefined): GraphQLEnumType {
    const key = `${name} ${words.join(' ')}`;
    const known = this.#enums.get(key);
    if (known !== undefined) return known;
    const made = new GraphQLEnumType({
      name: this.#names.claim(name),
      description: description ?? `Values of ${name}.`,
      values: Object.fromEntries(words.map((word) => [word, { value: word, description: `The word \`${word}\`.` }])),
    });
    this.#enums.set(key, made);
    return made;
  }

  #itemType({ items, keys }: Extract<Shape, { readonly is: 'list' }>, components: Components, name: string): GraphQLOutputType {
    const isConditions = name.endsWith('Conditions') && keys.length === 1 && keys[0] === 'type' && items.$ref === undefined;
    if (!isConditions) return this.typeOf(items, components, singular(name));
    // Conditions with the same schema in several kinds share one type.
    const key = JSON.stringify(items);
    const known = this.#conditions.get(key) ?? this.typeOf(items, components, this.#conditions.size === 0 ? 'Condition' : singular(name));
    this.#conditions.set(key, known);
    return known;
  }

  #objectType(schema: JsonSchema, components: Components, name: string, component: string | undefined): GraphQLObjectType {
    const known = component === undefined ? undefined : this.#components.get(component);
    if (known !== undefined) return known;
    const own = component === undefined ? name : (component.split('.').at(-1) ?? name);
    const claimed = this.#names.claim(own, component === undefined ? `${name}Fields` : pascalCase(component));
    const made = new GraphQLObjectType({
      name: claimed,
      description: schema.description ?? `Fields of ${claimed}.`,
      fields: () => this.fieldsOf(schema, components, claimed),
    });
    if (component !== undefined) this.#components.set(component, made);
    return made;
  }

  #entry(values: JsonSchema, components: Components, name: string): GraphQLObjectType {
    if (shapeOf(values, components).is === 'string') return this.#stringEntry;
    return this.#entryType(`${name}Entry`, `One entry of the map that ${name} is.`, this.typeOf(values, components, `${name}Value`));
  }

  #entryType(name: string, description: string, value: GraphQLOutputType): GraphQLObjectType {
    return new GraphQLObjectType({
      name: this.#names.claim(name),
      description,
      fields: {
        key: { type: new GraphQLNonNull(GraphQLString), description: 'The key, unique in the map.' },
        value: { type: value, description: 'The value of the key.' },
      },
    });
  }
}

/** Returns the description of a field whose schema has none. A test ensures that the published schema never uses the fallback. */
export function undescribed(property: string, name: string): string {
  return kubernetesDescriptions[`${name}.${property}`] ?? `Undescribed: ${property} of ${name}.`;
}

function entriesOf(map: unknown): readonly { readonly key: string; readonly value: unknown }[] | undefined {
  if (typeof map !== 'object' || map === null) return undefined;
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}
