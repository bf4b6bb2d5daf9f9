/** Writes the pages of docs/reference from what the built code declares, and the index of decisions: `node .ci/reference.ts`. A test compares them. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hooks, isTapError, type ErrorDetails, type TapError } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import * as kinds from '@tappaas/sdk/kinds';
import { commandsPage } from './commands-page.ts';
import { decisionsPage } from './decisions-page.ts';
import { generated, row, table } from './markdown.ts';

const root = resolve(import.meta.dirname, '..');

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly [keyword: string]: unknown;
}

/** Every page by its path below docs. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return {
    'reference/hooks.md': hooksPage(),
    'reference/errors.md': await errorsPage(),
    'reference/plugins.md': await pluginsPage(),
    'reference/kinds.md': kindsPage(),
    'reference/commands.md': await commandsPage(),
    'reference/schema.graphql': await schemaPage(),
    'decisions/README.md': await decisionsPage(join(root, 'docs/decisions')),
  };
}

function hooksPage(): string {
  const sections = Object.entries(hooks).map(([family, points]) => {
    const rows = Object.values(points as Record<string, unknown>).map((hook) => {
      const { name, kind, synchronous, deadlineMs, onFailure, runsOn, description } = definitionOf(hook, 'hook') ?? missing();
      return row(`\`${name}\``, kind, synchronous ? 'no' : 'yes', `${deadlineMs} ms`, onFailure, runsOn, description);
    });
    return `## ${family}\n\n${table(['hook', 'kind', 'may await', 'deadline', 'on failure', 'runs on', 'what it is for'], rows)}\n`;
  });
  return `# Hooks\n\n${generated}\n\n${sections.join('\n')}`;
}

async function errorsPage(): Promise<string> {
  const found = await allErrors();
  const rows = found.map(({ code, spec }) => row(`\`${code}\``, spec.httpStatus, spec.blame, spec.retry, spec.remedy));
  return `# Error codes\n\n${generated}\nNo code is ever renamed or reused.\n\n${table(['code', 'status', 'blame', 'retry', 'what to do'], rows)}\n`;
}

/** One error of each code, in the order of codes. */
export async function allErrors(): Promise<readonly TapError[]> {
  const errors = new Map((await declaredErrors()).map((error) => [error.code, error]));
  return [...errors.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
}

/** An error of every line of every table that a built module exports; a test holds lines of one code to one meaning. */
export async function declaredErrors(): Promise<readonly TapError[]> {
  const errors: TapError[] = [];
  const folders = ['sdk/dist', 'core/dist', ...(await readdir(join(root, 'plugins'))).map((name) => `plugins/${name}/dist`)];
  for (const folder of folders) {
    for (const file of await modulesBelow(join(root, folder))) {
      const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
      errors.push(...Object.values(module).flatMap(errorsOf));
    }
  }
  return errors;
}

async function modulesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => /(^|-)errors\.js$/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

function errorsOf(exported: unknown): readonly TapError[] {
  if (typeof exported !== 'object' || exported === null) return [];
  return Object.entries(exported).flatMap(([code, make]: [string, unknown]) => {
    if (!/^[A-Z][A-Z0-9_]+$/.test(code) || typeof make !== 'function') return [];
    const error: unknown = (make as (details: ErrorDetails) => unknown)({ message: code });
    return isTapError(error) ? [error] : [];
  });
}

async function pluginsPage(): Promise<string> {
  const names = (await readdir(join(root, 'plugins'))).toSorted();
  const sections = await Promise.all(
    names.map(async (name) => {
      const module = (await import(pathToFileURL(join(root, 'plugins', name, 'dist', 'index.js')).href)) as { default: unknown };
      const { config, stability } = definitionOf(module.default, 'plugin') ?? missing();
      const settings = settingsTable(config as object as Schema);
      return `## @tappaas/${name}\n\nStability: ${stability}. ${settings.startsWith('|') ? '\n\n' : ''}${settings}\n`;
    }),
  );
  const { platformSections } = (await import('../core/dist/platform/settings.js')) as object as {
    readonly platformSections: Record<string, Schema>;
  };
  const { platformSchema } = (await import('../core/dist/kernel/plan/platform-schema.js')) as {
    readonly platformSchema: (sections: Record<string, Schema>) => Schema;
  };
  const file = `## The file\n\nWhat every configuration may hold, besides the sections below.\n\n${settingsTable(platformSchema({}))}\n`;
  const own = Object.entries(platformSections).map(
    ([name, schema]) => `## ${name}\n\nThe platform’s own section of the configuration.\n\n${settingsTable(schema)}\n`,
  );
  return `# Settings\n\n${generated}\n\n${howToRead}\n\n${[file, ...own, ...sections].join('\n')}`;
}

const howToRead = `A dot leads into a section, \`[]\` stands for each entry of a list, \`NAME\` for a name that you choose. What has no default and is not
required may be left out. Units stand in the name or at the end of the description.`;

/** The settings of a schema, those inside of sections, lists and maps as well; `No settings.` where it has none. */
function settingsTable(schema: Schema): string {
  const rows = settingRows('', schema);
  return rows.length === 0 ? 'No settings.' : table(['setting', 'type', 'default', 'what it does'], rows);
}

function settingRows(prefix: string, schema: Schema): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const path = `${prefix}${key}`;
    return [
      row(`\`${path}\``, typeOf(field), defaultOf(field, schema.required?.includes(key)), field.description ?? ''),
      ...inside(path, field),
    ];
  });
}

function defaultOf({ default: value, properties }: Schema, isRequired = false): string {
  if (value === undefined) return isRequired ? 'required' : '';
  return properties === undefined ? `\`${JSON.stringify(value)}\`` : '';
}

function inside(path: string, field: Schema): readonly string[] {
  if (field['x-tappaas-secret'] === true) return [];
  if (field.type === 'array') return settingRows(`${path}[].`, field.items ?? {});
  const named = field.additionalProperties ?? Object.values(field.patternProperties ?? {})[0];
  return [...settingRows(`${path}.`, field), ...(typeof named === 'object' ? settingRows(`${path}.NAME.`, named) : [])];
}

function kindsPage(): string {
  const sections = Object.values(kinds).flatMap((exported) => {
    const kind = definitionOf(exported, 'kind');
    if (kind === undefined) return [];
    const rows = [...fieldsOf('spec', kind.spec as object as Schema), ...fieldsOf('status', kind.status as object as Schema)];
    const served = `\`${kind.group}/${kind.version}\`, \`${kind.plural}\`${kind.shortNames?.length ? ` (${kind.shortNames.join(', ')})` : ''}, ${kind.scope.toLowerCase()}`;
    return [`## ${kind.kind}\n\n${kind.description}\n\n${served}\n\n${table(['field', 'type', 'default', 'meaning'], rows)}\n`];
  });
  return `# Kinds\n\n${generated}\n\n${sections.join('\n')}`;
}

function fieldsOf(path: string, schema: Schema): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = `${path}.${name}`;
    const nested = field.type === 'array' ? fieldsOf(`${inner}[]`, field.items ?? {}) : fieldsOf(inner, field);
    return [
      row(
        `\`${inner}\``,
        typeOf(field),
        field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``,
        field.description ?? '',
      ),
      ...nested,
    ];
  });
}

function typeOf(schema: Schema): string {
  const words = schema.enum ?? (schema.anyOf ?? [schema]).map((form) => form['const']);
  if (words.every((word) => word !== undefined))
    return words.map((word) => `\`${typeof word === 'string' ? word : JSON.stringify(word)}\``).join(', ');
  if (schema['x-tappaas-secret'] === true) return 'secret source';
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  const range = schema.minimum === undefined && schema.maximum === undefined ? '' : ` ${schema.minimum ?? ''}…${schema.maximum ?? ''}`;
  return `${schema.type ?? 'any'}${range}`;
}

/** The GraphQL schema of everything that the platform itself has; what plugins of others add is told by introspection. */
async function schemaPage(): Promise<string> {
  const { publishedSchema } =
    (await import('../core/dist/api/graphql/schema/published.js')) as typeof import('../core/dist/api/graphql/schema/published.js');
  const { kernelKinds } =
    (await import('../core/dist/resources/kinds/kernel-kinds.js')) as typeof import('../core/dist/resources/kinds/kernel-kinds.js');
  const { createRegistry, kindEntry } =
    (await import('../core/dist/resources/registry.js')) as typeof import('../core/dist/resources/registry.js');
  const { keySpace } = (await import('../core/dist/resources/key-space.js')) as typeof import('../core/dist/resources/key-space.js');
  const own = kernelKinds({} as never);
  const isOwn = ({ group, kind }: { readonly group: string; readonly kind: string }) =>
    own.some((each) => each.kind.group === group && each.kind.kind === kind);
  const declared = Object.values(kinds).filter((kind) => definitionOf(kind, 'kind') !== undefined && !isOwn(kind as never));
  const registrations = [...own, ...declared.map((kind) => ({ kind: kind as (typeof own)[number]['kind'], plugin: 'published' }))];
  const { served } = createRegistry(registrations.map((registration) => kindEntry(registration, keySpace('published'))));
  return publishedSchema({ kinds: served, actions: [], fields: [] });
}

/** Nothing that clients of the published schema may use is ever taken away; `--breaking` publishes it all the same. */
async function refuseBreaking(text: string): Promise<void> {
  const { breakingChanges } =
    (await import('../core/dist/api/graphql/schema/published.js')) as typeof import('../core/dist/api/graphql/schema/published.js');
  const before = await readFile(join(root, 'docs/reference/schema.graphql'), 'utf8').catch(() => undefined);
  const broken = before === undefined || process.argv.includes('--breaking') ? [] : breakingChanges(before, text);
  if (broken.length > 0) throw new Error(`clients of the published GraphQL schema would break:\n${broken.join('\n')}`);
}

function missing(): never {
  throw new Error('a handle has no definition; was it made by another copy of the SDK?');
}

if (process.argv[1] === import.meta.filename) {
  await mkdir(join(root, 'docs/reference'), { recursive: true });
  const pages = await referencePages();
  await refuseBreaking(pages['reference/schema.graphql'] ?? '');
  for (const [name, text] of Object.entries(pages)) await writeFile(join(root, 'docs', name), text);
}
