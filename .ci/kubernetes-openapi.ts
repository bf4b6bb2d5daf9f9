/** Reads a kube-apiserver's /openapi/v3 documents and cuts out of them what the project serves. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { servedBodies, servedKinds, toleratesDuplicates, type ServedKind } from './kubernetes-served.ts';

export interface Schema {
  type?: string;
  format?: string;
  description?: string;
  enum?: string[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  allOf?: Schema[];
  oneOf?: Schema[];
  default?: unknown;
  $ref?: string;
  'x-kubernetes-group-version-kind'?: GroupVersionKind[];
  [extension: `x-${string}`]: unknown;
}
export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}
interface Operation {
  'x-kubernetes-action'?: string;
  'x-kubernetes-group-version-kind'?: GroupVersionKind;
}
type Paths = Record<string, Record<string, Operation>>;
export interface Documents {
  readonly version: string;
  readonly schemas: Record<string, Schema>;
  readonly paths: Paths;
}
interface Subresource extends GroupVersionKind {
  name: string;
  verbs: string[];
}
export interface KindRow extends GroupVersionKind {
  plural: string;
  singular: string;
  scope: 'Namespaced' | 'Cluster';
  shortNames: readonly string[];
  categories: readonly string[];
  verbs: string[];
  subresources: Subresource[];
  schema: string;
}

const refPrefix = '#/components/schemas/';
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** All documents of `folder` as one; the same schema stands in many of them, the first in alphabetical order wins. */
export function readDocuments(folder: string): Documents {
  const schemas: Record<string, Schema> = {};
  const paths: Paths = {};
  let version = '';
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== 'index.json')
    .sort(byText);
  for (const name of files) {
    const document = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    version = document.info.version;
    Object.assign(paths, document.paths);
    for (const [id, schema] of Object.entries<Schema>(document.components?.schemas ?? {})) schemas[id] ??= schema;
  }
  if (version === '') throw new Error(`${folder} holds no OpenAPI document, expected the answers of /openapi/v3 as JSON files`);
  return { version, schemas, paths };
}

/** The name of the schema that `schema` refers to, directly or as its only `allOf`. */
export function referenceOf(schema: Schema): string | undefined {
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  return ref?.startsWith(refPrefix) === true ? ref.slice(refPrefix.length) : undefined;
}

function referencesIn(schema: Schema): string[] {
  const found = referenceOf(schema);
  const parts = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties, ...(schema.oneOf ?? [])];
  return [...(found === undefined ? [] : [found]), ...parts.flatMap((part) => (part === undefined ? [] : referencesIn(part)))];
}

const roots: readonly ServedKind[] = [...servedKinds, ...servedBodies];

/** Names of the schemas that the served kinds are made of; `withoutStatus` leaves out what only their status needs. */
function reach(documents: Documents, withoutStatus: boolean): Set<string> {
  const found = new Set<string>();
  const waiting = roots.map((root) => root.schema);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    const schema = documents.schemas[name];
    if (schema === undefined) throw new Error(`schema ${name} is in none of the documents`);
    found.add(name);
    const isRoot = schema['x-kubernetes-group-version-kind'] !== undefined;
    const { status: _, ...properties } = schema.properties ?? {};
    waiting.push(...referencesIn(withoutStatus && isRoot ? { ...schema, properties } : schema));
  }
  return found;
}

/** The schemas that the served kinds are made of, by name, in alphabetical order, cleaned. */
export function reachableSchemas(documents: Documents): Record<string, Schema> {
  const wished = reach(documents, true);
  const descriptions = new Map(roots.map((root) => [root.schema, root.description]));
  const names = [...reach(documents, false)].sort(byText);
  return Object.fromEntries(
    names.map((name) => [name, clean(name, documents.schemas[name] ?? {}, !wished.has(name), descriptions.get(name))]),
  );
}

/**
 * Outside of status, a default of "", 0 or false is Go's zero value and no default: keeping it would fill in required fields instead of
 * telling that they are missing. In status it stays, because Go writes those fields always. Unions are declared but not used by anybody.
 */
function clean(name: string, schema: Schema, keepsZeros: boolean, description?: string): Schema {
  const visit = (value: unknown, key: string, inProperties: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => visit(item, '', false));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(
          ([k, v]) =>
            inProperties || !(k === 'x-kubernetes-unions' || (k === 'default' && !keepsZeros && (v === '' || v === 0 || v === false))),
        )
        .map(([k, v]) => [k, k === 'default' && !inProperties ? v : visit(v, k, key !== 'properties' && k === 'properties')]),
    );
  };
  const cleaned = visit(schema, '', false) as Schema;
  if (name.endsWith('.resource.Quantity')) cleaned.format = 'quantity';
  if (name.endsWith('.meta.v1.Time')) cleaned['x-tappaas-fraction-digits'] = 0;
  if (name.endsWith('.meta.v1.MicroTime')) cleaned['x-tappaas-fraction-digits'] = 6;
  for (const field of toleratesDuplicates[name] ?? []) Object.assign(cleaned.properties?.[field] ?? {}, { 'x-tappaas-duplicates': true });
  const kinds = cleaned['x-kubernetes-group-version-kind'];
  if (kinds !== undefined)
    cleaned['x-kubernetes-group-version-kind'] = kinds.filter((kind) => (name.includes('.meta.v1.') ? kind.group === '' : true));
  return description === undefined ? cleaned : { description, ...cleaned };
}

const verbOf: Readonly<Record<string, string>> = { post: 'create', put: 'update' };
const collection = /^\/apis?\/(?:[^/]+\/)?[^/]+\/(?<namespaced>namespaces\/\{namespace\}\/)?(?<plural>[a-z]+)$/;
const item = /^\/apis?\/(?:[^/]+\/)?[^/]+\/(?:namespaces\/\{namespace\}\/)?(?<plural>[a-z]+)\/\{name\}(?:\/(?<subresource>[a-z]+))?$/;

/** One row for each served kind: names, scope, verbs and subresources, read from the paths. */
export function kindRows(documents: Documents): KindRow[] {
  return servedKinds.map((kind) => {
    const gvk = documents.schemas[kind.schema]?.['x-kubernetes-group-version-kind']?.[0];
    if (gvk === undefined) throw new Error(`schema ${kind.schema} names no kind`);
    const row: KindRow = {
      group: gvk.group,
      version: gvk.version,
      kind: gvk.kind,
      plural: '',
      singular: gvk.kind.toLowerCase(),
      scope: 'Cluster',
      shortNames: kind.shortNames ?? [],
      categories: kind.categories ?? [],
      verbs: [],
      subresources: [],
      schema: kind.schema,
    };
    addCollection(row, documents.paths);
    addSubresources(row, documents.paths);
    return row;
  });
}

const prefixOf = (row: GroupVersionKind): string => (row.group === '' ? `/api/${row.version}/` : `/apis/${row.group}/${row.version}/`);
const same = (a: GroupVersionKind | undefined, b: GroupVersionKind): boolean =>
  a?.group === b.group && a.version === b.version && a.kind === b.kind;

function addCollection(row: KindRow, paths: Paths): void {
  const verbs = new Set<string>();
  for (const [path, operations] of Object.entries(paths)) {
    if (!path.startsWith(prefixOf(row)) || path.includes('/watch/')) continue;
    const match = collection.exec(path) ?? item.exec(path);
    if (match?.groups === undefined || match.groups['subresource'] !== undefined) continue;
    for (const operation of Object.values(operations)) {
      if (!same(operation['x-kubernetes-group-version-kind'], row)) continue;
      row.plural = match.groups['plural'] ?? '';
      if (path.includes('{namespace}')) row.scope = 'Namespaced';
      const action = operation['x-kubernetes-action'] ?? '';
      verbs.add(verbOf[action] ?? action);
    }
  }
  if (verbs.has('list')) verbs.add('watch');
  row.verbs = [...verbs].sort(byText);
}

function addSubresources(row: KindRow, paths: Paths): void {
  for (const [path, operations] of Object.entries(paths)) {
    const groups = path.startsWith(prefixOf(row)) ? item.exec(path)?.groups : undefined;
    if (groups?.['plural'] !== row.plural || groups['subresource'] === undefined) continue;
    const kind = Object.values(operations)[0]?.['x-kubernetes-group-version-kind'];
    if (kind === undefined) continue;
    const verbs = Object.entries(operations).map(([method, { 'x-kubernetes-action': action = '' }]) =>
      action === 'connect' ? (method === 'post' ? 'create' : method) : (verbOf[action] ?? action),
    );
    row.subresources.push({ name: groups['subresource'], ...kind, verbs: [...new Set(verbs)].sort(byText) });
  }
}
