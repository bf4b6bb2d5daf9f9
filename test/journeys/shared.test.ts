/** What is one for the whole platform, whichever of its processes is asked: what plugins keep for it, and how plugins fare. */
import test from 'ava';
import { call, eventually, platformHome } from '../platform-process.ts';
import { writePlugin } from '../plugin-package.ts';

const storeOnly = { local: null, standard: null, source: null, builds: null, applications: null, resources: null };

const notes = `
import { definePlugin, hooks } from '@tappaas/sdk';
export default definePlugin({
  id: 'notes',
  setup(host) {
    host.tap(hooks.admission.validate, {}, ({ object }) => {
      if (object.metadata.name === 'broken') throw new Error('broken');
    });
    const route = { path: '/notes/:key', description: 'A note.', bodyBytesMax: 1024, auth: 'caller' };
    host.http({ ...route, method: 'GET', handle: async ({ params }, { state }) => ({ status: 200, body: JSON.stringify((await state.get(params.key)) ?? null) }) });
    host.http({
      ...route,
      method: 'PUT',
      async handle({ params, body }, { state }) {
        await state.set(params.key, JSON.parse(Buffer.from(body).toString()), { ttlMs: 600_000, scope: 'platform' });
        return { status: 204 };
      },
    });
  },
});
`;

interface Plugin {
  readonly status: {
    readonly openBreakers: readonly string[];
    readonly openBreakerProcesses: readonly { readonly processes: readonly string[] }[];
  };
}

test('what a plugin keeps for the platform every worker has at once, and an open breaker is told with its process', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: { ...storeOnly, notes: { use: './notes' } }, api: { workers: 2 } });
  t.teardown(() => home.remove());
  await writePlugin(home.directory, 'notes', notes);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const asked = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    t.is((await call(connection, 'PUT', '/plugins/notes/notes/key', JSON.stringify(round))).status, 204);
    for (const { text, headers } of await Promise.all([1, 2, 3, 4].map(() => call(connection, 'GET', '/plugins/notes/notes/key')))) {
      t.is(text, String(round));
      asked.add(String(headers['x-request-id']).split('-')[0] ?? '');
    }
  }
  t.deepEqual([...asked].toSorted(), ['w1', 'w2']);
  const broken = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'broken' } };
  const told = await eventually(
    async () => {
      await Promise.all(Array.from({ length: 8 }, () => call(connection, 'POST', '/api/v1/namespaces/default/configmaps', broken)));
      return (await platform.api('GET', '/apis/platform.tappaas.dev/v1alpha1/plugins/notes')).json<Plugin>().status;
    },
    ({ openBreakerProcesses }) => openBreakerProcesses?.[0]?.processes.length === 2,
  );
  t.deepEqual(told.openBreakers, ['admission.validate']);
  t.deepEqual(told.openBreakerProcesses, [{ hook: 'admission.validate', processes: ['w1', 'w2'] }]);
  const described = await home.tappaas('plugins', 'notes');
  t.regex(described.stdout, /admission\.validate \(breaker open in w1, w2: not asked for a while\)/);
});
