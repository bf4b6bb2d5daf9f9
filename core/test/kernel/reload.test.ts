import { definePlugin, defineService, deny, families, hooks, Type, type PlatformEvent, type Plugin } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import type { Kernel, LoadedPlugin } from '../../dist/kernel/kernel.js';
import { settled } from '../virtual-clock.ts';
import { load, metric, rejection, request, selector, start } from './fixture.ts';

const { validate } = hooks.admission;
const kinds = [Application] as const;

/** A plugin that denies with what it was configured to say, and tells its life. */
function gate(id: string, happened: string[], more: { readonly takesConfig?: boolean | 'throws'; readonly failsOn?: string } = {}): Plugin {
  return definePlugin({
    id,
    config: Type.Object({ say: Type.String({ default: 'no' }) }),
    example: {},
    setup(host, config) {
      let { say } = config;
      host.tap(validate, { kinds }, () => deny({ field: '', reason: 'Denied', message: say }));
      host.onStart(async () => {
        happened.push(`${host.id} start ${say}`);
        if (say === more.failsOn) throw new Error(`cannot say ${say}`);
      });
      host.onStop(async () => void happened.push(`${host.id} stop ${say}`));
      if (more.takesConfig !== undefined) {
        host.onConfig((next, previous) => {
          happened.push(`${host.id} config ${previous.say} to ${next.say}`);
          if (more.takesConfig === 'throws') throw new Error('cannot');
          ({ say } = next);
          return more.takesConfig === true ? 'applied' : 'restart';
        });
      }
    },
  });
}

const says = async (kernel: Kernel): Promise<readonly string[]> =>
  (await kernel.hooks.gate(validate, selector, request())).denials.map(({ plugin, message }) => `${plugin}: ${message}`);

const loaded = (id: string, plugin: Plugin, say?: string, options?: LoadedPlugin['options']): LoadedPlugin => ({
  id,
  plugin,
  ...(say === undefined ? {} : { config: { say } }),
  ...(options === undefined ? {} : { options }),
});

test('a reload starts what is new, restarts what changed, stops what is gone, and leaves the rest alone', async (t) => {
  const happened: string[] = [];
  const [kept, changed, gone, fresh] = ['kept', 'changed', 'gone', 'fresh'].map((id) => gate(id, happened)) as [
    Plugin,
    Plugin,
    Plugin,
    Plugin,
  ];
  const { kernel, events } = await start([loaded('kept', kept), loaded('changed', changed, 'one'), loaded('gone', gone)]);
  const generations: string[][] = [];
  kernel.onGeneration(
    (now, before) => void generations.push([...before.taps.map(({ plugin }) => plugin), '→', ...now.taps.map(({ plugin }) => plugin)]),
  );
  happened.length = 0;
  const result = await kernel.reload([loaded('fresh', fresh), loaded('kept', kept), loaded('changed', changed, 'two')]);
  t.like(result, { outcome: 'applied', added: ['fresh'], removed: ['gone'], restarted: ['changed'], reconfigured: [] });
  t.deepEqual(happened.slice(0, 2).toSorted(), ['changed start two', 'fresh start no']);
  t.deepEqual(happened.slice(2).toSorted(), ['changed stop one', 'gone stop no']);
  t.deepEqual(await says(kernel), ['fresh: no', 'kept: no', 'changed: two']);
  t.deepEqual(generations, [['kept', 'changed', 'gone', '→', 'fresh', 'kept', 'changed']]);
  t.is(metric(kernel, 'tappaas_reloads_total{outcome="applied"}'), 1);
  t.true(events.some(({ type }: PlatformEvent) => type === 'platform.reloaded'));
  happened.length = 0;
  await kernel.stop();
  t.deepEqual(happened.toSorted(), ['changed stop two', 'fresh stop no', 'kept stop no']);
});

test('a reload that says what already runs changes nothing', async (t) => {
  const happened: string[] = [];
  const plugin = gate('a', happened);
  const { kernel } = await start([loaded('a', plugin, 'x')]);
  happened.length = 0;
  const generation = kernel.registrations();
  t.is((await kernel.reload([loaded('a', plugin, 'x')])).outcome, 'unchanged');
  t.is(kernel.registrations(), generation);
  t.deepEqual(happened, []);
  await kernel.stop();
});

test('a refused reload changes nothing: bad configuration, a setup that fails, a start that fails, a cycle', async (t) => {
  const happened: string[] = [];
  const plugin = gate('a', happened, { failsOn: 'boom' });
  const other = gate('other', happened);
  const impure = definePlugin({
    id: 'impure',
    config: Type.Object({ fail: Type.Boolean({ default: false }) }),
    example: {},
    setup(_host, { fail }) {
      if (fail) throw new Error('bad setup');
    },
  }) as Plugin;
  const { kernel, events } = await start([loaded('a', plugin, 'x'), loaded('other', other)]);
  const before = { registrations: kernel.registrations(), plugins: kernel.plugins() };
  const attempts: readonly (readonly [readonly LoadedPlugin[], RegExp])[] = [
    [[{ id: 'a', plugin, config: { sya: 'x' } }], /unknown key; did you mean "say"/],
    [
      [loaded('a', plugin, 'x'), { id: 'impure', plugin: impure, config: { fail: true } }, loaded('third', other)],
      /setup of plugin impure failed: bad setup/,
    ],
    [[loaded('a', plugin, 'boom'), loaded('third', other)], /cannot say boom/],
    [[loaded('a', plugin, 'x'), loaded('a', plugin, 'y')], /two plugins are loaded as a/],
  ];
  for (const [plugins, message] of attempts) {
    happened.length = 0;
    const result = await kernel.reload(plugins);
    t.is(result.outcome, 'refused');
    t.regex(result.problems.map((problem) => problem.message).join(), message);
    t.deepEqual(await says(kernel), ['a: x', 'other: no']);
    t.is(kernel.registrations(), before.registrations);
    t.deepEqual(kernel.plugins(), before.plugins);
    t.false(happened.includes('a stop x') || happened.includes('other stop no'));
    const started = happened.filter((line) => line.includes('start')).map((line) => line.split(' ')[0]);
    const stopped = happened.filter((line) => line.includes('stop')).map((line) => line.split(' ')[0]);
    t.deepEqual(stopped.toSorted(), started.toSorted(), 'what was begun was undone');
  }
  t.is(metric(kernel, 'tappaas_reloads_total{outcome="refused"}'), attempts.length);
  t.is(events.filter(({ type }) => type === 'platform.reload-refused').length, attempts.length);
  await kernel.stop();
});

test('a start that fails in a reload is not told as a start of the platform', async (t) => {
  const { kernel } = await start([]);
  const { problems } = await kernel.reload([{ id: 'mute', plugin: gate('mute', [], { failsOn: 'no' }) }]);
  t.deepEqual(
    problems.map(({ message }) => message),
    ['the plugins could not be exchanged: plugin mute failed in onStart: cannot say no'],
  );
});

test('a plugin that takes its new configuration over keeps running; one that does not is restarted', async (t) => {
  const happened: string[] = [];
  const taking = gate('taking', happened, { takesConfig: true });
  const asking = gate('asking', happened, { takesConfig: false });
  const failing = gate('failing', happened, { takesConfig: 'throws' });
  const all = (say: string) => [loaded('taking', taking, say), loaded('asking', asking, say), loaded('failing', failing, say)];
  const { kernel } = await start(all('one'));
  happened.length = 0;
  t.like(await kernel.reload(all('two')), { outcome: 'applied', restarted: ['asking', 'failing'], reconfigured: ['taking'] });
  t.deepEqual(await says(kernel), ['taking: two', 'asking: two', 'failing: two']);
  t.false(happened.some((line) => line.startsWith('taking st')));
  t.is((await kernel.reload(all('two'))).outcome, 'unchanged');
  await kernel.stop();
});

test('a configuration that was taken over is given back when the reload is refused after all', async (t) => {
  const happened: string[] = [];
  const taking = gate('taking', happened, { takesConfig: true });
  const failing = gate('failing', happened, { failsOn: 'boom' });
  const { kernel } = await start([loaded('taking', taking, 'one')]);
  happened.length = 0;
  const result = await kernel.reload([loaded('taking', taking, 'two'), loaded('failing', failing, 'boom')]);
  t.is(result.outcome, 'refused');
  t.deepEqual(happened, ['taking config one to two', 'failing start boom', 'failing stop boom', 'taking config two to one']);
  t.deepEqual(await says(kernel), ['taking: one']);
  await kernel.stop();
});

test('calls in flight finish on the generation they began with, and only then what they use is stopped', async (t) => {
  const happened: string[] = [];
  const Store = defineService<{ read(): Promise<string> }>({ id: 'acme/store', contract: 1 });
  const release = Promise.withResolvers<void>();
  const provider = definePlugin({
    id: 'provider',
    config: Type.Object({ name: Type.String({ default: 'old' }) }),
    example: {},
    setup(host, { name }) {
      host.provide(
        Store,
        () => ({ read: async () => name }),
        () => void happened.push(`${name} disposed`),
      );
    },
  }) as Plugin;
  const user = definePlugin({
    id: 'user',
    needs: { store: Store },
    setup(host, _config, { store }) {
      host.tap(validate, { kinds, name: 'slow' }, async () => {
        await release.promise;
        happened.push(`slow tap read ${await store.read()}`);
      });
    },
  });
  const last = definePlugin({
    id: 'last',
    setup: (host) => host.tap(validate, { kinds, after: ['user'] }, () => void happened.push('last tap')),
  });
  const first = [
    { id: 'p', plugin: provider },
    { id: 'user', plugin: user },
    { id: 'last', plugin: last },
  ];
  const { kernel } = await start(first);
  const requested = kernel.hooks.gate(validate, selector, request());
  await settled();
  const reloading = kernel.reload([
    { id: 'p', plugin: provider, config: { name: 'new' } },
    { id: 'user', plugin: user },
  ]);
  await settled();
  t.deepEqual(happened, ['last tap'], 'the old provider waits for the call');
  const quick = kernel.hooks.batch(hooks.scheduling.filter);
  t.deepEqual(quick, []);
  release.resolve();
  t.deepEqual(await requested, { denials: [], failures: [] });
  t.is((await reloading).outcome, 'applied');
  t.deepEqual(happened, ['last tap', 'slow tap read new', 'old disposed']);
  await kernel.stop();
});

test('handles of plugins that keep running follow the provider, and a provider that moves to another instance', async (t) => {
  const Name = defineService<{ name(): Promise<string> }>({ id: 'acme/name', contract: 1 });
  const provider = (id: string) => definePlugin({ id, setup: (host) => host.provide(Name, () => ({ name: async () => host.id })) });
  const [one, two] = [provider('one'), provider('two')];
  const seen: string[] = [];
  const user = definePlugin({
    id: 'user',
    needs: { it: Name },
    setup(host, _config, { it }) {
      host.onStart(async () => void seen.push('started'));
      host.tap(validate, { kinds }, async () => void seen.push(await it.name()));
    },
  });
  const { kernel } = await start([
    { id: 'a', plugin: one },
    { id: 'user', plugin: user },
  ]);
  const held = await kernel.services.whenProvided(Name);
  await kernel.hooks.gate(validate, selector, request());
  await kernel.reload([
    { id: 'b', plugin: two },
    { id: 'user', plugin: user },
  ]);
  await kernel.hooks.gate(validate, selector, request());
  t.deepEqual(seen, ['started', 'a', 'b']);
  t.is(await held.name(), 'b');
  await kernel.stop();
});

test('limits, modes and orders change without restarting anybody', async (t) => {
  const happened: string[] = [];
  const [a, b] = [gate('a', happened), gate('b', happened)];
  const { kernel } = await start([loaded('a', a), loaded('b', b)]);
  happened.length = 0;
  t.is((await kernel.reload([loaded('b', b), loaded('a', a, undefined, { mode: 'shadow' })])).outcome, 'applied');
  t.deepEqual(await says(kernel), ['b: no']);
  t.is(
    (await kernel.reload([loaded('b', b, undefined, { limits: { 'admission.validate': { timeoutMs: 77 } } }), loaded('a', a)])).outcome,
    'applied',
  );
  t.deepEqual(await says(kernel), ['b: no', 'a: no']);
  t.is(kernel.registrations().taps[0]?.timeoutMs, 77);
  t.deepEqual(happened, []);
  await kernel.reload([loaded('b', b, undefined, { mode: 'off' })]);
  t.deepEqual(await says(kernel), []);
  t.deepEqual(happened.toSorted(), ['a stop no', 'b stop no']);
  t.is(kernel.plugins()[0]?.phase, 'off');
  await kernel.stop();
});

test('a plugin that failed and may fail is tried again by the next reload', async (t) => {
  const happened: string[] = [];
  let works = false;
  const plugin = definePlugin({
    id: 'later',
    setup: (host) =>
      host.onStart(async () => {
        if (!works) throw new Error('not yet');
        happened.push('started');
      }),
  });
  const plugins = [{ id: 'later', plugin, options: { onBootFailure: 'continue' } as const }];
  const { kernel } = await start(plugins);
  t.is(kernel.plugins()[0]?.phase, 'failed');
  works = true;
  t.is((await kernel.reload(plugins)).outcome, 'applied');
  t.is(kernel.plugins()[0]?.phase, 'ready');
  t.deepEqual(happened, ['started']);
  await kernel.stop();
});

test('tasks of what is replaced end before those of its successor begin', async (t) => {
  const happened: string[] = [];
  const plugin = definePlugin({
    id: 'worker',
    config: Type.Object({ name: Type.String() }),
    example: { name: '' },
    setup: (host, { name }) =>
      host.task({
        name: 'work',
        on: 'every-replica',
        everyMs: 1000,
        async run({ signal }) {
          happened.push(`${name} begins`);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          happened.push(`${name} ends`);
        },
      }),
  }) as Plugin;
  const { kernel } = await start([{ id: 'w', plugin, config: { name: 'old' } }]);
  kernel.startTasks();
  await settled();
  await kernel.reload([{ id: 'w', plugin, config: { name: 'new' } }]);
  await settled();
  t.deepEqual(happened, ['old begins', 'old ends', 'new begins']);
  await kernel.stop();
  t.is(happened.at(-1), 'new ends');
});

test('reloads run one after the other, not before the start, and under load no call fails', async (t) => {
  const happened: string[] = [];
  const plugin = gate('a', happened);
  const unstarted = await load([loaded('a', plugin, 'x')]);
  t.like(await unstarted.kernel.reload(), { outcome: 'refused' });
  await unstarted.kernel.stop();
  const { kernel } = await start([loaded('a', plugin, '0')]);
  const hammered = { ends: false };
  let calls = 0;
  const hammer = async (): Promise<void> => {
    while (!hammered.ends) {
      const { denials, failures } = await kernel.hooks.gate(validate, selector, request());
      if (denials.length !== 1 || failures.length > 0) throw new Error(`call ${calls} failed: ${JSON.stringify(failures)}`);
      calls += 1;
      if (calls % 50 === 0) await settled();
    }
  };
  const hammering = [hammer(), hammer(), hammer()];
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => kernel.reload([loaded('a', plugin, String(n + 1))])));
  hammered.ends = true;
  await Promise.all(hammering);
  t.true(results.every(({ outcome }) => outcome === 'applied'));
  t.true(calls > 100, `${calls} calls`);
  t.deepEqual(await says(kernel), ['a: 20']);
  t.is(happened.filter((line) => line.includes('start')).length - happened.filter((line) => line.includes('stop')).length, 1);
  await kernel.stop();
});

test('the store is never replaced by a reload, unless it takes its configuration over itself', async (t) => {
  const store = (takes: boolean) =>
    definePlugin({
      id: 'store',
      config: Type.Object({ directory: Type.String() }),
      example: { directory: '' },
      setup(host) {
        host.provide(families.store, () => ({}) as never);
        if (takes) host.onConfig(() => 'applied');
      },
    }) as Plugin;
  const [fixed, flexible] = [store(false), store(true)];
  const { kernel } = await start([{ id: 's', plugin: fixed, config: { directory: 'a' } }]);
  const changed = await kernel.reload([{ id: 's', plugin: fixed, config: { directory: 'b' } }]);
  t.deepEqual(
    [changed.outcome, changed.problems.map(({ code, message }) => `${code} ${message}`)],
    ['refused', ['TAP_RELOAD_NEEDS_RESTART store s cannot be replaced while the platform runs']],
  );
  t.is((await kernel.reload([])).outcome, 'refused');
  await kernel.stop();
  const { kernel: other } = await start([{ id: 's', plugin: flexible, config: { directory: 'a' } }]);
  t.like(await other.reload([{ id: 's', plugin: flexible, config: { directory: 'b' } }]), { outcome: 'applied', reconfigured: ['s'] });
  await other.stop();
});

test('a listener that fails or hangs does not keep a reload from ending', async (t) => {
  const plugin = gate('a', []);
  const { kernel, clock, lines } = await start([loaded('a', plugin)]);
  kernel.onGeneration(() => Promise.reject(new Error('cannot follow')));
  kernel.onGeneration(() => new Promise(() => {}));
  const reloading = kernel.reload([loaded('a', plugin, 'new')]);
  await clock.advance(60_000);
  t.is((await reloading).outcome, 'applied');
  t.deepEqual(
    lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['error']),
    ['cannot follow', 'it took longer than 60000 ms'],
  );
  t.deepEqual(await says(kernel), ['a: new']);
  await kernel.stop();
});

test('an in-memory kernel is refused like any other when its configuration is wrong', async (t) => {
  const error = await rejection(load([loaded('a', gate('a', []), 'x', { limits: { 'admission.mutate': { timeoutMs: 5 } } })]));
  t.is(error.message, 'TAP_CONFIG_LIMIT_UNKNOWN  plugins.a.limits.admission.mutate: plugin a has no tap at admission.mutate');
});
