/** A stranger's plugin, built, tested and loaded from what we publish: packed tarballs, and no TypeBox where the plugin could find it. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { x as extract } from 'tar';
import { examplesOf, pagesOf } from './page-examples.ts';

const root = resolve(import.meta.dirname, '..');
const published = ['sdk', 'core', 'testing', 'store-sqlite'];
const pluginName = '@acme/tappaas-admission-cost-guard';

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as unknown;

/** Runs a program to its end; what it printed is in the failure. */
function run(t: ExecutionContext, cwd: string, file: string, args: readonly string[], expectedStatus = 0): string {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  t.is(status, expectedStatus, `${file} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return `${stdout}${stderr}`;
}

/** Lays packages out as an installer does that hoists nothing: every dependency below the package that declares it. */
async function install(t: ExecutionContext, modules: string): Promise<void> {
  const packed = await mkdtemp(join(tmpdir(), 'packed-'));
  const workspaces = published.flatMap((name) => ['--workspace', `@tappaas/${name}`]);
  run(t, root, 'npm', ['pack', '--ignore-scripts', '--pack-destination', packed, ...workspaces]);
  for (const name of published) {
    const tarball = (await readdir(packed)).find((file) => file.startsWith(`tappaas-${name}-`));
    const folder = join(modules, '@tappaas', name);
    await mkdir(folder, { recursive: true });
    extract({ file: join(packed, tarball ?? 'missing'), cwd: folder, strip: 1, sync: true });
    const { dependencies = {} } = (await readJson(join(folder, 'package.json'))) as PackageJson;
    for (const dependency of Object.keys(dependencies).filter((each) => !each.startsWith('@tappaas/'))) {
      const place = join(folder, 'node_modules', dependency);
      await mkdir(dirname(place), { recursive: true });
      // A copy: behind a link, TypeScript would see where TypeBox really lies.
      if (dependency === 'typebox') await cp(join(root, 'node_modules', dependency), place, { recursive: true });
      else await symlink(join(root, 'node_modules', dependency), place);
    }
  }
  await rm(packed, { recursive: true });
  await mkdir(join(modules, '@types'), { recursive: true });
  await symlink(join(root, 'node_modules/@types/node'), join(modules, '@types/node'));
  await symlink(join(root, 'node_modules/undici-types'), join(modules, 'undici-types')).catch(() => {});
}

const site = await mkdtemp(join(tmpdir(), 'third-party-'));
const modules = join(site, 'node_modules');
const plugin = join(site, 'cost-guard');
const manifestCommand = join(modules, '@tappaas/testing/dist/manifest-main.js');
const tappaas = join(modules, '@tappaas/core/dist/main.js');

test.before(async (t) => {
  await mkdir(modules);
  await install(t, modules);
  const isSource = (path: string) => !/[\\/](?:dist|node_modules)$/.test(path);
  await cp(join(root, 'examples/plugin-cost-guard'), plugin, { recursive: true, filter: isSource });
  await mkdir(join(modules, '@acme'));
  await symlink(plugin, join(modules, pluginName));
  await cp(join(plugin, 'tappaas.yaml'), join(site, 'tappaas.yaml'));
});

test.after.always(() => rm(site, { recursive: true, force: true }));

test.serial('TypeBox is not where the plugin could import it by itself', (t) => {
  const printed = run(t, plugin, process.execPath, ['--input-type=module', '--eval', "await import('typebox')"], 1);
  t.regex(printed, /Cannot find package 'typebox'/);
});

test.serial('it builds from published names, and its declarations name no package but ours', async (t) => {
  // What a plugin may export besides its default: a contract of kinds and services.
  await writeFile(join(plugin, 'src/contract.ts'), contract);
  t.is(run(t, plugin, join(root, 'node_modules/.bin/tsc'), ['-p', '.']), '');
  for (const name of (await readdir(join(plugin, 'dist'))).filter((file) => file.endsWith('.d.ts'))) {
    const text = await readFile(join(plugin, 'dist', name), 'utf8');
    t.notRegex(text, /typebox/i, `${name} names TypeBox`);
    const imported = [...text.matchAll(/from ["']([^."'][^"']*)["']|import\(["']([^."'][^"']*)["']\)/g)].map(
      (match) => match[1] ?? match[2],
    );
    t.deepEqual(
      imported.filter((specifier) => !specifier?.startsWith('@tappaas/sdk')),
      [],
      name,
    );
  }
});

test.serial('its manifest says what it registers, and what an operator may write', async (t) => {
  t.is(
    run(t, plugin, process.execPath, [manifestCommand]),
    'dist/tappaas.manifest.json: plugin cost-guard 1.0.0, 1 taps, 0 services, 0 kinds, 0 controllers\n',
  );
  const manifest = (await readJson(join(plugin, 'dist/tappaas.manifest.json'))) as Record<string, unknown>;
  t.like(manifest, {
    manifestVersion: 1,
    id: 'cost-guard',
    package: pluginName,
    stability: 'beta',
    kernel: '^0.1.0',
    taps: [{ hook: 'admission.validate', contract: 1, kinds: ['apps.tappaas.dev/Application'], timeoutMs: 500 }],
    config: { additionalProperties: false, required: ['monthlyBudgetEuro'] },
  });
});

test.serial('its own tests pass, the conformance suite among them', (t) => {
  t.timeout(180_000);
  const printed = run(t, plugin, process.execPath, ['--test', 'test/*.test.ts']);
  t.regex(printed, /fail 0/);
  t.true(Number(/pass (\d+)/.exec(printed)?.[1]) > 20);
});

test.serial('tappaas check finds it by its name, and says where a mistake stands and what was meant', async (t) => {
  t.regex(run(t, site, process.execPath, [tappaas, 'check', '--file', 'tappaas.yaml']), /2 plugins, no errors/);
  const yaml = await readFile(join(site, 'tappaas.yaml'), 'utf8');
  await writeFile(join(site, 'wrong.yaml'), yaml.replace('monthlyBudgetEuro: 200', 'monthlyBudgetEur: 200'));
  const received = run(t, site, process.execPath, [tappaas, 'check', '--file', 'wrong.yaml'], 78);
  t.regex(received, /wrong\.yaml:9:15 {2}TAP_CONFIG_UNKNOWN_KEY .*did you mean "monthlyBudgetEuro"\?/);
});

test.serial('a kernel loads it from a configuration file and asks it', async (t) => {
  await writeFile(join(site, 'load.mjs'), loadScript);
  const printed = run(t, site, process.execPath, ['load.mjs']);
  t.deepEqual(JSON.parse(printed), {
    plugins: [
      { id: 'store', package: '@tappaas/store-sqlite', version: '0.1.0', phase: 'ready' },
      { id: 'cost-guard', package: pluginName, version: '1.0.0', phase: 'ready' },
    ],
    denials: [
      { plugin: 'cost-guard', field: 'spec.processes', reason: 'OverBudget', message: 'costs 230 euro a month, the budget is 200' },
    ],
  });
});

/** The files that a page shows, each below a line with its name. */
async function filesOf(page: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  return new Map([...text.matchAll(/^`([\w./-]+)`:\n\n^```\w+\n([\s\S]*?)^```$/gm)].map(([, file = '', code = '']) => [file, code]));
}

/** Builds a plugin from what pages show, as its author would, and answers its directory. */
async function buildDocumented(t: ExecutionContext, name: string, files: ReadonlyMap<string, string>): Promise<string> {
  const place = join(site, 'documented', name);
  for (const [file, code] of files) {
    await mkdir(dirname(join(place, file)), { recursive: true });
    await writeFile(join(place, file), code);
  }
  const tsc = join(root, 'node_modules/.bin/tsc');
  t.is(run(t, place, tsc, ['-p', '.']), '');
  t.regex(run(t, place, process.execPath, [manifestCommand]), /dist\/tappaas\.manifest\.json: plugin [\w-]+ 1\.0\.0, /);
  const options = { noEmit: true, rootDir: '.', declaration: false };
  const config = { extends: './tsconfig.json', compilerOptions: options, include: ['test'] };
  await writeFile(join(place, 'tsconfig.test.json'), JSON.stringify(config));
  t.is(run(t, place, tsc, ['-p', 'tsconfig.test.json']), '');
  const printed = run(t, place, process.execPath, ['--test', 'test/*.test.ts']);
  t.regex(printed, /fail 0/);
  t.true(Number(/pass (\d+)/.exec(printed)?.[1]) > 10, printed);
  return place;
}

test.serial('the plugin of the documentation is built, tested and checked from nothing but the blocks of its page', async (t) => {
  t.timeout(180_000);
  const files = await filesOf('authors/README.md');
  t.deepEqual([...files.keys()], ['src/index.ts', 'package.json', 'tsconfig.json', 'test/replica-limit.test.ts', 'tappaas.yaml']);
  const place = await buildDocumented(t, 'first', files);
  const packageJson = (await readJson(join(place, 'package.json'))) as Readonly<Record<string, unknown>> & { readonly name: string };
  const example = (await readJson(join(plugin, 'package.json'))) as Readonly<Record<string, unknown>>;
  for (const part of ['exports', 'engines', 'scripts', 'peerDependencies', 'devDependencies', 'tappaas'])
    t.deepEqual(packageJson[part], example[part], `${part}: as in the example, which is built from published names`);
  await symlink(place, join(modules, packageJson.name));
  t.regex(run(t, place, process.execPath, [tappaas, 'check']), /2 plugins, no errors/);
});

for (const page of pagesOf('authors').filter((each) => each !== 'authors/README.md')) {
  // hooks.md shows no tests: test/author-examples.test.ts.
  if (!examplesOf(page, ['ts']).some(({ file }) => file !== undefined)) continue;
  test.serial(`the plugin of ${page} is built and tested from the files of that page and what is left of the first page's`, async (t) => {
    t.timeout(180_000);
    const own = await filesOf(page);
    const [, name = ''] = /'(@acme\/[\w-]+)'/.exec([...own].find(([file]) => file.startsWith('test/'))?.[1] ?? '') ?? [];
    const first = await filesOf('authors/README.md');
    const manifest = JSON.stringify({ ...(JSON.parse(first.get('package.json') ?? '') as object), name });
    const files = new Map([['tsconfig.json', first.get('tsconfig.json') ?? ''], ['package.json', manifest], ...own]);
    await buildDocumented(t, basename(page, '.md'), files);
  });
}

const contract = `import { defineErrors, defineKind, defineService, Type } from '@tappaas/sdk';

export const Price = defineKind({
  group: 'prices.acme.dev',
  kind: 'Price',
  plural: 'prices',
  version: 'v1alpha1',
  scope: 'Cluster',
  description: 'What something costs.',
  spec: Type.Object({ euro: Type.Number({ minimum: 0 }), per: Type.Optional(Type.Union([Type.Literal('month'), Type.Literal('hour')])) }),
  status: Type.Object({ seen: Type.Optional(Type.Boolean()) }),
});
export const prices = defineService<{ priceOf(what: string): Promise<number> }>({ id: 'acme/prices', contract: 1 });
export const errors = defineErrors({
  COST_GUARD_PRICES_UNKNOWN: { httpStatus: 503, blame: 'upstream', retry: 'back-off', remedy: 'Check the price service.' },
});
`;

const loadScript = `import { hooks } from '@tappaas/sdk';
import { loadKernel } from '@tappaas/core';
import { VirtualClock } from '@tappaas/testing';

const kernel = await loadKernel({
  configFile: 'tappaas.yaml',
  clock: new VirtualClock(),
  random: () => 0.5,
  env: {},
  log: () => {},
  kernelVersion: '0.1.0',
  resourcesFor: () => { throw new Error('there are no resources'); },
});
await kernel.start();
const processes = [{ name: 'web', replicas: 10, resources: { cpu: '1', memory: '1Gi' } }];
const object = { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', metadata: { name: 'shop' }, spec: { processes } };
const request = { operation: 'create', caller: { name: 'somebody', groups: [] }, dryRun: false, object };
const selector = { kind: { group: 'apps.tappaas.dev', kind: 'Application' }, operation: 'create' };
const { denials } = await kernel.hooks.gate(hooks.admission.validate, selector, request);
const plugins = kernel.plugins().map(({ id, package: name, version, phase }) => ({ id, package: name, version, phase }));
await kernel.stop();
process.stdout.write(JSON.stringify({ plugins, denials }));
`;
