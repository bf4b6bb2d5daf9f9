/**
 * The OpenAPI documents of the platform's own groups, recorded in docs/reference/openapi: `node .ci/openapi.ts` records them anew. A test
 * compares what is served now with what was recorded: adding is recorded, taking away or narrowing would break clients and is not recorded,
 * but with `--breaking`.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { definitionOf } from '@tappaas/sdk/definitions';
import { load, startTestKernel } from '@tappaas/testing';

const folder = resolve(import.meta.dirname, '../docs/reference/openapi');
const pluginsFolder = resolve(import.meta.dirname, '../plugins');

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
type Document = Readonly<Record<string, Json>>;

/** The plugins that contribute kinds, as their manifests say. */
async function pluginsWithKinds(): Promise<readonly string[]> {
  const names = await readdir(pluginsFolder);
  const kinds = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(pluginsFolder, name, 'dist/tappaas.manifest.json'), 'utf8').catch(() => '{}');
      return (JSON.parse(text) as { readonly parts?: { readonly kinds?: readonly unknown[] } }).parts?.kinds ?? [];
    }),
  );
  return names.filter((_, index) => (kinds[index] ?? []).length > 0);
}

/** What is served now, by group and version. */
export async function servedDocuments(): Promise<ReadonlyMap<string, Document>> {
  const loaded = await Promise.all(
    (await pluginsWithKinds()).map(async (name) => {
      const { default: plugin } = (await import(`../plugins/${name}/dist/index.js`)) as { default: Parameters<typeof load>[0] };
      return load(plugin, (definitionOf(plugin, 'plugin')?.example as object | undefined) ?? {}, { id: name });
    }),
  );
  const kernel = await startTestKernel({ plugins: loaded });
  try {
    const read = async (path: string): Promise<Document> => JSON.parse((await kernel.http('GET', path)).text) as Document;
    const { paths } = (await read('/openapi/v3')) as { readonly paths: Readonly<Record<string, unknown>> };
    const own = Object.keys(paths).filter((path) => /^apis\/[a-z.]*tappaas\.dev\//.test(path));
    return new Map(await Promise.all(own.toSorted().map(async (path) => [nameOf(path), await read(`/openapi/v3/${path}`)] as const)));
  } finally {
    await kernel.stop();
  }
}

/** What was recorded. */
export async function recordedDocuments(): Promise<ReadonlyMap<string, Document>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted();
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.replace('.json', ''), JSON.parse(await readFile(join(folder, file), 'utf8')) as Document] as const),
    ),
  );
}

const nameOf = (path: string): string => path.replace('apis/', '').replace('/', '_');

const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const fixed = [
  'type',
  'format',
  'pattern',
  'multipleOf',
  '$ref',
  'in',
  'x-kubernetes-group-version-kind',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
];
/** What clients may send because of it is refused or dropped without it. */
const permissions = ['nullable', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string'];
/** Conditions that hold besides all others. */
const conditions = ['not', 'anyOf', 'oneOf', 'allOf', 'const', 'x-kubernetes-validations'];

/** What is looked at by name, or does not matter. */
const compared = new Set([
  ...fixed,
  ...lowerBounds,
  ...upperBounds,
  ...permissions,
  'required',
  'description',
  'info',
  'default',
  'uniqueItems',
]);

const placed = /^#\/components\/(responses|parameters|headers)\/(.+)$/;

/** A document in which answers, parameters and headers stand where they are referred to: said once or often, they mean the same. */
function inlined(document: Document): JsonObject {
  const components = isObject(document['components'] ?? null) ? (document['components'] as JsonObject) : {};
  const inline = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(inline);
    if (!isObject(value)) return value;
    const [, section = '', name = ''] = placed.exec(typeof value['$ref'] === 'string' ? value['$ref'] : '') ?? [];
    const found = components[section];
    if (found !== undefined && isObject(found)) return inline(found[name] ?? null);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inline(part)]));
  };
  return inline(document) as JsonObject;
}

/** The same of whole documents. */
export function documentNarrowings(before: Document, now: Document | undefined, name: string): readonly string[] {
  return narrowings(inlined(before), now === undefined ? null : inlined(now), name);
}

/** Everything that a client which relied on `before` would miss or be refused, each as a sentence. */
export function narrowings(before: Json, now: Json, at = ''): readonly string[] {
  if (Array.isArray(before) || Array.isArray(now)) return arrayNarrowings(before, now, at);
  if (!isObject(before)) return [];
  if (!isObject(now)) return [`${at} is gone`];
  const found: string[] = [];
  for (const key of fixed) {
    const isSame = JSON.stringify(before[key]) === JSON.stringify(now[key]);
    // A field may be called like a keyword: then it is described by an object.
    if (!isObject(before[key] ?? null) && !isObject(now[key] ?? null) && !isSame) {
      found.push(`${at}: ${key} was ${JSON.stringify(before[key] ?? 'absent')}, is ${JSON.stringify(now[key] ?? 'absent')}`);
    }
  }
  for (const key of lowerBounds)
    if (isNumber(now[key]) && !(isNumber(before[key]) && before[key] >= now[key])) found.push(`${at}: ${key} rose to ${now[key]}`);
  for (const key of upperBounds)
    if (isNumber(now[key]) && !(isNumber(before[key]) && before[key] <= now[key])) found.push(`${at}: ${key} fell to ${now[key]}`);
  if (Array.isArray(now['required'])) {
    const known: readonly Json[] = Array.isArray(before['required']) ? before['required'] : [];
    for (const name of now['required']) if (!known.includes(name)) found.push(`${at}: ${String(name)} is required now`);
  }
  // Fields, and the answer to whatever else happens, may be called like keywords.
  if (!at.endsWith('/properties') && !at.endsWith('/responses')) found.push(...keywordNarrowings(before, now, at));
  if ('enum' in now && !('enum' in before)) found.push(`${at} is restricted to ${JSON.stringify(now['enum'])} now`);
  if (now['required'] === true && before['required'] !== true) found.push(`${at} is required now`);
  for (const [key, value] of Object.entries(before)) {
    if (compared.has(key)) {
      if (!isObject(value)) continue;
    }
    if (key in now) found.push(...narrowings(value, now[key] ?? null, `${at}/${key}`));
    else if (key !== 'enum' && (isObject(value) || Array.isArray(value))) found.push(`${at}/${key} is gone`);
  }
  return found;
}

/** Keywords that no bound is: what is filled in, what is let through, what has to be different. */
function keywordNarrowings(before: JsonObject, now: JsonObject, at: string): readonly string[] {
  const found: string[] = [];
  if ('default' in before && JSON.stringify(before['default']) !== JSON.stringify(now['default'])) {
    found.push(`${at}: default was ${JSON.stringify(before['default'])}, is ${JSON.stringify(now['default'] ?? 'absent')}`);
  }
  for (const key of permissions) if (before[key] === true && now[key] !== true) found.push(`${at}: ${key} is gone`);
  for (const key of conditions) if (key in now && !(key in before)) found.push(`${at}: ${key} has to hold now`);
  if (now['uniqueItems'] === true && before['uniqueItems'] !== true) found.push(`${at}: items have to be unique now`);
  const wasOpen = before['additionalProperties'] === undefined || before['additionalProperties'] === true;
  const isOpen = now['additionalProperties'] === undefined || now['additionalProperties'] === true;
  if (wasOpen && !isOpen) found.push(`${at}: fields that are not named are refused now`);
  return found;
}

function arrayNarrowings(before: Json, now: Json, at: string): readonly string[] {
  if (!Array.isArray(before)) return [`${at} is restricted to ${JSON.stringify(now)} now`];
  if (!Array.isArray(now)) return at.endsWith('/enum') ? [] : [`${at} is gone`];
  return before.flatMap((value: Json) => {
    const name = isObject(value) && typeof value['name'] === 'string' ? value['name'] : undefined;
    if (name === undefined)
      return now.some((other: Json) => JSON.stringify(other) === JSON.stringify(value)) ? [] : [`${at}: ${JSON.stringify(value)} is gone`];
    return narrowings(value, now.find((other: Json) => isObject(other) && other['name'] === name) ?? null, `${at}/${name}`);
  });
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number';
}

/** @throws when clients that rely on what was recorded would miss something */
export function refuseNarrowings(recorded: ReadonlyMap<string, Document>, served: ReadonlyMap<string, Document>): void {
  const found = [...recorded].flatMap(([name, before]) => documentNarrowings(before, served.get(name), name));
  if (found.length === 0) return;
  throw new Error(`clients of the recorded documents would break; serve another version beside it instead:\n${found.join('\n')}`);
}

if (import.meta.main) {
  await mkdir(folder, { recursive: true });
  const served = await servedDocuments();
  if (!process.argv.includes('--breaking')) refuseNarrowings(await recordedDocuments(), served);
  for (const [name, document] of served) await writeFile(join(folder, `${name}.json`), `${JSON.stringify(document, null, 1)}\n`);
}
