import type { OpenApiSchema } from '@tappaas/sdk/kubernetes';
import { memberOf } from './json-value.js';

/** How items of a list are identified when two lists are merged. */
export type ListType = 'atomic' | 'set' | 'map';

/**
 * The structure of one place in a schema, with references resolved. Created lazily and shared by all references to the place, so a large
 * kind costs only what its objects use, and recursive schemas need not be expanded.
 */
export interface FieldType {
  /** Keywords of the place itself, over those of the schema it refers to. */
  readonly schema: OpenApiSchema;
  /** `any` means that the schema names no type, so the shape of the value counts. */
  readonly shape: 'scalar' | 'map' | 'list' | 'any';
  /** The whole value has one owner and is replaced as a whole. */
  readonly atomic: boolean;
  readonly listType: ListType;
  /** Members that identify an item of a list of type `map`. */
  readonly keys: readonly string[];
  readonly required: ReadonlySet<string>;
  /** Members that the schema names. */
  readonly fields: ReadonlyMap<string, FieldType>;
  /** Type of members that the schema does not name; undefined when none are allowed. */
  readonly values: FieldType | undefined;
  /** Type of the items of a list. */
  readonly items: FieldType;
  /** Type of the same value under another schema of the same components, such as a branch of a union. */
  branch(schema: OpenApiSchema): FieldType;
  /** How a strategic merge patch treats the value. */
  readonly patch: { readonly strategies: readonly string[]; readonly mergeKey: string | undefined };
}

/** Makes the structure of `schema`; references are looked up in `components` by the last part of their path. */
export function fieldType(schema: OpenApiSchema, components: Readonly<Record<string, OpenApiSchema>> = {}): FieldType {
  return new Structure(components).typeOf(schema);
}

/** Returns the type of member `key`: a named field, or the type of other members, or undefined. */
export function memberType(type: FieldType, key: string): FieldType | undefined {
  return type.fields.get(key) ?? type.values;
}

const referencePrefix = '#/components/schemas/';

class Structure {
  readonly components: Readonly<Record<string, OpenApiSchema>>;
  readonly known = new WeakMap<OpenApiSchema, FieldType>();
  readonly anything: FieldType;

  constructor(components: Readonly<Record<string, OpenApiSchema>>) {
    this.components = components;
    this.anything = new Place(this, {});
  }

  typeOf(schema: OpenApiSchema): FieldType {
    let type = this.known.get(schema);
    if (type !== undefined) return type;
    const resolved = this.#resolve(schema);
    type = this.known.get(resolved) ?? new Place(this, resolved);
    this.known.set(resolved, type).set(schema, type);
    return type;
  }

  /** Resolves references; the keywords at each step override those of the referenced schema. */
  #resolve(schema: OpenApiSchema): OpenApiSchema {
    let resolved = schema;
    for (let steps = 0; steps < 32; steps++) {
      const single = resolved.allOf?.length === 1 ? resolved.allOf[0] : undefined;
      const target = resolved.$ref === undefined ? single : this.#component(resolved.$ref);
      if (target === undefined) return resolved;
      const { $ref: _, allOf: __, ...own } = resolved;
      // A reference without other keywords resolves to the schema itself, so that all such references share one identity.
      resolved = Object.keys(own).length === 0 ? target : { ...target, ...own };
    }
    throw new TypeError(`schema reference ${schema.$ref ?? ''} leads in a circle`);
  }

  #component(reference: string): OpenApiSchema {
    const name = reference.startsWith(referencePrefix) ? reference.slice(referencePrefix.length) : reference;
    const found = memberOf(this.components, name);
    if (found === undefined) throw new TypeError(`schema ${name} is referred to and not among the components`);
    return found as OpenApiSchema;
  }
}

class Place implements FieldType {
  readonly schema: OpenApiSchema;
  readonly shape: FieldType['shape'];
  readonly atomic: boolean;
  readonly listType: ListType;
  readonly keys: readonly string[];
  readonly required: ReadonlySet<string>;
  readonly patch: FieldType['patch'];
  readonly #structure: Structure;
  #fields: ReadonlyMap<string, FieldType> | undefined;
  #values: { readonly type: FieldType | undefined } | undefined;

  constructor(structure: Structure, schema: OpenApiSchema) {
    this.#structure = structure;
    this.schema = schema;
    this.shape = shapeOf(schema);
    const strategies = schema['x-kubernetes-patch-strategy']?.split(',') ?? [];
    const mergeKey = schema['x-kubernetes-patch-merge-key'];
    this.patch = { strategies, mergeKey };
    const merges = strategies.includes('merge');
    this.listType = schema['x-kubernetes-list-type'] ?? (merges ? (mergeKey === undefined ? 'set' : 'map') : 'atomic');
    this.keys = schema['x-kubernetes-list-map-keys'] ?? (mergeKey === undefined ? [] : [mergeKey]);
    this.atomic =
      this.shape === 'scalar' || (this.shape === 'list' ? this.listType === 'atomic' : schema['x-kubernetes-map-type'] === 'atomic');
    this.required = new Set(schema.required);
  }

  get fields(): ReadonlyMap<string, FieldType> {
    this.#fields ??= this.#namedFields();
    return this.#fields;
  }

  get values(): FieldType | undefined {
    this.#values ??= { type: this.#unnamedValues() };
    return this.#values.type;
  }

  get items(): FieldType {
    return this.schema.items === undefined ? this.#structure.anything : this.#structure.typeOf(this.schema.items);
  }

  branch(schema: OpenApiSchema): FieldType {
    return this.#structure.typeOf(schema);
  }

  #unnamedValues(): FieldType | undefined {
    const { additionalProperties, properties } = this.schema;
    if (this.schema['x-kubernetes-preserve-unknown-fields'] === true) return this.#structure.anything;
    if (typeof additionalProperties === 'object') return this.#structure.typeOf(additionalProperties);
    if (additionalProperties === true) return this.#structure.anything;
    const isOpen = additionalProperties === undefined && properties === undefined && branchesOf(this.schema).length === 0;
    return isOpen && this.shape !== 'scalar' ? this.#structure.anything : undefined;
  }

  /** A union of objects has the fields of all its branches; which branch applies is decided by validation, not by structure. */
  #namedFields(): ReadonlyMap<string, FieldType> {
    const fields = new Map<string, FieldType>();
    for (const branch of branchesOf(this.schema)) {
      for (const [name, type] of this.#structure.typeOf(branch).fields) if (!fields.has(name)) fields.set(name, type);
    }
    for (const [name, schema] of Object.entries(this.schema.properties ?? {})) fields.set(name, this.#structure.typeOf(schema));
    return fields;
  }
}

/** Returns the schemas of which a value must also match all or some. */
export function branchesOf(schema: OpenApiSchema): readonly OpenApiSchema[] {
  return [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
}

function shapeOf(schema: OpenApiSchema): FieldType['shape'] {
  if (schema.type === 'object' || schema.properties !== undefined) return 'map';
  if (schema.type === 'array' || schema.items !== undefined) return 'list';
  if (schema.type !== undefined || schema['const'] !== undefined || schema.enum !== undefined) return 'scalar';
  if (schema['x-kubernetes-int-or-string'] === true || schema.format !== undefined) return 'scalar';
  const shapes = new Set(branchesOf(schema).map((branch) => (branch.$ref === undefined ? shapeOf(branch) : 'any')));
  const [only] = shapes;
  return shapes.size === 1 && only !== undefined ? only : 'any';
}
