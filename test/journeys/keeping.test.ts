/** What an operator does over the years: keys are rotated, plugins go and leave things behind. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { platformHome } from '../platform-process.ts';

const secrets = '/api/v1/namespaces/default/secrets';
const builds = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/builds';
const nothingRuns = { local: null, standard: null, applications: null, resources: null };

interface Keys {
  readonly current: string;
  readonly all: readonly string[];
  readonly resealed: number;
}

test('keys are rotated and retired while every process goes on reading and writing secrets, and after a restart too', async (t) => {
  t.timeout(120_000);
  const home = await platformHome({ plugins: { ...nothingRuns, builds: null, source: null }, api: { workers: 2 } });
  t.teardown(() => home.remove());
  let platform = await home.start();
  t.teardown(() => platform.kill());
  const write = (name: string) =>
    platform.api('POST', secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { value: btoa(name) } });
  const keys = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await home.tappaas('secrets', ...words, '-o', 'json');
    t.is(code, 0, stderr);
    return JSON.parse(stdout) as Keys;
  };
  /** Asked often enough that each worker answers. */
  const readAll = async (names: readonly string[]) => {
    for (let round = 0; round < 6; round += 1)
      for (const name of names) {
        const answer = await platform.api('GET', `${secrets}/${name}`);
        t.is(answer.status, 200, answer.text);
        t.is(answer.json<{ data: { value: string } }>().data.value, btoa(name), answer.text);
      }
  };
  t.is((await write('before')).status, 201);
  const [first] = (await keys('keys')).all;
  const rotated = await keys('rotate');
  t.deepEqual([rotated.all.length, rotated.current === first], [2, false]);
  t.true(rotated.resealed > 0);
  for (const name of ['after-a', 'after-b', 'after-c']) t.is((await write(name)).status, 201);
  await readAll(['before', 'after-a', 'after-b', 'after-c']);
  t.is((await keys('reencrypt')).resealed, 0, 'nobody sealed with the old key any more');
  t.deepEqual((await keys('retire', first ?? '')).all, [rotated.current]);
  const refused = await home.tappaas('secrets', 'retire', rotated.current);
  t.regex(refused.stderr, /is the current one/);
  await readAll(['before', 'after-c']);
  await platform.stop();
  platform = await home.start();
  await readAll(['before', 'after-a']);
});

test('objects that a plugin has left are read only, say so, and are purged by name', async (t) => {
  t.timeout(120_000);
  const home = await platformHome({ plugins: nothingRuns, api: { workers: 2 } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.kill());
  const build = { spec: { application: 'shop', builder: 'none', source: { digest: `sha256:${'0'.repeat(64)}` } } };
  const metadata = { name: 'shop-1' };
  t.is((await platform.api('POST', builds, { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Build', metadata, ...build })).status, 201);
  t.regex((await home.tappaas('plugins', 'purge', 'builds.apps.tappaas.dev', '--yes')).stderr, /is loaded.*out of the configuration/s);
  const inUse = await platform.api('POST', '/plugins/platform/purge?kind=builds.apps.tappaas.dev');
  t.is(inUse.status, 409, inUse.text);
  t.regex(inUse.text, /TAP_KIND_IN_USE/);

  const file = join(home.directory, 'tappaas.yaml');
  const { plugins, ...rest } = JSON.parse(await readFile(file, 'utf8')) as { plugins: Record<string, object> };
  const { builds: _, ...others } = plugins;
  await writeFile(file, JSON.stringify({ ...rest, plugins: others }));
  t.is((await home.tappaas('reload')).code, 0);
  for (const [method, body] of [['DELETE'], ['PATCH', { metadata: { labels: { a: 'b' } } }]] as const) {
    const answer = await platform.api(method, `${builds}/shop-1`, body, 'application/merge-patch+json');
    t.is(answer.status, 405);
    t.regex(answer.text, /TAP_KIND_READ_ONLY.*tappaas plugins purge/s);
  }
  t.is((await platform.api('GET', `${builds}/shop-1`)).status, 200);

  const asked = await home.tappaas('plugins', 'purge', 'builds.apps.tappaas.dev');
  t.deepEqual([asked.code, /--yes/.test(asked.stderr)], [64, true]);
  t.regex((await home.tappaas('plugins', 'purge', 'nothing.example.com', '--yes')).stderr, /no kind is called "nothing\.example\.com"/);
  const purged = await home.tappaas('plugins', 'purge', 'builds.apps.tappaas.dev', '--yes');
  t.is(purged.stdout, 'Removed 1 objects of builds.apps.tappaas.dev.\n', purged.stderr);
  // Each worker has forgotten the kind, not only the process that purged.
  for (let round = 0; round < 6; round += 1) t.is((await platform.api('GET', builds)).status, 404);
});
