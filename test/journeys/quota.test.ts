/** Quotas come, go and change by reload while the platform runs and people write: what is in use is always what there is. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually, platformHome, type ApiAnswer, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

const quotas = '/apis/platform.tappaas.dev/v1alpha1/quotas';
const use = '@tappaas/admission-quota';
const merge = 'application/merge-patch+json';

let home: PlatformHome;
let platform: PlatformProcess;
const started: (() => Promise<unknown>)[] = [];

test.before('a platform without quotas runs', async (t) => {
  t.timeout(180_000);
  home = await platformHome({ plugins: { local: null } });
  started.push(() => home.remove());
  platform = await home.start();
  started.push(() => platform.stop());
});

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

/** A namespace of its own, and what is done with the ConfigMaps in it. */
async function place(t: ExecutionContext, name: string) {
  t.is((await platform.api('POST', '/api/v1/namespaces', { metadata: { name } })).status, 201);
  const path = `/api/v1/namespaces/${name}/configmaps`;
  const create = (map: string) => platform.api('POST', path, { metadata: { name: map } });
  const remove = (map: string) => platform.api('DELETE', `${path}/${map}`);
  return {
    create,
    remove,
    count: async () => (await platform.api('GET', path)).json<{ items: unknown[] }>().items.length,
    async limit(configMaps: number): Promise<void> {
      const spec = { of: { namespace: name }, limits: { configMaps } };
      const known = await platform.api('PATCH', `${quotas}/${name}`, { spec }, merge);
      if (known.status === 404) t.is((await platform.api('POST', quotas, { metadata: { name }, spec })).status, 201);
    },
    /** The limit is known everywhere, and what is in use is said to be so much. */
    async isInUse(count: number, limit: number): Promise<void> {
      const says = new RegExp(`up to ${limit}; this asks for 1 \\(${count} (?:is|are) in use\\)`);
      await eventually(
        async () => {
          const answer = await create('one-too-many');
          if (answer.status === 201) await remove('one-too-many');
          return answer;
        },
        ({ status, text }) => status === 403 && says.test(text),
      );
    },
  };
}

/** Reloads with these instances of the plugin and no others; permissions are accepted before. */
async function reload(instances: Readonly<Record<string, object>>): Promise<ApiAnswer> {
  const file = join(home.directory, 'tappaas.yaml');
  const config = JSON.parse(await readFile(file, 'utf8')) as { plugins: Record<string, { use: string }> };
  const others = Object.entries(config.plugins).filter(([, entry]) => entry.use !== use);
  await writeFile(file, JSON.stringify({ ...config, plugins: { ...Object.fromEntries(others), ...instances } }));
  for (const id of Object.keys(instances)) {
    const { code, stderr } = await home.tappaas('plugins', 'approve', id);
    if (code !== 0) throw new Error(stderr);
  }
  return platform.api('POST', '/plugins/platform/reload');
}

test.serial('what was there before the plugin counts when a reload has added it', async (t) => {
  t.timeout(120_000);
  const shop = await place(t, 'early');
  for (const name of ['a', 'b']) t.is((await shop.create(name)).status, 201);
  t.like((await reload({ quota: { use } })).json(), { outcome: 'applied', added: ['quota'] });
  await shop.limit(2);
  await shop.isInUse(2, 2);
  await shop.limit(3);
  await eventually(
    () => shop.create('c'),
    ({ status }) => status === 201,
  );
  await shop.isInUse(3, 3);
  await eventually(
    () => platform.api('GET', `${quotas}/early`),
    ({ text }) => text.includes('"used":{"configMaps":3}'),
  );
});

test.serial('without the plugin nothing is refused, and what came and went meanwhile counts when it is back', async (t) => {
  t.timeout(120_000);
  const shop = await place(t, 'between');
  await reload({ quota: { use } });
  for (const name of ['a', 'b']) t.is((await shop.create(name)).status, 201);
  await shop.limit(2);
  await shop.isInUse(2, 2);
  t.like((await reload({})).json(), { outcome: 'applied', removed: ['quota'] });
  for (const name of ['c', 'd', 'e']) t.is((await shop.create(name)).status, 201);
  t.is((await shop.remove('a')).status, 200);
  t.is((await platform.api('GET', `${quotas}/between`)).status, 200, 'limits stay to be read');
  await reload({ quota: { use } });
  await shop.isInUse(4, 2);
  t.is((await shop.remove('b')).status, 200);
  await shop.isInUse(3, 2);
});

test.serial('a reload that is refused lets the limit hold, and a plugin that is switched off refuses nothing', async (t) => {
  t.timeout(120_000);
  const shop = await place(t, 'off');
  await reload({ quota: { use } });
  await shop.limit(1);
  t.is((await shop.create('a')).status, 201);
  await shop.isInUse(1, 1);
  t.like((await reload({ quota: { use, mode: 'shadow' } })).json(), { outcome: 'refused' }, 'what claims cannot only watch');
  await shop.isInUse(1, 1);
  t.like((await reload({ quota: { use, mode: 'off' } })).json(), { outcome: 'applied' });
  for (const name of ['b', 'c']) t.is((await shop.create(name)).status, 201);
  await reload({ quota: { use } });
  await shop.isInUse(3, 1);
});

test.serial('under another name in the configuration it counts the same things once', async (t) => {
  t.timeout(120_000);
  const shop = await place(t, 'renamed');
  await reload({ quota: { use } });
  for (const name of ['a', 'b']) t.is((await shop.create(name)).status, 201);
  await shop.limit(2);
  await shop.isInUse(2, 2);
  t.like((await reload({ limits: { use } })).json(), { outcome: 'applied', added: ['limits'], removed: ['quota'] });
  await shop.isInUse(2, 2);
  t.is((await shop.remove('a')).status, 200);
  t.is((await shop.create('c')).status, 201);
  await shop.isInUse(2, 2);
});

test.serial('reloads in the middle of many writes leave the count right', async (t) => {
  t.timeout(180_000);
  const shop = await place(t, 'busy');
  const over = new AbortController();
  const writer = async (name: string): Promise<void> => {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      await shop.create(`${name}-${turn}`);
      if (turn % 2 === 0) await shop.remove(`${name}-${turn}`);
    }
  };
  const writers = ['w', 'x', 'y', 'z'].map(writer);
  for (let round = 0; round < 4; round += 1) {
    await reload({});
    await reload({ quota: { use, mode: round % 2 === 0 ? 'enforce' : 'off' } });
  }
  await reload({ quota: { use } });
  over.abort();
  await Promise.all(writers);
  const count = await shop.count();
  t.true(count > 10, `${count}`);
  await shop.limit(count);
  await shop.isInUse(count, count);
});
