import type { Type } from '@tappaas/sdk';
import { kubernetesSchemas, type OpenApiSchema } from '@tappaas/sdk/kubernetes';

/** An OpenAPI v3 schema, with the keywords that are read here. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

const referencePrefix = '#/components/schemas/';
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The parts of one version of one of our own kinds. */
export interface KindParts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly description: string;
  readonly spec: Type.TObject;
  readonly status: Type.TObject;
}

/** The component name of a kind: reversed group, version and kind, as in `dev.tappaas.apps.v1alpha1.Application`. */
export function schemaNameOf(kind: Pick<KindParts, 'group' | 'version' | 'kind'>): string {
  return [...kind.group.split('.').reverse(), kind.version, kind.kind].join('.');
}

/** Makes the whole-object schema of a kind whose spec and status are TypeBox schemas. */
function composeSchema(parts: KindParts): Schema {
  const spec = toOpenApi(parts.spec);
  const status = toOpenApi(parts.status);
  const isSpecRequired = Array.isArray(spec['required']) && spec['required'].length > 0;
  return {
    description: parts.description,
    type: 'object',
    ...(isSpecRequired ? { required: ['spec'] } : {}),
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the schema that the object is written in.' },
      kind: { type: 'string', description: 'Kind of the object, in CamelCase.' },
      metadata: { default: {}, allOf: [{ $ref: referencePrefix + objectMeta }], description: 'Metadata of the object.' },
      spec: { ...spec, description: spec['description'] ?? 'The wish.', ...(isSpecRequired ? {} : { default: {} }) },
      status: { ...status, description: status['description'] ?? 'What is.' },
    },
    'x-kubernetes-group-version-kind': [{ group: parts.group, version: parts.version, kind: parts.kind }],
  };
}

/**
 * Converts a TypeBox schema to the OpenAPI dialect of the engine and its clients: keys with a default are optional, records become
 * `additionalProperties`, and unions of literals become enums. Objects are closed because they list their properties.
 */
export function toOpenApi(schema: unknown): Schema {
  if (typeof schema !== 'object' || schema === null) return {};
  const {
    patternProperties,
    anyOf,
    properties,
    items,
    required,
    additionalProperties,
    const: only,
    ...rest
  } = schema as Record<string, unknown>;
  const words = wordsOf(anyOf);
  return {
    ...rest,
    // OpenAPI 3.0 has no constants.
    ...(only === undefined ? {} : typeof only === 'string' ? { enum: [only] } : { const: only }),
    ...(words ? { type: 'string', enum: words } : Array.isArray(anyOf) ? { anyOf: anyOf.map(toOpenApi) } : {}),
    ...(isMap(properties) ? { properties: mapValues(properties, toOpenApi) } : {}),
    ...(isMap(items) ? { items: toOpenApi(items) } : {}),
    ...requiredOf(required, properties),
    ...additionalOf(additionalProperties, patternProperties),
  };
}

function requiredOf(required: unknown, properties: unknown): Schema {
  if (!Array.isArray(required) || !isMap(properties)) return {};
  const names = (required as readonly string[]).filter((name) => {
    const property = properties[name];
    return !(isMap(property) && 'default' in property);
  });
  return names.length > 0 ? { required: names } : {};
}

function additionalOf(additional: unknown, patterns: unknown): Schema {
  if (isMap(patterns)) return { additionalProperties: toOpenApi(Object.values(patterns)[0]) };
  return isMap(additional) ? { additionalProperties: toOpenApi(additional) } : {};
}

function wordsOf(anyOf: unknown): readonly string[] | undefined {
  if (!Array.isArray(anyOf) || anyOf.length === 0) return undefined;
  const words = anyOf.map((option) => (isMap(option) ? option['const'] : undefined));
  return words.every((word) => typeof word === 'string') ? words : undefined;
}

/** Returns the schemas of `root` and all components it refers to, directly or indirectly. */
export function closureOf(root: string, schemas: Readonly<Record<string, object>>): Readonly<Record<string, OpenApiSchema>> {
  const found: Record<string, OpenApiSchema> = {};
  const visit = (name: string): void => {
    const schema = schemas[name] as OpenApiSchema | undefined;
    if (schema === undefined || name in found) return;
    found[name] = schema;
    for (const reference of referencesIn(schema)) visit(reference);
  };
  visit(root);
  return found;
}

/** Returns the component schemas of one of our own kinds: its own and those of metadata. */
export function componentsOf(parts: KindParts): Readonly<Record<string, OpenApiSchema>> {
  const name = schemaNameOf(parts);
  return closureOf(name, { ...kubernetesSchemas, [name]: composeSchema(parts) });
}

function referencesIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) =>
    keyword === '$ref' && typeof value === 'string' ? [value.slice(referencePrefix.length)] : referencesIn(value),
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues(map: Readonly<Record<string, unknown>>, turn: (value: unknown) => unknown): Schema {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, turn(value)]));
}
