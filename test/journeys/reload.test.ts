/** An operator changes the configuration of a running platform, wrongly and then rightly. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { eventually, platformHome, type PlatformProcess } from '../platform-process.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const plugins = '/apis/platform.tappaas.dev/v1alpha1/plugins';
const refusals = '/api/v1/namespaces/default/events?fieldSelector=reason=ReloadRefused';

async function configured(platform: PlatformProcess, name: string): Promise<string> {
  const { status } = (await platform.api('GET', `${plugins}/${name}`)).json<{ status: { conditions: readonly Condition[] } }>();
  const found = status.conditions.find(({ type }) => type === 'Configured');
  return `${found?.status} ${found?.reason} ${found?.message}`;
}

test('a refused reload is told by conditions of the plugins concerned and by an event, until one is taken over', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const file = join(home.directory, 'tappaas.yaml');
  const good = await readFile(file, 'utf8');
  const inForce = 'True InForce what the configuration says of it is in force';
  const isReported = (received: string) => received === inForce;
  t.is(await eventually(() => configured(platform, 'local'), isReported), inForce);
  t.is(await eventually(() => configured(platform, 'standard'), isReported), inForce);

  await writeFile(file, good.replace('"gracePeriodSeconds":30', '"gracePeriodSeconds":30,"nodse":7'));
  const refused = await home.tappaas('reload');
  t.is(refused.code, 78, refused.stdout + refused.stderr);
  t.is(
    await configured(platform, 'local'),
    'False ReloadRefused the configuration was not taken over: plugins.local.config.nodse: unknown key; did you mean "nodes"?',
  );
  t.is(await configured(platform, 'standard'), inForce);
  const received = async () => (await platform.api('GET', refusals)).json<{ items: readonly { message: string; type: string }[] }>().items;
  const items = await eventually(received, ({ length }) => length > 0);
  t.is(items.length, 1);
  t.is(items[0]?.type, 'Warning');
  t.regex(items[0]?.message ?? '', /plugins\.local\.config\.nodse: unknown key/);

  await writeFile(file, 'plugins: [');
  t.is((await home.tappaas('reload')).code, 78);
  t.regex(await configured(platform, 'standard'), /^False ReloadRefused the configuration was not taken over: /);

  await writeFile(file, good);
  t.is((await home.tappaas('reload')).stdout, 'The configuration says what already runs.\n');
  t.is(await configured(platform, 'local'), inForce);
  t.is(await configured(platform, 'standard'), inForce);
});

test('a plugin that is turned off is told so by the reload and in the list, and its kinds can be read only', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({ plugins: { local: null } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const file = join(home.directory, 'tappaas.yaml');
  const good = await readFile(file, 'utf8');
  const builds = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/builds';
  const spec = { application: 'one', builder: 'none', source: { digest: `sha256:${'0'.repeat(64)}` } };
  t.is((await platform.api('POST', builds, { metadata: { name: 'one' }, spec })).status, 201);
  await writeFile(file, good.replace('"@tappaas/controller-build"', '"@tappaas/controller-build","mode":"off"'));
  t.is((await home.tappaas('reload')).stdout, 'Applied.\n  turned off: builds\n');
  t.regex((await home.tappaas('plugins')).stdout, /^builds\s+@tappaas\/controller-build\s+\S+\s+Off\s/m);
  t.is((await platform.api('GET', `${builds}/one`)).status, 200);
  t.is((await platform.api('DELETE', `${builds}/one`)).status, 405);
  await writeFile(file, good);
  t.is((await home.tappaas('reload')).stdout, 'Applied.\n  added: builds\n');
});

test('a reload says which settings only the next start takes over, again and again until they are put back', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({ plugins: { local: null } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const file = join(home.directory, 'tappaas.yaml');
  const good = await readFile(file, 'utf8');
  await writeFile(file, good.replace('"api":{', '"api":{"workers":2,'));
  const later = 'The next start of the platform takes over: api.workers\n';
  t.is((await home.tappaas('reload')).stdout, `Applied.\n${later}`);
  t.is((await home.tappaas('reload')).stdout, later);
  await writeFile(file, good);
  t.is((await home.tappaas('reload')).stdout, 'Applied.\n');
  t.is((await home.tappaas('reload')).stdout, 'The configuration says what already runs.\n');
});
