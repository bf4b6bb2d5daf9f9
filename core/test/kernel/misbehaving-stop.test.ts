import { createServer } from 'node:net';
import { definePlugin, defineService, families } from '@tappaas/sdk';
import test from 'ava';
import { load, never, only, rejection, start } from './fixture.ts';

test('a plugin that fails to start is named after everything else was stopped again, in reverse', async (t) => {
  const happened: string[] = [];
  const service = (id: string) => defineService<object>({ id: `acme/${id}`, contract: 1 });
  const One = service('one');
  const base = definePlugin({
    id: 'base',
    setup(host) {
      host.provide(
        One,
        () => ({}),
        () => void happened.push('base disposed'),
      );
      host.onStart(async () => void happened.push('base started'));
      host.onStop(async () => void happened.push('base stopped'));
    },
  });
  const middle = definePlugin({
    id: 'middle',
    needs: { one: One },
    setup(host) {
      host.onStart(async () => void happened.push('middle started'));
      host.onStop(async () => void happened.push('middle stopped'));
    },
  });
  const culprit = definePlugin({
    id: 'culprit',
    needs: { one: One },
    setup(host) {
      host.onStart(() => Promise.reject(new Error('no licence')));
      host.onStop(async () => void happened.push('culprit stopped'));
    },
  });
  const { kernel } = await load([culprit, middle, base].map((plugin) => ({ id: plugin.id, plugin })));
  const error = await rejection(kernel.start());
  t.is(error.code, 'TAP_PLUGIN_START_FAILED');
  t.is(error.message, 'the platform did not start: plugin culprit failed in onStart: no licence');
  t.deepEqual(happened.slice(0, 2), ['base started', 'middle started']);
  t.deepEqual(happened.slice(2, 4).toSorted(), ['culprit stopped', 'middle stopped']);
  t.deepEqual(happened.slice(4), ['base stopped', 'base disposed']);
  t.deepEqual((await kernel.stop()).errors, []);
  t.is(happened.length, 6, 'nothing is stopped twice');
});

test('a provider or a start that never settles is given 10 s, a store 120 s, and a stop 5 s', async (t) => {
  const hanging = (id: string, where: 'provide' | 'onStart' | 'onStop' | 'dispose') =>
    definePlugin({
      id,
      setup(host) {
        host.provide(
          defineService<object>({ id: `acme/${id}`, contract: 1 }),
          where === 'provide' ? never : () => ({}),
          where === 'dispose' ? never : undefined,
        );
        host.onStart(where === 'onStart' ? never : async () => {});
        host.onStop(where === 'onStop' ? never : async () => {});
      },
    });
  for (const [where, point] of [
    ['provide', 'provide acme/culprit'],
    ['onStart', 'onStart'],
  ] as const) {
    const { kernel, clock } = await load(only(hanging('culprit', where)));
    const starting = rejection(kernel.start());
    await clock.advance(10_020);
    t.is((await starting).message, `the platform did not start: plugin culprit did not finish ${point} within 10000 ms`);
  }
  const store = definePlugin({ id: 'culprit', setup: (host) => host.provide(families.store, never) });
  const holding = await load(only(store));
  const opening = rejection(holding.kernel.start());
  await holding.clock.advance(119_000);
  await holding.clock.advance(1_020);
  t.is((await opening).message, 'the platform did not start: plugin culprit did not finish provide tappaas/store within 120000 ms');
  const { kernel, clock } = await start([
    { id: 'a', plugin: hanging('a', 'onStop') },
    { id: 'b', plugin: hanging('b', 'dispose') },
  ]);
  const stopping = kernel.stop();
  await clock.advance(5020);
  const { errors } = await stopping;
  t.deepEqual(
    errors.map(({ plugin, error }) => [plugin, error.message]),
    [
      ['a', 'plugin a did not finish onStop within 5000 ms'],
      ['b', 'plugin b did not finish dispose acme/b within 5000 ms'],
    ],
  );
});

test('faults of stopping are collected, and nobody is skipped because of them', async (t) => {
  const stopped: string[] = [];
  const plugin = (id: string) =>
    definePlugin({
      id,
      setup(host) {
        host.provide(
          defineService<object>({ id: `acme/${id}`, contract: 1 }),
          () => ({}),
          () => {
            stopped.push(`${id} dispose`);
            throw new Error('cannot dispose');
          },
        );
        host.onStop(() => {
          stopped.push(`${id} second`);
          return Promise.reject(new Error('cannot stop'));
        });
      },
    });
  const { kernel } = await start([plugin('a'), plugin('b')].map((one) => ({ id: one.id, plugin: one })));
  const { errors } = await kernel.stop();
  t.is(errors.length, 4);
  t.deepEqual(new Set(errors.map((each) => each.plugin)), new Set(['a', 'b']));
  t.deepEqual(stopped.toSorted(), ['a dispose', 'a second', 'b dispose', 'b second']);
  t.deepEqual(
    kernel.plugins().map(({ phase }) => phase),
    ['stopped', 'stopped'],
  );
});

test('the signal of onStop has not aborted because the plugin stops', async (t) => {
  let aborted: boolean | undefined;
  const plugin = definePlugin({ id: 'a', setup: (host) => host.onStop(async ({ signal }) => void (aborted = signal.aborted)) });
  const { kernel } = await start(only(plugin));
  await kernel.stop();
  t.false(aborted);
});

test('handles that a plugin leaves open are told with the plugin and the place; those it closes are not', async (t) => {
  const open: { close(): void }[] = [];
  const plugin = definePlugin({
    id: 'leaky',
    setup(host) {
      host.onStart(async () => {
        const timer = setInterval(() => {}, 1000);
        open.push({ close: () => clearInterval(timer) });
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        open.push(server);
        const tidy = setInterval(() => {}, 1000);
        clearInterval(tidy);
        setTimeout(() => {}, 1000).unref();
      });
    },
  });
  const { kernel, lines } = await start(only(plugin), { detectLeaks: true });
  const { leaks } = await kernel.stop();
  for (const each of open) each.close();
  t.deepEqual(leaks.map(({ plugin, resource }) => `${plugin} ${resource}`).toSorted(), ['leaky TCPSERVERWRAP', 'leaky Timeout']);
  t.true(leaks.find(({ resource }) => resource === 'Timeout')?.openedAt.includes('misbehaving-stop.test'));
  t.is(lines.filter(({ message }) => message.includes('left a handle open')).length, 2);
});
