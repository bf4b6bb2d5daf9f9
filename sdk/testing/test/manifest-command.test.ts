import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';

const root = resolve(import.meta.dirname, '../../..');
const command = join(root, 'sdk/testing/dist/manifest-main.js');
const scratch = await mkdtemp(join(tmpdir(), 'manifest-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const packageJson = {
  name: '@acme/greeter',
  version: '1.2.3',
  description: 'Greets',
  type: 'module',
  exports: './index.js',
  peerDependencies: { '@tappaas/sdk': '^0.1.0' },
  tappaas: { manifest: 'tappaas.manifest.json' },
};
const greeter = `import { definePlugin } from '@tappaas/sdk';
export default definePlugin({ id: 'greeter', setup(host) { host.onStart(async ({ log }) => log.info('hello')); } });
`;

/** Creates a package with these files, and a link to the SDK. */
async function packageWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'package-'));
  await mkdir(join(directory, 'node_modules/@tappaas'), { recursive: true });
  await symlink(join(root, 'sdk'), join(directory, 'node_modules/@tappaas/sdk'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

function run(cwd: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [command], { cwd, encoding: 'utf8' });
}

async function refused(t: ExecutionContext, files: Readonly<Record<string, string>>, expected: RegExp): Promise<void> {
  const directory = await packageWith(files);
  const { status, stderr, stdout } = run(directory);
  t.is(status, 1);
  t.is(stdout, '');
  t.regex(stderr, expected);
  await t.throwsAsync(readFile(join(directory, 'tappaas.manifest.json')), { code: 'ENOENT' });
}

test('it writes what the plugin registers, and says so in one line', async (t) => {
  const directory = await packageWith({ 'package.json': JSON.stringify(packageJson), 'index.js': greeter });
  t.is(run(directory).stdout, 'tappaas.manifest.json: plugin greeter 1.2.3, 0 taps, 0 services, 0 kinds, 0 controllers\n');
  const manifest = JSON.parse(await readFile(join(directory, 'tappaas.manifest.json'), 'utf8')) as object;
  t.like(manifest, { manifestVersion: 1, id: 'greeter', package: '@acme/greeter', version: '1.2.3', kernel: '^0.1.0' });
  t.like(manifest, { parts: { lifecycle: { starts: 1 } } });
});

test('without a package.json, or without the name of the manifest in it, it says what to do', async (t) => {
  await refused(t, { 'index.js': greeter }, /no readable package\.json .*run this in the directory of the plugin/);
  const { tappaas: _, ...nameless } = packageJson;
  await refused(t, { 'package.json': JSON.stringify(nameless), 'index.js': greeter }, /add "tappaas": \{ "manifest": /);
});

test('a package that was not built, or exports no plugin, is named', async (t) => {
  await refused(t, { 'package.json': JSON.stringify(packageJson) }, /index\.js cannot be loaded, build the package first/);
  const none = { 'package.json': JSON.stringify(packageJson), 'index.js': 'export default {};\n' };
  await refused(t, none, /was not made by definePlugin/);
});

test('a setup that does I/O gets no manifest', async (t) => {
  const impure = greeter.replace('setup(host) {', 'setup(host) { setTimeout(() => {}, 1);');
  await refused(t, { 'package.json': JSON.stringify(packageJson), 'index.js': impure }, /setup of plugin greeter does I\/O/);
});
