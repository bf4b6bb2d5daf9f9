/** The commands in the pages for operators do what the pages say; files that they name are those that the pages show. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import { canRunExamples, ExampleRunner, examplesOf, expectedOf, laptopHome, pagesOf, runExamplesOf } from './page-examples.ts';
import { freePort } from './ports.ts';
import { platformHome, root, type PlatformHome, type PlatformProcess } from './platform-process.ts';

const example = canRunExamples ? test.serial : test.serial.skip;
const identity = '/apis/identity.tappaas.dev/v1alpha1';

/** Without logins: sessions are created as objects. */
const oidc = `  oidc:
    use: "@tappaas/identity-oidc"
    config: { publicUrl: "https://127.0.0.1:9", issuers: [{ name: corp, issuer: "https://127.0.0.1:9", clientId: tappaas }] }
`;

let home: PlatformHome;
let platform: PlatformProcess;
let runner: ExampleRunner;
const started: (() => Promise<unknown>)[] = [];

test.before('the platform of the first page runs, with the plugin that some pages speak of', async (t) => {
  t.timeout(180_000);
  home = await laptopHome({ more: oidc });
  started.push(() => home.remove());
  platform = await home.start();
  started.push(() => platform.stop());
  runner = new ExampleRunner(home, platform);
});

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

/** Files of a page: YAML that begins with a comment of its name. */
async function writeFilesOf(page: string): Promise<void> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  for (const [, yaml = '', name = ''] of text.matchAll(/^```yaml\n(# (\S+\.yaml)\n[\s\S]*?)^```$/gm))
    await writeFile(join(home.directory, name), yaml);
}

for (const page of pagesOf('operators')) {
  const commands = runExamplesOf(page, ['sh']);
  if (commands.length === 0) continue;
  example(`the examples of ${page} do what the page says`, async (t) => {
    t.timeout(300_000);
    await writeFilesOf(page);
    const outputs = await runner.shell(commands);
    for (const [index, each] of commands.entries()) t.regex(outputs[index] ?? '', expectedOf(each), each.code);
  });
}

example('what identity.md says to do puts somebody out, and nobody else', async (t) => {
  t.timeout(180_000);
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const cookie = { cookieId: '0'.repeat(12), sha256: '0'.repeat(64) };
  for (const user of ['ann', 'joe']) {
    for (const number of [1, 2]) {
      const metadata = { name: `${user}-${number}` };
      const session = { issuer: 'corp', subject: user, user, groups: [], ...cookie, validUntil: at, expiresAt: at };
      for (const [plural, spec] of Object.entries({ apitokens: { user, withoutTenant: true }, sessions: session })) {
        const { status, text } = await platform.api('POST', `${identity}/${plural}`, { metadata, spec });
        t.is(status, 201, text);
      }
    }
  }
  await runner.shell(runExamplesOf('operators/identity.md', ['sh']).filter(({ code }) => code.startsWith('kubectl delete ')));
  for (const plural of ['apitokens', 'sessions']) {
    const { items } = (await platform.api('GET', `${identity}/${plural}`)).json<{ items: readonly { metadata: { name: string } }[] }>();
    const names = items.map(({ metadata }) => metadata.name).filter((name) => /^(ann|joe)-/.test(name));
    t.deepEqual(names.toSorted(), ['joe-1', 'joe-2'], plural);
  }
});

type Section = Readonly<Record<string, unknown>>;
const sections = ['plugins', 'api', 'audit', 'order'];

const isObject = (block: unknown): boolean => typeof block === 'object' && block !== null && 'kind' in block && block.kind !== 'Platform';

/** The parts of a platform's configuration that a page shows; all other YAML is objects and files that begin with their name. */
async function configurationsOf(t: ExecutionContext, page: string): Promise<readonly Section[]> {
  const shown = examplesOf(page, ['yaml']).filter(({ code }) => !/^# \S+\.yaml\n/.test(code));
  const blocks = shown.flatMap(({ code }) => parseAllDocuments(code).map((document) => document.toJS() as Section));
  const configurations = blocks.filter((block) => !isObject(block));
  for (const block of configurations)
    t.true(
      sections.some((name) => name in block),
      `${page} shows ${JSON.stringify(block)}`,
    );
  return configurations;
}

const beginnings: Readonly<Record<string, (t: ExecutionContext) => Promise<Section | undefined>>> = {
  'the first command of the first page starts': async () =>
    parse(await readFile(join(root, 'examples/laptop/tappaas.yaml'), 'utf8')) as Section,
  'the first page shows': async (t) => (await configurationsOf(t, 'operators/README.md'))[0],
};
for (const [which, configurationOf] of Object.entries(beginnings)) {
  test(`the configuration that ${which} brings a directory to a running application`, async (t) => {
    t.timeout(300_000);
    const shown = (await configurationOf(t))?.['plugins'] as Readonly<Record<string, { readonly config?: object }>>;
    const local = { ...shown['local'], config: { ...shown['local']?.config, httpPort: await freePort() } };
    const none = { store: null, standard: null, source: null, builds: null, applications: null, resources: null, metrics: null };
    const own = await platformHome({ plugins: { ...none, ...shown, local } });
    t.teardown(() => own.remove());
    const process = await own.start();
    t.teardown(() => process.stop());
    const { code, stdout, stderr } = await own.tappaas('deploy', join(root, 'examples/hello'));
    t.is(code, 0, stdout + stderr);
    t.regex(stdout, /http:\/\/hello\.default\.localhost:/);
  });
}

test('every configuration that a page shows is one that the platform takes', async (t) => {
  t.timeout(180_000);
  const store = { use: '@tappaas/store-sqlite', config: { directory: './data/store' } };
  // Away from the lock of the platform that runs: nothing was accepted here before.
  const folder = join(home.directory, 'fresh');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  let checked = 0;
  for (const page of pagesOf('operators')) {
    const shown = await configurationsOf(t, page);
    const plugins = Object.assign({ store }, ...shown.map((block) => block['plugins'])) as Section;
    for (const block of shown) {
      const file = join(folder, `${(checked += 1)}.yaml`);
      const whole = {
        apiVersion: 'tappaas.dev/v1alpha1',
        kind: 'Platform',
        ...block,
        plugins: { ...plugins, ...(block['plugins'] as Section) },
      };
      await writeFile(file, JSON.stringify(whole, undefined, 2));
      const { code, stdout, stderr } = await home.tappaas('check', '--file', file);
      t.is(code, 0, `${page}: ${JSON.stringify(block)}\n${stdout}${stderr}`);
    }
  }
  t.true(checked > 10, `${checked}`);
});
