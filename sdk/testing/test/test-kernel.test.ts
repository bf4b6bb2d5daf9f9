import test from 'ava';
import { change, definePlugin, defineService, families, hooks, Type, type Node } from '@tappaas/sdk';
import { Application, type ApplicationObject } from '@tappaas/sdk/kinds';
import { fakeSecretStore, load, startTestKernel } from '@tappaas/testing';
import { replicaLimit, shop } from './sample-plugins.ts';

const plugin = (id: string, setup: Parameters<typeof definePlugin>[0]['setup']) => definePlugin({ id, setup });

test('a denial names its plugin, and the object is as it would be stored', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 }, { id: 'limit' })] });
  const { denials, object } = await kernel.admit(Application, shop(3));
  const message = 'has a process with more than 2 replicas';
  t.deepEqual(denials, [{ plugin: 'limit', field: 'spec.processes', reason: 'TooManyReplicas', message }]);
  t.is(object.metadata.name, 'shop');
  t.is(object.metadata.generation, 1);
  t.is(await kernel.resources.get(Application, { namespace: 'default', name: 'shop' }), undefined);
});

test('what mutating taps change is in the object, and they are asked before validating ones', async (t) => {
  const two = plugin('two', (host) => {
    host.tap(hooks.admission.mutate, { kinds: [Application] }, ({ object }) =>
      change<ApplicationObject>(object, (draft) => {
        for (const process of draft.spec.processes) process.replicas = 2;
      }),
    );
  });
  await using kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 }), load(two)] });
  const { denials, object } = await kernel.admit(Application, shop(9));
  t.deepEqual(denials, []);
  t.is(object.spec.processes[0]?.replicas, 2);
});

test('an object that exists is asked about as an update, with what was there before', async (t) => {
  const seen: unknown[] = [];
  const spy = plugin('spy', (host) => {
    host.tap(hooks.admission.validate, { kinds: [Application] }, ({ operation, previous }) => {
      seen.push([operation, previous?.spec.processes[0]?.replicas]);
      return undefined;
    });
  });
  await using kernel = await startTestKernel({ plugins: [load(spy)] });
  const { name, namespace, spec } = shop(1);
  await kernel.resources.create(Application, { metadata: { name, namespace }, spec });
  await kernel.admit(Application, shop(2));
  t.deepEqual(seen, [
    ['create', undefined],
    ['update', 1],
  ]);
});

test('a tap that fails or never answers denies in its plugin’s name', async (t) => {
  const failing = plugin('failing', (host) => {
    host.tap(hooks.admission.validate, { kinds: [Application] }, () => {
      throw new Error('boom');
    });
  });
  const silent = plugin('silent', (host) => {
    host.tap(hooks.admission.validate, { kinds: [Application] }, () => new Promise(() => {}));
  });
  await using kernel = await startTestKernel({ plugins: [load(failing), load(silent)] });
  const calls = kernel.admit(Application, shop());
  await kernel.advance(2_000);
  const { denials } = await calls;
  t.deepEqual(
    denials.map(({ plugin: id, reason }) => [id, reason]),
    [
      ['failing', 'PluginFailed'],
      ['silent', 'PluginFailed'],
    ],
  );
});

test('an object that does not fit its kind is refused before anybody is asked', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 })] });
  const wrong = { ...shop(), spec: { ...shop().spec, processes: [] } };
  await t.throwsAsync(kernel.admit(Application, wrong), { code: 'TAP_OBJECT_INVALID' });
});

test('all mistakes of all configurations are told at once, as an operator reads them', async (t) => {
  const misspelt: object = { replicasMx: 1 };
  const wrong = [load(replicaLimit, { replicasMax: 0 }), load(replicaLimit, misspelt, { id: 'other' })];
  const error = await t.throwsAsync(startTestKernel({ plugins: wrong }), { code: 'TAP_CONFIG_INVALID' });
  t.regex(error?.message ?? '', /plugins\.replica-limit\.config\.replicasMax/);
  t.regex(error?.message ?? '', /plugins\.other\.config\.replicasMx: .*did you mean "replicasMax"/);
});

test('a reload swaps plugins, and one that is refused changes nothing and says why', async (t) => {
  await using kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 })] });
  await kernel.reload([load(replicaLimit, { replicasMax: 5 })]);
  t.deepEqual((await kernel.admit(Application, shop(5))).denials, []);
  await t.throwsAsync(kernel.reload([load(replicaLimit, { replicasMax: -5 })]), { message: /plugins\.replica-limit\.config\.replicasMax/ });
  t.is((await kernel.admit(Application, shop(6))).denials.length, 1);
});

test('the clock stands still until it is advanced, and tasks run as it moves', async (t) => {
  const runs: number[] = [];
  const ticking = plugin('ticking', (host) => {
    host.task({ name: 'tick', on: 'leader', everyMs: 60_000, run: async ({ clock }) => void runs.push(clock.nowMs()) });
  });
  await using kernel = await startTestKernel({ plugins: [load(ticking)] });
  await kernel.advance(0);
  const startMs = kernel.clock.nowMs();
  await kernel.advance(180_000);
  t.deepEqual(runs, [startMs, startMs + 60_000, startMs + 120_000, startMs + 180_000]);
});

test('services come from plugins or are given', async (t) => {
  const prices = defineService<{ priceOf(what: string): Promise<number> }>({ id: 'acme/prices', contract: 1 });
  const secrets: string[] = [];
  const user = definePlugin({
    id: 'user',
    needs: { prices, stores: families.secretStore },
    setup(host, _config, services) {
      host.onStart(async (context) => {
        const { values } = (await services.stores.get('secrets')?.resolve({ store: 'secrets', path: 'a' }, context)) ?? {
          values: { key: new Uint8Array() },
        };
        secrets.push(new TextDecoder().decode(values['key']), String(await services.prices.priceOf('cpu')));
      });
    },
  });
  const given = { priceOf: async () => 20 };
  const store = load(fakeSecretStore, { secrets: { a: { key: 'hush' } } }, { id: 'secrets' });
  await using kernel = await startTestKernel({ plugins: [store, load(user)], services: [[prices, given]] });
  t.deepEqual(secrets, ['hush', '20']);
  t.truthy(kernel);
});

test('secret fields are read from the environment that is given, never from the process', async (t) => {
  const { secret } = await import('@tappaas/sdk');
  const found: string[] = [];
  const reader = definePlugin({
    id: 'reader',
    config: Type.Object({ password: secret({ description: 'Password.' }) }),
    example: { password: { env: 'PASSWORD' } },
    setup(host, { password }) {
      host.onStart(async () => void found.push(password.text(), String(password)));
    },
  });
  await using kernel = await startTestKernel({ plugins: [load(reader, { password: { env: 'PASSWORD' } })], env: { PASSWORD: 'hush' } });
  t.deepEqual(found, ['hush', '[secret]']);
  t.notRegex(JSON.stringify(kernel.log), /hush/);
});

test('routes and objects are served over HTTP as the administrator', async (t) => {
  const hello = plugin('hello', (host) => {
    host.http({
      method: 'POST',
      path: '/echo/:name',
      description: 'Answers what it was sent.',
      bodyBytesMax: 100,
      auth: 'caller',
      handle: async ({ params, body }, { caller }) => ({
        status: 201,
        body: `${params['name']} ${caller.name} ${new TextDecoder().decode(body)}`,
      }),
    });
  });
  await using kernel = await startTestKernel({ plugins: [load(hello)] });
  t.deepEqual(await kernel.http('POST', '/plugins/hello/echo/you', 'hi'), { status: 201, text: 'you test hi' });
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'value' } };
  const path = '/api/v1/namespaces/default/configmaps';
  t.is((await kernel.http('POST', path, JSON.stringify(configMap))).status, 201);
  t.is((await kernel.http('PATCH', `${path}/a`, '{"data":{"key":"other"}}')).status, 200);
  t.like(JSON.parse((await kernel.http('GET', `${path}/a`)).text), { data: { key: 'other' } });
  t.is((await kernel.http('GET', '/plugins/hello/nothing')).status, 404);
});

test('a pod goes where the taps send it, and every node says why or why not', async (t) => {
  const node = (name: string, cpu: string): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { allocatable: { cpu, memory: '8Gi', pods: '10' } },
  });
  const { columns } = await import('@tappaas/sdk');
  const big = plugin('big', (host) => {
    const reads = { cpu: columns.free('cpu') };
    const reasons = [{ message: 'too small', retryOn: ['node-changed'] as const }];
    host.tap(hooks.scheduling.filter, { reads, reasons }, ({ count, out, columns: { cpu } }) => {
      for (let i = 0; i < count; i += 1) out[i] = (cpu[i] ?? 0) < 2_000 ? 1 : 0;
    });
    host.tap(hooks.scheduling.score, { name: 'most', reads, scale: 'more-is-better' }, ({ count, out, columns: { cpu } }) => {
      for (let i = 0; i < count; i += 1) out[i] = cpu[i] ?? 0;
    });
  });
  await using kernel = await startTestKernel({ plugins: [load(big)] });
  const placed = await kernel.schedule({ spec: { containers: [] } }, [node('a', '1'), node('b', '2'), node('c', '4')]);
  t.is(placed.node, 'c');
  t.deepEqual(placed.rejected, { a: 'too small' });
  t.is(placed.scores['c']?.['big'], 100);
  t.is(placed.scores['b']?.['big'], 0);
  const nowhere = await kernel.schedule({ spec: { containers: [] } }, [node('a', '1')]);
  t.is(nowhere.node, undefined);
});

test('a step that refuses the pod is told, although nodes were feasible; one that asks for time is not waited for', async (t) => {
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, status: { allocatable: { cpu: '1', pods: '10' } } };
  const refusing = plugin('refusing', (host) => host.tap(hooks.scheduling.preFilter, {}, () => ({ reject: 'not today' })));
  await using first = await startTestKernel({ plugins: [load(refusing)] });
  t.regex((await first.schedule({ spec: { containers: [] } }, [node])).rejected[''] ?? '', /not today/);
  let calls = 0;
  const waiting = plugin('waiting', (host) =>
    host.tap(hooks.scheduling.permit, {}, () => ((calls += 1) > 3 ? undefined : { waitMs: 60_000 })),
  );
  await using second = await startTestKernel({ plugins: [load(waiting)] });
  t.is((await second.schedule({ spec: { containers: [] } }, [node])).node, 'a');
});

test('a plugin that does not stop cleanly fails the test that used it, or is told by stop', async (t) => {
  const broken = plugin('broken', (host) => host.onStop(() => Promise.reject(new Error('no end'))));
  const used = async () => {
    await using kernel = await startTestKernel({ plugins: [load(broken)] });
    t.truthy(kernel);
  };
  await t.throwsAsync(used, { message: /plugin broken: .*no end/ });
  const kernel = await startTestKernel({ plugins: [load(broken)] });
  const { errors } = await kernel.stop();
  t.deepEqual(
    errors.map(({ plugin: id }) => id),
    ['broken'],
  );
  t.deepEqual(await kernel.stop(), { errors, leaks: [] });
});

test('a plugin that never ends its start meets its limit, although the clock stands still', async (t) => {
  t.timeout(180_000);
  const endless = plugin('endless', (host) => host.onStart(() => new Promise(() => {})));
  const error = await t.throwsAsync(startTestKernel({ plugins: [load(endless)] }), { code: 'TAP_PLUGIN_START_FAILED' });
  t.regex(error?.message ?? '', /endless/);
});

test('the log holds the last thousand lines', async (t) => {
  const talking = plugin('talking', (host) =>
    host.onStart(async ({ log }) => {
      for (let n = 1; n <= 1_500; n += 1) log.info(`line ${n}`);
    }),
  );
  await using kernel = await startTestKernel({ plugins: [load(talking)] });
  t.true(kernel.log.length <= 1_000);
  t.true(kernel.log.some(({ message, plugin: id }) => message === 'line 1500' && id === 'talking'));
  t.false(kernel.log.some(({ message }) => message === 'line 1'));
});
