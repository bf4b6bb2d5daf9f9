/** The architecture as a table: who may import whom. Change a row only with a decision record that says why. */
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import test from 'ava';

const root = resolve(import.meta.dirname, '..');
const anyLibrary = /^(?!@tappaas\/)/;

interface Rule {
  /** Folder, relative to the root. `*` stands for one name. */
  readonly folder: string;
  /** Packages it may import, besides Node's own modules. */
  readonly packages: readonly RegExp[];
  /** Folders its relative imports may reach, besides itself. */
  readonly folders: readonly string[];
  readonly because: string;
}

const stageLibraries = [/^@tappaas\/sdk(\/|$)/, /^(?!@tappaas\/|express$|@kubernetes\/client-node$|tapable$|tsyringe$)/];
const stage = (name: string, extra: readonly RegExp[] = []): Rule => ({
  folder: `core/src/${name}`,
  packages: [...stageLibraries, ...extra],
  folders: ['core/src/kernel', 'core/src/ports'],
  because: 'neighbours arrive as functions, so that every stage can be read, tested and replaced alone',
});

const rules: readonly Rule[] = [
  { folder: 'sdk/src', packages: [/^typebox$/], folders: [], because: 'what plugins import drags nothing with it' },
  {
    folder: 'sdk/client/src',
    packages: [/^@tappaas\/sdk(\/definitions|\/log)?$/, /^(socket\.io-client|ws|graphql)$/],
    folders: [],
    because: 'a client of the API is small, runs in browsers too, and knows nothing of the platform but its API',
  },
  {
    folder: 'sdk/testing/src',
    packages: [/^@tappaas\/(sdk|core)(\/|$)/, anyLibrary],
    folders: [],
    because: 'the test kit runs the real kernel',
  },
  {
    folder: 'core/src/kernel',
    packages: [/^@tappaas\/sdk(\/|$)/, /^(tapable|tsyringe|reflect-metadata|yaml|semver|keyv|typebox)(\/|$)/],
    folders: [],
    because: 'the kernel knows no HTTP, no resource and no Kubernetes',
  },
  {
    folder: 'core/src/ports',
    packages: [/^@tappaas\/sdk$/],
    folders: [],
    because: 'two stages say in one place what they are to each other, and reach nothing through it',
  },
  stage('resources'),
  stage('store'),
  stage('identity'),
  stage('flow'),
  stage('access'),
  stage('admission'),
  stage('api', [/^express$/]),
  stage('queue'),
  stage('reconcile'),
  stage('schedule'),
  stage('cluster', [/^@kubernetes\/client-node$/]),
  stage('secrets'),
  stage('telemetry'),
  { ...stage('cli', [/^@tappaas\/client$/]), because: 'the command line is a client of the API and starts at once' },
  {
    folder: 'core/src/platform',
    packages: [/./],
    folders: ['core/src'],
    because: 'the composition root is where neighbours meet',
  },
  {
    folder: 'plugins/*/src',
    packages: [
      /^@tappaas\/sdk(\/kinds|\/kubernetes|\/store|\/quantity|\/durable-file|\/bearer-token|\/outbound)?$/,
      /^@tappaas\/[a-z-]+\/contract$/,
      anyLibrary,
    ],
    folders: [],
    because: 'a plugin is written against the SDK alone',
  },
  {
    folder: 'examples/*',
    packages: [/^@tappaas\/sdk(\/kinds|\/kubernetes)?$/, /^@tappaas\/(testing|client)$/, anyLibrary],
    folders: [],
    because: 'examples use published names, as a stranger would',
  },
];

const importForm = /(?:^|[\s;])(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

async function foldersOf(pattern: string): Promise<readonly string[]> {
  if (!pattern.includes('*')) return [join(root, pattern)];
  const [before = '', after = ''] = pattern.split('*');
  const names = await readdir(join(root, before), { withFileTypes: true });
  return names.filter((entry) => entry.isDirectory()).map((entry) => join(root, before, entry.name, after));
}

async function sourcesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !`${entry.parentPath}${sep}`.match(/[\\/](node_modules|dist)[\\/]/))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function importsOf(file: string): Promise<readonly string[]> {
  const code = (await readFile(file, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(importForm)].map((match) => match[1] ?? match[2] ?? '');
}

function isAllowed(file: string, folder: string, specifier: string, rule: Rule): boolean {
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return true;
  if (!specifier.startsWith('.')) return rule.packages.some((allowed) => allowed.test(specifier));
  const target = resolve(dirname(file), specifier);
  return [folder, ...rule.folders.map((allowed) => join(root, allowed))].some((allowed) => target.startsWith(allowed + sep));
}

for (const rule of rules) {
  test(`${rule.folder} imports only what the architecture lets it, because ${rule.because}`, async (t) => {
    const violations: string[] = [];
    for (const folder of await foldersOf(rule.folder)) {
      for (const file of await sourcesBelow(folder)) {
        for (const specifier of await importsOf(file)) {
          if (!isAllowed(file, folder, specifier, rule)) violations.push(`${relative(root, file)} imports ${specifier}`);
        }
      }
    }
    t.deepEqual(violations, []);
  });
}

test('what stands between stages is types, and no code', async (t) => {
  const files = await sourcesBelow(join(root, 'core/src/ports'));
  t.not(files.length, 0);
  const statement = /^(?!import type |(?:export )?(?:interface|type) )\S/m;
  for (const file of files) {
    const code = (await readFile(file, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '').replace(/^[})|].*$/gm, '');
    t.notRegex(code, statement, relative(root, file));
  }
});

test('every folder of core/src is a stage of the table, the kernel, the ports or the composition root', async (t) => {
  const entries = await readdir(join(root, 'core/src'), { withFileTypes: true });
  const known = new Set(rules.map((rule) => rule.folder));
  t.deepEqual(
    entries.filter((entry) => entry.isDirectory() && !known.has(`core/src/${entry.name}`)).map((entry) => entry.name),
    [],
  );
});

test('every package a source imports is declared by its own package', async (t) => {
  const undeclared = new Set<string>();
  const packages = ['sdk', 'sdk/client', 'sdk/testing', 'core', ...(await readdir(join(root, 'plugins'))).map((name) => `plugins/${name}`)];
  for (const folder of packages) {
    const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string> | undefined
    >;
    const declared = { ...manifest['dependencies'], ...manifest['peerDependencies'] };
    for (const file of await sourcesBelow(join(root, folder, 'src'))) {
      for (const specifier of await importsOf(file)) {
        if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        if (!(name in declared)) undeclared.add(`${folder} imports ${name}`);
      }
    }
  }
  t.deepEqual([...undeclared].toSorted(), []);
});

const wellKnownNames = [
  'system:masters',
  'system:authenticated',
  'system:serviceaccounts',
  'tappaas.dev/tenant',
  'tappaas.dev/scope-namespaces',
  'tappaas.dev/scope-verbs',
  'tappaas-system',
];
/** The command line starts at once and loads no SDK for a word in a table. */
const writesThemItself = new Set(['sdk/src/well-known-names.ts', 'core/src/cli/commands/whoami.ts']);

test('names that decide what a caller may do are written in one place, so that no copy can differ', async (t) => {
  const found: string[] = [];
  for (const folder of ['sdk/src', 'core/src', ...(await foldersOf('plugins/*/src')).map((path) => relative(root, path))]) {
    for (const file of await sourcesBelow(join(root, folder))) {
      const path = relative(root, file);
      const code = (await readFile(file, 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
      found.push(
        ...wellKnownNames.filter((name) => !writesThemItself.has(path) && code.includes(`'${name}'`)).map((name) => `${path}: ${name}`),
      );
    }
  }
  t.deepEqual(found, []);
});

test('what is private to a class is so at run time, too', async (t) => {
  // Contexts of calls are extended by inheritance, and Apollo Server copies those of GraphQL: neither has private fields then.
  const copied = new Set(['core/src/kernel/guard/call-context.ts', 'core/src/api/graphql/context.ts'].map((file) => join(root, file)));
  const found: string[] = [];
  for (const file of (await Promise.all(['core/src', 'sdk/src', 'sdk/*/src', 'plugins/*/src'].map(sourcesOf))).flat()) {
    if (!copied.has(file) && /^\s+private (?!constructor)/m.test(await readFile(file, 'utf8'))) found.push(relative(root, file));
  }
  t.deepEqual(found, [], 'a member is named with #');
});

test('a cast that the compiler would refuse says why in the line above it', async (t) => {
  const unexplained: string[] = [];
  for (const file of (await Promise.all(['core/src', 'sdk/src', 'sdk/*/src', 'plugins/*/src'].map(sourcesOf))).flat()) {
    const lines = (await readFile(file, 'utf8')).split('\n');
    const isCast = (line = ''): boolean => /\bas (?:never|unknown as)\b/.test(line.replace(/\/\/.*|\/?\*.*/, ''));
    for (const [index, line] of lines.entries()) {
      const above = lines[index - 1];
      if (isCast(line) && !isCast(above) && !/^\s*\/[/*]/.test(above ?? '')) unexplained.push(`${relative(root, file)}:${index + 1}`);
    }
  }
  t.deepEqual(unexplained, []);
});

async function sourcesOf(pattern: string): Promise<readonly string[]> {
  return (await Promise.all((await foldersOf(pattern)).map(sourcesBelow))).flat();
}
