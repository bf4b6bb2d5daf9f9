/** The commands in the pages for operators do what the pages say; files that they name are those that the pages show. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { canRunExamples, ExampleRunner, examplesOf, expectedOf } from './page-examples.ts';
import { freePort, platformHome, root, type PlatformHome } from './platform-process.ts';

const example = canRunExamples ? test.serial : test.serial.skip;
const tenants = '/apis/platform.tappaas.dev/v1alpha1/tenants';

let home: PlatformHome;
let runner: ExampleRunner;
const started: (() => Promise<unknown>)[] = [];

test.before('a platform runs, with the namespace, the tenant and the plugins that the pages speak of', async (t) => {
  t.timeout(180_000);
  home = await platformHome({
    plugins: {
      local: null,
      roles: { use: '@tappaas/access-rbac' },
      policies: { use: '@tappaas/access-abac' },
      quota: { use: '@tappaas/admission-quota' },
      audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } },
    },
  });
  started.push(() => home.remove());
  const platform = await home.start();
  started.push(() => platform.stop());
  await platform.api('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  await platform.api('POST', tenants, { metadata: { name: 'acme' }, spec: {} });
  runner = new ExampleRunner(home, platform);
});

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

/** Files of a page: YAML that begins with a comment of its name. */
async function writeFilesOf(page: string): Promise<void> {
  const text = await readFile(join(root, 'docs/operators', page), 'utf8');
  for (const [, yaml = '', name = ''] of text.matchAll(/^```yaml\n(# (\S+\.yaml)\n[\s\S]*?)^```$/gm))
    await writeFile(join(home.directory, name), yaml);
}

for (const page of ['access.md', 'audit.md', 'limits-and-tls.md']) {
  example(`the examples of ${page} do what the page says`, async (t) => {
    t.timeout(180_000);
    await writeFilesOf(page);
    const examples = await examplesOf(`operators/${page}`, ['sh']);
    t.true(examples.length > 0);
    const outputs = await runner.shell(examples);
    for (const [index, each] of examples.entries()) t.regex(outputs[index] ?? '', expectedOf(each), each.code);
  });
}

type Section = Readonly<Record<string, unknown>>;
const sections = ['plugins', 'api', 'audit', 'order'];

/** The parts of a platform's configuration that a page shows. */
async function configurationsOf(page: string): Promise<readonly Section[]> {
  const blocks = (await examplesOf(`operators/${page}`, ['yaml'])).map(({ code }) => parse(code) as Section);
  return blocks.filter((block) => sections.some((name) => name in block));
}

test('the configuration that the first page shows brings a directory to a running application', async (t) => {
  t.timeout(180_000);
  const [first] = await configurationsOf('README.md');
  const shown = first?.['plugins'] as Readonly<Record<string, { readonly config?: object }>>;
  const local = { ...shown['local'], config: { ...shown['local']?.config, httpPort: await freePort() } };
  const none = { store: null, standard: null, source: null, builds: null, applications: null, resources: null, metrics: null };
  const own = await platformHome({ plugins: { ...none, ...shown, local } });
  t.teardown(() => own.remove());
  const platform = await own.start();
  t.teardown(() => platform.stop());
  const { code, stdout, stderr } = await own.tappaas('deploy', join(root, 'examples/hello'));
  t.is(code, 0, stdout + stderr);
  t.regex(stdout, /http:\/\/hello\.default\.localhost:/);
});

test('every configuration that a page shows is one that the platform takes', async (t) => {
  t.timeout(180_000);
  const store = { use: '@tappaas/store-sqlite', config: { directory: './data/store' } };
  // Away from the lock of the platform that runs: nothing was accepted here before.
  const folder = join(home.directory, 'fresh');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  let checked = 0;
  for (const page of (await readdir(join(root, 'docs/operators'))).filter((name) => name.endsWith('.md'))) {
    const shown = await configurationsOf(page);
    const plugins = Object.assign({ store }, ...shown.map((block) => block['plugins'])) as Section;
    for (const block of shown) {
      const file = join(folder, `${(checked += 1)}.yaml`);
      const whole = { apiVersion: 'tappaas.dev/v1alpha1', kind: 'Platform', ...block, plugins };
      await writeFile(file, JSON.stringify(whole, undefined, 2));
      const { code, stdout, stderr } = await home.tappaas('check', '--file', file);
      t.is(code, 0, `${page}: ${JSON.stringify(block)}\n${stdout}${stderr}`);
    }
  }
  t.true(checked > 10, `${checked}`);
});
