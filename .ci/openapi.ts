/**
 * The OpenAPI documents of the platform's own groups, recorded in docs/reference/openapi: `node .ci/openapi.ts` records them anew. A test
 * compares what is served now with what was recorded: adding is recorded, taking away or narrowing would break clients.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { load, startTestKernel } from '@tappaas/testing';

const folder = resolve(import.meta.dirname, '../docs/reference/openapi');
const plugins = ['controller-application', 'controller-build', 'identity-token', 'admission-quota'];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Document = Readonly<Record<string, Json>>;

/** What is served now, by group and version. */
export async function servedDocuments(): Promise<ReadonlyMap<string, Document>> {
  const loaded = await Promise.all(
    plugins.map(async (name) => {
      const { default: plugin } = (await import(`../plugins/${name}/dist/index.js`)) as { default: Parameters<typeof load>[0] };
      return load(plugin, (plugin as { readonly example?: object }).example ?? {}, { id: name });
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
const fixed = ['type', 'format', 'pattern', '$ref', 'in', 'x-kubernetes-group-version-kind'];

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
  if ('enum' in now && !('enum' in before)) found.push(`${at} is restricted to ${JSON.stringify(now['enum'])} now`);
  if (now['required'] === true && before['required'] !== true) found.push(`${at} is required now`);
  for (const [key, value] of Object.entries(before)) {
    if (key === 'required' || key === 'description' || key === 'info' || [...fixed, ...lowerBounds, ...upperBounds].includes(key)) {
      if (!isObject(value)) continue;
    }
    if (key in now) found.push(...narrowings(value, now[key] ?? null, `${at}/${key}`));
    else if (key !== 'enum' && (isObject(value) || Array.isArray(value))) found.push(`${at}/${key} is gone`);
  }
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

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: Json | undefined): value is number {
  return typeof value === 'number';
}

if (import.meta.main) {
  await mkdir(folder, { recursive: true });
  for (const [name, document] of await servedDocuments())
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(document, null, 1)}\n`);
}
