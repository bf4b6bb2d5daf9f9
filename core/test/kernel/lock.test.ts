import { readFile, writeFile, chmod } from 'node:fs/promises';
import type { TapError } from '@tappaas/sdk';
import test from 'ava';
import { approvePlugin } from '../../dist/kernel/lock/approve.js';
import { rejection } from './fixture.ts';
import { head, Workspace } from './workspace.ts';

const plugin = (permissions: object, say = 'hello') =>
  `{ id: 'asking', permissions: ${JSON.stringify(permissions)}, setup(host) { host.onStart(async ({ log }) => log.info('${say}')); } }`;
const few = { secrets: ['db/*'], cluster: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list'] }] };
const more = { ...few, network: ['api.example.com:443'] };

async function prepared(t: Parameters<typeof Workspace.create>[0]): Promise<Workspace> {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/asking', plugin(few));
  await workspace.write('tappaas.yaml', `${head}plugins: { asking: { use: "@acme/asking" } }\n`);
  return workspace;
}

const lockOf = async (workspace: Workspace) =>
  JSON.parse(await readFile(workspace.file('tappaas.lock'), 'utf8')) as {
    plugins: Record<string, { version: string; integrity?: string; permissions: string[] }>;
  };

test('the first start writes what it found: version, integrity and permissions', async (t) => {
  const workspace = await prepared(t);
  await workspace.load();
  const { plugins } = await lockOf(workspace);
  t.regex(plugins['@acme/asking']?.integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/);
  t.like(plugins['@acme/asking'], {
    version: '1.0.0',
    permissions: ['cluster: get apps/deployments', 'cluster: list apps/deployments', 'secrets: db/*'],
  });
  const before = await readFile(workspace.file('tappaas.lock'), 'utf8');
  await workspace.load();
  t.is(await readFile(workspace.file('tappaas.lock'), 'utf8'), before);
});

test('a version that asks for more is refused until it is approved', async (t) => {
  const workspace = await prepared(t);
  await workspace.load();
  await workspace.install('@acme/asking', plugin(more), { version: '1.1.0' });
  t.is(
    await workspace.refusal(),
    'tappaas.yaml:3:22  TAP_LOCK_PERMISSIONS  plugins.asking.use: package @acme/asking asks for what was not accepted: network: api.example.com:443',
  );
  t.is(
    ((await rejection(workspace.load())) as TapError).spec.remedy,
    'Read the permissions, then run "tappaas plugins approve asking" (with the same --file) to accept them.',
  );
  const { accepted } = await approvePlugin(workspace.file('tappaas.yaml'), 'asking');
  t.is(`${accepted?.package} ${accepted?.version}`, '@acme/asking 1.1.0');
  t.true(accepted?.permissions.includes('network: api.example.com:443'));
  await workspace.load();
  t.is((await lockOf(workspace)).plugins['@acme/asking']?.version, '1.1.0');
  t.is(
    (await rejection(approvePlugin(workspace.file('tappaas.yaml'), 'askng'))).message,
    'there is no instance askng in tappaas.yaml; did you mean "asking"?',
  );
});

test('a new version that asks for nothing more is taken over; other bytes of the same version are refused', async (t) => {
  const workspace = await prepared(t);
  await workspace.load();
  await workspace.install('@acme/asking', plugin(few, 'changed'));
  t.is(
    await workspace.refusal(),
    'tappaas.yaml:3:22  TAP_LOCK_INTEGRITY  plugins.asking.use: the files of package @acme/asking 1.0.0 are not those that were accepted',
  );
  await workspace.install('@acme/asking', plugin(few, 'changed'), { version: '1.0.1' });
  await workspace.load();
  t.is((await lockOf(workspace)).plugins['@acme/asking']?.version, '1.0.1');
});

test('a package that comes later must be approved when it asks for anything, and is locked when it does not', async (t) => {
  const workspace = await prepared(t);
  await workspace.load();
  await workspace.install('@acme/modest', `{ id: 'modest', setup() {} }`);
  await workspace.install('@acme/greedy', `{ id: 'greedy', permissions: { secrets: ['*'] }, setup() {} }`);
  await workspace.write('tappaas.yaml', `${head}plugins: { modest: { use: "@acme/modest" } }\n`);
  await workspace.load();
  t.deepEqual(
    Object.keys((await lockOf(workspace)).plugins),
    ['@acme/asking', '@acme/modest'],
    'what is not configured now stays accepted',
  );
  await workspace.write('tappaas.yaml', `${head}plugins: { greedy: { use: "@acme/greedy" } }\n`);
  t.regex(await workspace.refusal(), /TAP_LOCK_PERMISSIONS .* secrets: \*/);
});

test('a damaged lock is refused, and one that cannot be written is told', async (t) => {
  const workspace = await prepared(t);
  for (const text of ['', '{', '{}', '{"lockVersion":2,"plugins":{}}', '{"lockVersion":1,"plugins":{"x":{}}}']) {
    await writeFile(workspace.file('tappaas.lock'), text);
    t.is(await workspace.refusal(), 'TAP_LOCK_UNREADABLE  tappaas.lock cannot be read');
  }
});

test('a kernel of another version and hooks of other contracts are refused by the manifest alone', async (t) => {
  const workspace = await prepared(t);
  await workspace.install('@acme/asking', plugin(few), {
    manifest: {
      kernel: '^7.0.0',
      taps: [
        { hook: 'admission.validate', contract: 9 },
        { hook: 'admission.valdate', contract: 1 },
      ],
    },
  });
  await workspace.write('node_modules/@acme/asking/dist/index.js', 'throw new Error("code ran");\n');
  t.is(
    await workspace.refusal(),
    `tappaas.yaml:3:22  TAP_MANIFEST_KERNEL_RANGE  plugins.asking.use: plugin asking 1.0.0 is made for kernel ^7.0.0, this is 0.1.0
tappaas.yaml:3:22  TAP_MANIFEST_HOOK_VERSION  plugins.asking.use: plugin asking taps version 9 of hook admission.validate, this kernel has version 1
tappaas.yaml:3:22  TAP_MANIFEST_HOOK_UNKNOWN  plugins.asking.use: plugin asking taps hook admission.valdate, which this kernel does not have; did you mean "admission.validate"?`,
  );
});

test('a manifest that is missing, damaged or of another version is refused', async (t) => {
  const workspace = await prepared(t);
  const manifest = 'node_modules/@acme/asking/dist/tappaas.manifest.json';
  await workspace.write(manifest, '{');
  t.regex(await workspace.refusal(), /TAP_MANIFEST_INVALID .* cannot be read; the package was not built/);
  await workspace.write(manifest, '{"manifestVersion":1}');
  t.regex(await workspace.refusal(), /is incomplete/);
  await workspace.write(manifest, '{"manifestVersion":2}');
  t.regex(await workspace.refusal(), /has version 2, where 1 was expected/);
  await workspace.install('@acme/asking', plugin(few), { manifest: { version: '0.9.0' } });
  t.regex(await workspace.refusal(), /was written for version 0.9.0, but the package is 1.0.0/);
  t.pass();
});

test('code that registers what its manifest lacks, and packages that export no plugin, are refused and named', async (t) => {
  const workspace = await prepared(t);
  const file = 'node_modules/@acme/asking/dist/index.js';
  await workspace.write(
    file,
    `import { definePlugin, hooks } from '@tappaas/sdk';\nexport default definePlugin({ id: 'asking', setup(host) { host.tap(hooks.telemetry.audit, {}, () => {}); } });\n`,
  );
  t.is(
    (await rejection(workspace.load())).message,
    'the platform did not start: plugin asking registers what its manifest lacks: tap at telemetry.audit',
  );
  const other = await prepared(t);
  await other.write(file, 'export default 7;\n');
  t.regex((await rejection(other.load())).message, /the default export of package @acme\/asking was not made by definePlugin/);
});

test('a reload refuses other files of a package that runs: code that is loaded stays loaded', async (t) => {
  const workspace = await prepared(t);
  const kernel = await workspace.load();
  await kernel.start();
  await workspace.install('@acme/asking', plugin(few, 'changed'), { version: '1.0.1' });
  const result = await kernel.reload();
  t.is(result.outcome, 'refused');
  t.deepEqual(
    result.problems.map(({ code, message }) => `${code} ${message}`),
    ['TAP_RELOAD_NEEDS_RESTART package @acme/asking is no longer what was loaded (1.0.0, now 1.0.1)'],
  );
  await workspace.install('@acme/asking', plugin(few, 'changed again'), { version: '1.0.0' });
  const again = (await kernel.reload()).problems.find(({ code }) => code === 'TAP_RELOAD_NEEDS_RESTART');
  t.is(again?.message, 'package @acme/asking is no longer what was loaded (1.0.0, now with other content)');
  await workspace.write('tappaas.yaml', `${head}plugins: {}\n`);
  t.like(await kernel.reload(), { outcome: 'applied', removed: ['asking'] });
  await kernel.stop();
});

test('a directory may stand for a package: a plugin that is being written', async (t) => {
  const workspace = await prepared(t);
  await workspace.write('tappaas.yaml', `${head}plugins: { mine: { use: ./node_modules/@acme/asking } }\n`);
  await workspace.load();
  await workspace.write('tappaas.yaml', `${head}plugins: { mine: { use: ./nowhere } }\n`);
  t.regex(await workspace.refusal(), /directory .\/nowhere has no package\.json/);
});

test('a lock that cannot be written is no reason not to start, and is told', async (t) => {
  const workspace = await prepared(t);
  await chmod(workspace.directory, 0o555);
  t.teardown(() => chmod(workspace.directory, 0o755));
  const kernel = await workspace.load();
  t.is(kernel.plugins()[0]?.phase, 'loaded');
  const isRoot = process.getuid?.() === 0;
  t.is(
    workspace.lines.some(({ message }) => message.includes('tappaas.lock cannot be written')),
    !isRoot,
  );
});
