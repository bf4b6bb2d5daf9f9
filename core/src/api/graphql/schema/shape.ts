/** A JSON Schema of a kind, an action or a field: OpenAPI v3 with `$ref`s into its components, or plain TypeBox. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

export type Components = Readonly<Record<string, JsonSchema>>;

/** How GraphQL represents a schema; what it has no type for is `json`. */
export type Shape =
  | { readonly is: 'string' | 'boolean' | 'int' | 'long' | 'float' | 'time' | 'int-or-string' | 'json' }
  | { readonly is: 'enum'; readonly words: readonly string[] }
  | { readonly is: 'list'; readonly items: JsonSchema; readonly keys: readonly string[] }
  | { readonly is: 'map'; readonly values: JsonSchema }
  | { readonly is: 'object'; readonly schema: JsonSchema; readonly component: string | undefined };

const referencePrefix = '#/components/schemas/';
const int32Max = 2_147_483_647;
const graphqlName = /^(?!__)[_A-Za-z][_0-9A-Za-z]*$/;
const reservedWords = new Set(['true', 'false', 'null']);

/** Reads the shape of a schema, resolving references and wrappers that only add a description. */
export function shapeOf(schema: JsonSchema, components: Components): Shape {
  const { target, component } = dereference(schema, components);
  if (target['x-kubernetes-preserve-unknown-fields'] === true) return { is: 'json' };
  const words = wordsOf(target);
  if (words !== undefined) return words.every(isWord) ? { is: 'enum', words } : { is: 'string' };
  if (target.anyOf !== undefined) return { is: 'json' };
  switch (target.type) {
    case 'string':
      return { is: target.format === 'date-time' ? 'time' : target.format === 'int-or-string' ? 'int-or-string' : 'string' };
    case 'boolean':
      return { is: 'boolean' };
    case 'integer':
      return { is: isInt32(target) ? 'int' : 'long' };
    case 'number':
      return { is: 'float' };
    case 'array':
      return { is: 'list', items: target.items ?? {}, keys: target['x-kubernetes-list-map-keys'] ?? [] };
    default:
      return objectShape(target, component);
  }
}

/** Returns the schema's own description, else that of the referenced component. */
export function descriptionOf(schema: JsonSchema, components: Components): string | undefined {
  return schema.description ?? dereference(schema, components).target.description;
}

/** Whether a name is valid for a GraphQL field. */
export function isGraphqlName(name: string): boolean {
  return graphqlName.test(name);
}

function dereference(schema: JsonSchema, components: Components): { readonly target: JsonSchema; readonly component: string | undefined } {
  const reference = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  if (reference === undefined) return { target: schema, component: undefined };
  const component = reference.slice(referencePrefix.length);
  const target = components[component];
  return { target: target ?? {}, component };
}

function objectShape(target: JsonSchema, component: string | undefined): Shape {
  const names = Object.keys(target.properties ?? {}).filter(isGraphqlName);
  if (names.length > 0) return { is: 'object', schema: target, component };
  const values =
    typeof target.additionalProperties === 'object' ? target.additionalProperties : Object.values(target.patternProperties ?? {})[0];
  return values === undefined ? { is: 'json' } : { is: 'map', values };
}

function wordsOf({ enum: words, anyOf }: JsonSchema): readonly string[] | undefined {
  const found = words ?? (anyOf?.length ? anyOf.map((option) => option.const) : undefined);
  return found?.every((word) => typeof word === 'string') ? found : undefined;
}

function isWord(word: string): boolean {
  return isGraphqlName(word) && !reservedWords.has(word);
}

function isInt32({ format, maximum }: JsonSchema): boolean {
  return format === 'int32' || (maximum !== undefined && maximum <= int32Max);
}
