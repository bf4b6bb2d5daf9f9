import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { expand, nameFrom, readDeployable } from '../../dist/cli/application-manifest.js';

const made: string[] = [];

test.after.always('what was written is removed', async () => {
  for (const directory of made) await rm(directory, { recursive: true });
});

async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-cli-'));
  made.push(directory);
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

test('maps by name become lists, all the way down', (t) => {
  t.deepEqual(expand({ processes: { web: { ports: { http: 8080 }, env: { DEBUG: true, N: 1, S: 'x' } } } }), {
    processes: [
      {
        name: 'web',
        ports: [{ name: 'http', port: 8080 }],
        env: [
          { name: 'DEBUG', value: 'true' },
          { name: 'N', value: '1' },
          { name: 'S', value: 'x' },
        ],
      },
    ],
  });
});

test('lists stay lists', (t) => {
  const written = { processes: [{ name: 'web', env: [{ name: 'A', value: '1' }] }] };
  t.deepEqual(expand(written), written);
});

test('a directory without a manifest is one web process with a route, named after the directory', async (t) => {
  const directory = await directoryWith({ 'server.js': '' });
  const { application, sourceDirectory } = await readDeployable(directory, { namespace: { usual: 'default' } });
  t.is(application.metadata.name, nameFrom(directory));
  t.deepEqual(application.spec['routes'], [{ name: 'public', process: 'web', port: 'http' }]);
  t.is(sourceDirectory, directory);
});

test('every line of a Procfile is a process; a release task says when it runs', async (t) => {
  const directory = await directoryWith({
    Procfile: 'web: node a.js\nmail_worker: node mail.js --all\nrelease: node migrate.js\n# nothing\n',
  });
  const { application } = await readDeployable(directory, { namespace: { usual: 'default' } });
  t.deepEqual(application.spec['processes'], [
    { name: 'web', ports: [{ name: 'http', port: 8080 }] },
    { name: 'mail-worker', command: ['/bin/sh', '-c', 'node mail.js --all'] },
    { name: 'release', command: ['/bin/sh', '-c', 'node migrate.js'], phase: 'Release' },
  ]);
});

test('a manifest that names an image needs no source', async (t) => {
  const directory = await directoryWith({
    'app.yaml': 'kind: Application\nmetadata: { name: shop }\nspec: { source: { image: "shop:1" } }\n',
  });
  const { application, sourceDirectory } = await readDeployable(join(directory, 'app.yaml'), { namespace: { usual: 'team-a' } });
  t.is(application.metadata.name, 'shop');
  t.is(sourceDirectory, undefined);
});

test('a name on the command line wins over the manifest’s', async (t) => {
  const directory = await directoryWith({ 'tappaas.yaml': 'metadata: { name: shop }\n' });
  t.is((await readDeployable(directory, { namespace: { usual: 'default' }, name: 'other' })).application.metadata.name, 'other');
});

for (const [title, text, message] of [
  ['broken YAML is refused with its place', 'spec: [', /app\.yaml.*line 1/s],
  ['a duplicate key is refused', 'kind: Application\nkind: Application\n', /unique/i],
  [
    'what belongs below spec is not left out without a word',
    'processes: { web: { replicas: 3 } }\n',
    /app\.yaml: unknown field "processes"/,
  ],
  ['an unknown field is refused', 'spec: {}\nbogus: 1\n', /unknown field "bogus" beside apiVersion, kind, metadata, spec/],
  [
    'another version is refused',
    'apiVersion: apps.tappaas.dev/v9\n',
    /apiVersion is "apps\.tappaas\.dev\/v9", expected apps\.tappaas\.dev\/v1alpha1/,
  ],
  ['a spec that is no map is refused', 'spec: [1]\n', /spec is a list, expected a map/],
  ['a namespace that is no name is refused', 'metadata: { namespace: 3 }\nspec: {}\n', /metadata\.namespace is 3/],
  ['another kind is refused by name', 'kind: Deployment\n', /is a Deployment, expected an Application/],
  ['text is no manifest', 'root:x:0:0:root\n', /app\.yaml holds text, expected an Application/],
  ['a list is no manifest', '- kind: Application\n', /app\.yaml holds a list, expected an Application/],
  ['a map about something else is no manifest', 'metadata: { name: shop }\n', /app\.yaml is no manifest, expected an Application/],
  [
    'a configuration of the platform is not deployed when it is named',
    'kind: Platform\nplugins: {}\n',
    /is a Platform, expected an Application/,
  ],
  ['an empty file is no manifest', '', /app\.yaml is no manifest/],
  [
    'a file that the API would not take is not read',
    `# ${'x'.repeat(1024 * 1024)}\n`,
    /has 1048579 bytes, expected a manifest of at most 1048576/,
  ],
] as const) {
  test(title, async (t) => {
    const directory = await directoryWith({ 'app.yaml': text });
    await t.throwsAsync(readDeployable(join(directory, 'app.yaml'), { namespace: { usual: 'default' } }), { name: 'CliError', message });
  });
}

test('an application goes where its manifest says, and not elsewhere when something else is asked for', async (t) => {
  const directory = await directoryWith({
    'app.yaml': 'metadata: { name: shop, namespace: team-a }\nspec: {}\n',
    'free.yaml': 'metadata: { name: shop }\nspec: {}\n',
  });
  const [bound, free] = [join(directory, 'app.yaml'), join(directory, 'free.yaml')];
  const namespaceFor = async (path: string, requested?: string) =>
    (await readDeployable(path, { namespace: { usual: 'default', ...(requested && { requested }) } })).application.metadata.namespace;
  t.deepEqual([await namespaceFor(bound), await namespaceFor(bound, 'team-a')], ['team-a', 'team-a']);
  t.deepEqual([await namespaceFor(free), await namespaceFor(free, 'team-b')], ['default', 'team-b']);
  await t.throwsAsync(namespaceFor(bound, 'team-b'), { name: 'CliError', message: /namespace "team-a", asked for is "team-b"/ });
});

test('an alias bomb is refused', async (t) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefg'[index]}`).join(',')}]`)
    .join('\n')}\n`;
  const directory = await directoryWith({ 'app.yaml': bomb });
  await t.throwsAsync(readDeployable(join(directory, 'app.yaml'), { namespace: { usual: 'default' } }), { message: /alias/i });
});

test('a path that does not exist is named', async (t) => {
  await t.throwsAsync(readDeployable('/nowhere/at/all', { namespace: { usual: 'default' } }), {
    name: 'CliError',
    message: /\/nowhere\/at\/all/,
  });
});
