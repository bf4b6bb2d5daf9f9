import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { applicationVersion, checkHead, namespaceOf, type NamespaceChoice } from './manifest-head.js';
import { isDirectory } from './source-archive.js';

/** An Application to send, and the directory whose source it needs, if any; a manifest that names its source needs none. */
export interface Deployable {
  readonly application: ApplicationManifest;
  readonly sourceDirectory: string | undefined;
}

export interface ApplicationManifest {
  readonly apiVersion: typeof applicationVersion;
  readonly kind: 'Application';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: object; readonly annotations?: object };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Request limit of the API. */
const manifestBytesMax = 1024 * 1024;

const manifestNames = ['tappaas.yaml', 'tappaas.yml', 'tappaas.json'];

/** Lists that a manifest may write as maps by name. */
const listsByName: readonly string[] = ['processes', 'env', 'volumes', 'routes', 'dependencies', 'ports', 'volumeMounts'];

/** Reads the application that `deploy` sends for a directory, a manifest or an image; `name` overrides all other names. */
export async function readDeployable(
  path: string,
  options: { readonly namespace: NamespaceChoice; readonly name?: string; readonly image?: string },
): Promise<Deployable> {
  const directory = await isDirectory(path);
  const found = directory ? await manifestIn(path) : { path, written: namedManifest(path, await parseManifest(path)) };
  const written = found?.written ?? {};
  const sourceDirectory = directory ? resolve(path) : resolve(dirname(path));
  const spec = withDefaults(expand(record(written['spec'])) as Readonly<Record<string, unknown>>, directory ? await procfileIn(path) : []);
  const metadata = record(written['metadata']);
  const namespace = namespaceOf(found?.path ?? path, metadata, options.namespace);
  const source = options.image === undefined ? spec['source'] : { image: options.image };
  const application: ApplicationManifest = {
    apiVersion: applicationVersion,
    kind: 'Application',
    metadata: { ...metadata, name: options.name ?? text(metadata['name']) ?? nameFrom(sourceDirectory), namespace },
    spec: { ...spec, ...(source === undefined ? {} : { source }) },
  };
  return { application, sourceDirectory: source === undefined ? sourceDirectory : undefined };
}

async function manifestIn(
  directory: string,
): Promise<{ readonly path: string; readonly written: Readonly<Record<string, unknown>> } | undefined> {
  for (const name of manifestNames) {
    const path = join(directory, name);
    const there = await readFile(path).then(
      () => true,
      () => false,
    );
    if (!there) continue;
    const written = await parseManifest(path);
    return written['kind'] === 'Platform' ? undefined : { path, written };
  }
  return undefined;
}

/** Requires that a named file describes an application, because the files beside it would be deployed as its source. */
function namedManifest(path: string, written: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (written['kind'] === 'Application' || (written['kind'] === undefined && written['spec'] !== undefined)) return written;
  const found = text(written['kind']);
  throw new CliError(`${path} is ${found === undefined ? 'no manifest' : `a ${found}`}, expected an Application`, {
    remedy: `Name a directory with source, or a file with "kind: Application" and what it is made of below "spec:".`,
    exitCode: exitCodes.usage,
  });
}

async function parseManifest(path: string): Promise<Readonly<Record<string, unknown>>> {
  const { size } = await stat(path);
  if (size > manifestBytesMax)
    throw new CliError(`${path} has ${size} bytes, expected a manifest of at most ${manifestBytesMax}`, {
      remedy: 'Name a directory with source, or an Application manifest.',
      exitCode: exitCodes.usage,
    });
  const { parseDocument } = await import('yaml');
  const document = parseDocument(await readFile(path, 'utf8'), { uniqueKeys: true });
  const [first] = document.errors;
  if (first) throw new CliError(`${path}: ${first.message}`, { remedy: 'Correct the file at that place.', exitCode: exitCodes.usage });
  const content: unknown = document.toJS({ maxAliasCount: 100 });
  if (content !== null && !isMap(content))
    throw new CliError(`${path} holds ${Array.isArray(content) ? 'a list' : 'text'}, expected an Application`, {
      remedy: 'Name a directory with source, or an Application manifest.',
      exitCode: exitCodes.usage,
    });
  const written = record(content);
  const kind = written['kind'];
  if (kind !== undefined && kind !== 'Application' && kind !== 'Platform') {
    throw new CliError(`${path} is a ${text(kind) ?? 'thing of unknown kind'}, expected an Application`, {
      remedy: 'Apply other kinds with kubectl apply -f.',
      exitCode: exitCodes.usage,
    });
  }
  if (kind !== 'Platform') checkHead(path, written);
  return written;
}

/** Converts maps by name to lists at any depth: `env: { A: 1 }` becomes `env: [{ name: A, value: "1" }]`. */
export function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, listsByName.includes(key) && isMap(inner) ? entries(key, inner) : expand(inner)]),
  );
}

function entries(list: string, map: Readonly<Record<string, unknown>>): readonly object[] {
  const scalarField = list === 'ports' ? 'port' : list === 'volumeMounts' ? 'path' : 'value';
  return Object.entries(map).map(([name, inner]) => {
    if (isMap(inner)) return { name, ...(expand(inner) as object) };
    return { name, [scalarField]: list === 'env' && (typeof inner === 'number' || typeof inner === 'boolean') ? String(inner) : inner };
  });
}

/** Reads the process types of a Procfile, except `web`, which is the image's own command. */
async function procfileIn(directory: string): Promise<readonly { readonly name: string; readonly line: string }[]> {
  const text = await readFile(join(directory, 'Procfile'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((written) => {
    const [, name = '', line = ''] = /^([A-Za-z0-9_-]+)\s*:\s*(.+)$/.exec(written.trim()) ?? [];
    return name === '' || name === 'web' ? [] : [{ name: name.toLowerCase().replaceAll('_', '-'), line }];
  });
}

/**
 * Applies the defaults of a directory without a manifest: one web process with one http port and one route, and the processes of a
 * Procfile.
 */
function withDefaults(
  spec: Readonly<Record<string, unknown>>,
  procfile: Awaited<ReturnType<typeof procfileIn>>,
): Readonly<Record<string, unknown>> {
  if (spec['processes'] !== undefined) return spec;
  const others = procfile.map(({ name, line }) => ({
    name,
    command: ['/bin/sh', '-c', line],
    ...(name === 'release' ? { phase: 'Release' } : {}),
  }));
  const processes = [{ name: 'web', ports: [{ name: 'http', port: 8080 }] }, ...others];
  return { processes, routes: [{ name: 'public', process: 'web', port: 'http' }], ...spec };
}

/** Derives an object name from the name of a directory. */
export function nameFrom(directory: string): string {
  const name = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
  return name === '' ? 'app' : name;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const record = (value: unknown): Readonly<Record<string, unknown>> => (isMap(value) ? value : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
