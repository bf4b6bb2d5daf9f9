import { definePlugin, defineService, families, hooks, secret, Type, type Context, type SecretStore } from '@tappaas/sdk';
import test from 'ava';
import { settled } from '../virtual-clock.ts';
import { load, metric, rejection, start } from './fixture.ts';

const Cache = defineService<{ get(): Promise<string> }>({ id: 'acme/cache', contract: 1 });

test('providers come before onStart, needs before those that need them, and a level starts in parallel', async (t) => {
  const happened: string[] = [];
  const barrier = Promise.withResolvers<void>();
  let arrived = 0;
  const meet = async (): Promise<void> => {
    arrived += 1;
    if (arrived === 2) barrier.resolve();
    await barrier.promise;
  };
  const provider = definePlugin({
    id: 'provider',
    setup(host) {
      host.onStart(async () => void happened.push('provider onStart'));
      host.provide(Cache, async () => {
        happened.push('provider make');
        return { get: async () => 'cached' };
      });
    },
  });
  const user = (id: string) =>
    definePlugin({
      id,
      needs: { cache: Cache },
      setup(host, _config, { cache }) {
        host.onStart(async () => {
          await meet();
          happened.push(`${id} ${await cache.get()}`);
        });
      },
    });
  const { kernel } = await start([user('a'), user('b'), provider].map((plugin) => ({ id: plugin.id, plugin })));
  t.deepEqual(happened.slice(0, 2), ['provider make', 'provider onStart']);
  t.deepEqual(happened.slice(2).toSorted(), ['a cached', 'b cached']);
  t.deepEqual(
    kernel.plugins().map(({ phase }) => phase),
    ['ready', 'ready', 'ready'],
  );
  await kernel.stop();
});

test('the platform goes on without a plugin that may fail, and without those that need it if they may fail too', async (t) => {
  const happened: string[] = [];
  const broken = definePlugin({
    id: 'broken',
    setup(host) {
      host.provide(Cache, () => {
        throw new Error('no memory');
      });
      host.onStop(async () => void happened.push('broken stopped'));
    },
  });
  const user = definePlugin({
    id: 'user',
    needs: { cache: Cache },
    setup: (host) => host.onStart(async () => void happened.push('user started')),
  });
  const plugins = (mayFail: 'stop' | 'continue') => [
    { id: 'broken', plugin: broken, options: { onBootFailure: 'continue' } as const },
    { id: 'user', plugin: user, options: { onBootFailure: mayFail } },
  ];
  const { kernel, events } = await start(plugins('continue'));
  t.deepEqual(
    kernel.plugins().map(({ id, phase, message }) => `${id} ${phase}: ${message}`),
    [
      'broken failed: plugin broken failed in provide acme/cache: no memory',
      'user failed: plugin user needs service acme/cache, whose provider did not start',
    ],
  );
  t.deepEqual(happened, ['broken stopped']);
  t.deepEqual(
    events.map(({ type }) => type),
    ['plugin.failed', 'plugin.failed'],
  );
  await kernel.stop();
  const { kernel: strict } = await load(plugins('stop'));
  t.is(
    (await rejection(strict.start())).message,
    'the platform did not start: plugin user needs service acme/cache, whose provider did not start',
  );
});

test('stopping goes in reverse, may come twice and without a start, and ends what runs', async (t) => {
  const happened: string[] = [];
  const plugin = (id: string, needed: object) =>
    definePlugin({
      id,
      needs: needed as never,
      setup(host) {
        if (id === 'base')
          host.provide(
            Cache,
            () => ({ get: async () => 'x' }),
            () => void happened.push('disposed'),
          );
        host.onStop(async () => void happened.push(`${id} first`));
        host.onStop(async () => void happened.push(`${id} second`));
      },
    });
  const plugins = [plugin('base', {}), plugin('user', { cache: Cache })].map((one) => ({ id: one.id, plugin: one }));
  const { kernel } = await start(plugins);
  const [one, two] = await Promise.all([kernel.stop(), kernel.stop()]);
  t.is(one, two);
  t.deepEqual(happened, ['user second', 'user first', 'base second', 'base first', 'disposed']);
  t.is((await rejection(kernel.start())).code, 'TAP_KERNEL_STOPPED');
  t.is((await kernel.reload()).outcome, 'refused');
  const unstarted = await load(plugins);
  happened.length = 0;
  t.deepEqual(await unstarted.kernel.stop(), { errors: [], leaks: [] });
  t.deepEqual(happened, [], 'what was not started is not stopped');
});

test('a stop in the middle of a start aborts it', async (t) => {
  let signal: AbortSignal | undefined;
  const plugin = definePlugin({
    id: 'slow',
    setup: (host) =>
      host.onStart(async (context) => {
        ({ signal } = context);
        await context.clock.sleep(9000, context.signal);
      }),
  });
  const { kernel, clock } = await load([{ id: 'slow', plugin }]);
  const starting = rejection(kernel.start());
  await settled();
  const stopping = kernel.stop();
  await clock.advance(0);
  t.true(signal?.aborted);
  t.is((await starting).code, 'TAP_PLUGIN_START_FAILED');
  await stopping;
});

test('a stop in the middle of a start starts nothing more, neither of the plugin nor of those after it', async (t) => {
  const happened: string[] = [];
  const first = definePlugin({
    id: 'first',
    setup(host) {
      host.provide(Cache, async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { get: async () => 'cached' };
      });
      host.onStart(() => void happened.push('first'));
    },
  });
  const second = definePlugin({
    id: 'second',
    needs: { cache: Cache },
    setup: (host) => host.onStart(() => void happened.push('second')),
  });
  const { kernel, clock } = await load([
    { id: 'first', plugin: first, options: { onBootFailure: 'continue' } as const },
    { id: 'second', plugin: second, options: { onBootFailure: 'continue' } as const },
  ]);
  const starting = kernel.start();
  await settled();
  const stopping = kernel.stop();
  await clock.advance(0);
  await starting;
  await stopping;
  t.deepEqual(happened, []);
});

test('tasks run again after their time, back off while they fail, and end with the plugin', async (t) => {
  const runs: number[] = [];
  let fails = true;
  const plugin = definePlugin({
    id: 'worker',
    setup: (host) =>
      host.task({
        name: 'sweep',
        on: 'every-replica',
        everyMs: 10_000,
        async run(context) {
          runs.push(context.clock.nowMs() - startMs);
          if (fails) throw new Error('not yet');
        },
      }),
  });
  const { kernel, clock, lines } = await start([{ id: 'worker', plugin }]);
  const startMs = clock.nowMs();
  await clock.advance(1000);
  t.deepEqual(runs, [], 'tasks wait until they are told to start');
  kernel.startTasks();
  kernel.startTasks();
  await clock.advance(750 + 1500 + 3000);
  t.deepEqual(runs, [1000, 1750, 3250, 6250]);
  fails = false;
  await clock.advance(6000 + 10_000 + 10_000);
  t.deepEqual(runs.slice(4), [12_250, 22_250, 32_250]);
  t.is(lines.filter(({ level }) => level === 'warn').length, 4);
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="worker",hook="task sweep",outcome="error"}'), 4);
  await kernel.stop();
  await clock.advance(100_000);
  t.is(runs.length, 7);
  t.is(clock.sleeping, 0);
});

test('a task that never settles ends with the plugin, whose stop does not wait for it beyond its signal', async (t) => {
  let ended = false;
  const plugin = definePlugin({
    id: 'agent',
    setup: (host) =>
      host.task({
        name: 'watch',
        on: 'every-replica',
        everyMs: 1000,
        async run({ signal }) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          ended = true;
        },
      }),
  });
  const { kernel, clock } = await start([{ id: 'agent', plugin }]);
  kernel.startTasks();
  await clock.advance(600_000);
  t.false(ended);
  t.deepEqual((await kernel.stop()).errors, []);
  t.true(ended);
});

test('leader tasks run only where the replica leads, and are aborted when it no longer does', async (t) => {
  const aborted: boolean[] = [];
  let leads = false;
  let runs = 0;
  const plugin = definePlugin({
    id: 'single',
    setup: (host) =>
      host.task({
        name: 'one',
        on: 'leader',
        everyMs: 1000,
        async run({ signal }: Context) {
          runs += 1;
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          aborted.push(signal.aborted);
        },
      }),
  });
  const { kernel, clock } = await start([{ id: 'single', plugin }], { isLeader: () => leads });
  kernel.startTasks();
  await clock.advance(5000);
  t.is(runs, 0);
  leads = true;
  await clock.advance(1000);
  t.is(runs, 1);
  leads = false;
  await clock.advance(1000);
  t.deepEqual(aborted, [true]);
  await clock.advance(60_000);
  t.is(runs, 1);
  await kernel.stop();
});

test('secrets of a store are fetched before the plugin starts and followed while it runs', async (t) => {
  const seen: string[] = [];
  let value = 'first';
  const store: SecretStore = {
    resolve: async (ref) => ({ values: { password: new TextEncoder().encode(`${ref.path} ${value}`) }, version: '1' }),
    version: async () => '1',
  };
  const vault = definePlugin({ id: 'vault', setup: (host) => host.provide(families.secretStore, () => store) });
  const user = definePlugin({
    id: 'user',
    config: Type.Object({ password: secret({ description: 'A password.' }) }),
    example: { password: { env: 'X' } },
    setup(host, { password }) {
      host.provide(Cache, () => ({ get: async () => password.text() }));
      host.onStart(async () => void seen.push(password.text()));
    },
  });
  const { kernel, clock } = await start([
    { id: 'user', plugin: user, config: { password: { store: 'safe', path: 'db', key: 'password' } } },
    { id: 'safe', plugin: vault },
  ]);
  kernel.startTasks();
  t.deepEqual(seen, ['db first']);
  const cache = await kernel.services.whenProvided(Cache);
  value = 'second';
  t.is(await cache.get(), 'db first');
  await clock.advance(61_000);
  t.is(await cache.get(), 'db second');
  await kernel.stop();
});

test('states tell what each instance is, and the platform its registrations', async (t) => {
  const plugin = definePlugin({
    id: 'thing',
    stability: 'beta',
    permissions: { secrets: ['secrets:read'] },
    needs: { stores: families.secretStore },
    setup(host) {
      host.tap(hooks.telemetry.log, {}, () => {});
      host.provide(Cache, () => ({ get: async () => '' }));
      host.http({
        method: 'POST',
        path: '/hook',
        description: 'A webhook.',
        bodyBytesMax: 1,
        auth: 'self',
        handle: async () => ({ status: 204 }),
      });
      host.engine({ name: host.id, description: 'An engine.', kinds: [] });
      host.column({ name: 'price', unit: 'euro', description: 'Price.', of: () => 1 });
    },
  });
  const { kernel } = await start([{ id: 'mine', plugin }]);
  const [state] = kernel.plugins();
  t.like(state, {
    id: 'mine',
    plugin: 'thing',
    stability: 'beta',
    phase: 'ready',
    mode: 'enforce',
    hooks: ['telemetry.log'],
    provides: ['acme/cache'],
    needs: ['tappaas/secret-store'],
  });
  t.deepEqual(state?.permissions, { secrets: ['secrets:read'] });
  const { routes, engines, columns, taps } = kernel.registrations();
  t.deepEqual([routes[0]?.plugin, engines[0]?.value.name, columns[0]?.value.name], ['mine', 'mine', 'price']);
  t.deepEqual(taps, [
    { hook: 'telemetry.log', plugin: 'mine', name: 'mine', kinds: [], mode: 'enforce', timeoutMs: 1, failurePolicy: 'ignore' },
  ]);
  const failure = rejection(routes[0]?.guard.call({ name: 'http' }, () => Promise.reject(new Error('bad webhook'))) ?? Promise.resolve());
  t.is((await failure).message, 'plugin mine failed in http: bad webhook');
  await kernel.stop();
});

test('an engine gives credentials once the API listens, and a column tells its changes', async (t) => {
  let connect: (() => Promise<unknown>) | undefined;
  let changed: (() => void) | undefined;
  const plugin = definePlugin({
    id: 'local',
    setup(host) {
      const engine = host.engine({ name: 'local', description: 'Local.', kinds: [] });
      connect = () => engine.connection({ name: 'agent', groups: [] });
      const column = host.column({ name: 'price', unit: 'euro', description: 'Price.', of: () => 1 });
      changed = () => column.changed();
    },
  });
  const { kernel } = await start([{ id: 'local', plugin }]);
  t.is((await rejection(connect?.() ?? Promise.resolve())).code, 'TAP_ENGINE_NOT_SERVED');
  kernel.connectEngines(async (engine, user) => ({ server: `https://here/clusters/${engine}`, token: user.name }));
  t.deepEqual(await connect?.(), { server: 'https://here/clusters/local', token: 'agent' });
  let received = 0;
  const leave = kernel.registrations().columns[0]?.value.onChanged(() => (received += 1));
  changed?.();
  leave?.();
  changed?.();
  t.is(received, 1);
  await kernel.stop();
});
