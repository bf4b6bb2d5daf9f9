/** A platform with little more than a store: commands say what it does not serve, and what it has none of. */
import test from 'ava';
import { parse } from 'yaml';
import { platformHome, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

let home: PlatformHome;
let platform: PlatformProcess;

const absent = ['local', 'standard', 'source', 'builds', 'applications', 'resources', 'metrics'];

test.before('a platform with a store alone runs', async (t) => {
  t.timeout(180_000);
  home = await platformHome({ plugins: Object.fromEntries(absent.map((name) => [name, null])) });
  platform = await home.start();
});

test.after.always('the platform is stopped and its directory removed', async () => {
  await platform?.stop();
  await home?.remove();
});

test('what needs a plugin that is not loaded names the plugin, however it is to be printed', async (t) => {
  t.timeout(180_000);
  const needs = {
    '@tappaas/identity-token': [
      ['token', 'list'],
      ['token', 'create', 'ci'],
      ['token', 'describe', 'ci'],
      ['token', 'revoke', 'ci'],
    ],
    '@tappaas/controller-application': [
      ['apps'],
      ['apps', '-A'],
      ['apps', '-w'],
      ['status', 'shop'],
      ['rollback', 'shop'],
      ['logs', 'shop'],
      ['delete', 'shop'],
    ],
  };
  for (const [plugin, commands] of Object.entries(needs)) {
    for (const words of commands) {
      for (const output of [[], ['-o', 'json'], ['-o', 'yaml']]) {
        const { code, stdout, stderr } = await home.tappaas(...words, ...output);
        const about = `${[...words, ...output].join(' ')}: ${code} ${stdout} ${stderr}`;
        t.is(code, 1, about);
        t.is(stdout, '', about);
        t.true(stderr.startsWith('tappaas: the platform serves no ') && stderr.includes(`Load the plugin ${plugin} `), about);
      }
    }
  }
});

test('a cluster that is not there is told', async (t) => {
  const { code, stderr } = await home.tappaas('can', 'get', 'pods', '--cluster', 'lcoal');
  t.is(code, 1);
  t.regex(stderr, /on a cluster "lcoal"/);
});

test('an empty list is a document for programs, and for people says where nothing is', async (t) => {
  t.timeout(180_000);
  for (const words of [['operations'], ['events'], ['plugins']]) {
    const json = await home.tappaas(...words, '-o', 'json');
    t.is(json.code, 0, json.stderr);
    t.true(Array.isArray((JSON.parse(json.stdout) as { items: unknown }).items));
    const yaml = await home.tappaas(...words, '-o', 'yaml');
    t.true(Array.isArray((parse(yaml.stdout) as { items: unknown }).items));
  }
  t.is((await home.tappaas('operations')).stdout, 'No operations in namespace default.\n');
  t.is((await home.tappaas('operations', '-A')).stdout, 'No operations in any namespace.\n');
});
