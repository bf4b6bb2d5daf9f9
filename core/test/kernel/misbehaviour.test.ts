import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import {
  definePlugin,
  defineService,
  deny,
  families,
  hooks,
  secret,
  Type,
  type Hook,
  type Host,
  type Plugin,
  type Shape,
} from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import type { Kernel } from '../../dist/kernel/kernel.js';
import { load, metric, rejection, request, selector, start } from './fixture.ts';

const { admission, scheduling, reconcile, secrets, telemetry } = hooks;
const kinds = [Application] as const;
const never = (): Promise<never> => new Promise(() => {});
const only = (plugin: Plugin) => [{ id: plugin.id, plugin }];

/** How each hook is tapped and called, whatever it is for; the answer lists what failed. */
interface Way {
  readonly hook: Hook<Shape>;
  readonly options: object;
  ask(kernel: Kernel): Promise<readonly (string | undefined)[]> | readonly (string | undefined)[];
}

const { object } = request();
const fakeSet = (): object => Object.assign([], { add: fakeSet, changePodTemplates: fakeSet });
const candidates = { pod: {}, count: 1, out: new Int32Array(1), columns: {} };
const codes = (failures: readonly { readonly plugin: string; readonly error: { readonly code: string } }[]) =>
  failures.map(({ plugin, error }) => `${plugin} ${error.code}`);
const codesOf = (failure: { readonly plugin: string; readonly error: { readonly code: string } } | undefined) =>
  codes(failure ? [failure] : []);

const way = (hook: unknown, options: object, ask: Way['ask']): Way => ({ hook: hook as Hook<Shape>, options, ask });
const step = (hook: typeof scheduling.permit): Way =>
  way(hook, {}, async (kernel) => codesOf((await kernel.hooks.series(hook, {}, { pod: {} as never })).failure));
const telling = (hook: unknown): Way => way(hook, {}, (kernel) => codes(kernel.hooks.observe(hook as typeof telemetry.log, {} as never)));
const batch = (hook: unknown, options: object): Way =>
  way(hook, options, (kernel) => {
    const [tap] = kernel.hooks.batch(hook as typeof scheduling.filter);
    const error = tap?.run(candidates as never);
    return error === undefined ? [] : [`${tap?.plugin ?? ''} ${error.code}`];
  });

const ways: readonly Way[] = [
  way(admission.validate, { kinds }, async (kernel) => codes((await kernel.hooks.gate(admission.validate, selector, request())).failures)),
  way(admission.mutate, { kinds }, async (kernel) =>
    codesOf(
      (await kernel.hooks.transform(admission.mutate, selector, { value: object, input: (value) => ({ ...request(), object: value }) }))
        .failure,
    ),
  ),
  way(admission.claim, { kinds }, (kernel) => codes(kernel.hooks.collectSync(admission.claim, selector, object).failures)),
  way(reconcile.render, { kinds, phase: 'runtime' }, (kernel) => {
    const input = () => ({ object, set: fakeSet() as never, capabilities: [] });
    return codesOf(kernel.hooks.transformSync(reconcile.render, selector, { value: fakeSet(), input, diff: () => [] }).failure);
  }),
  way(reconcile.observe, { kinds, conditions: ['Healthy'] }, async (kernel) =>
    codes((await kernel.hooks.collect(reconcile.observe, selector, { object, observed: [] })).failures),
  ),
  way(reconcile.finalize, { kinds }, async (kernel) =>
    codesOf((await kernel.hooks.series(reconcile.finalize, selector, { object }, { reverse: true })).failure),
  ),
  way(scheduling.cluster, { kinds }, async (kernel) =>
    codesOf((await kernel.hooks.choose(scheduling.cluster, selector, { object, clusters: ['a'] })).failure),
  ),
  way(scheduling.postFilter, {}, async (kernel) =>
    codesOf((await kernel.hooks.choose(scheduling.postFilter, {}, { pod: {} as never, rejected: {}, nodes: [], pods: [] })).failure),
  ),
  way(scheduling.bind, {}, async (kernel) =>
    codesOf((await kernel.hooks.choose(scheduling.bind, {}, { pod: {} as never, node: 'n' })).failure),
  ),
  way(scheduling.reserve, {}, async (kernel) =>
    codesOf((await kernel.hooks.series(scheduling.reserve, {}, { pod: {} as never, node: 'n' })).failure),
  ),
  ...[scheduling.preEnqueue, scheduling.preFilter, scheduling.permit, scheduling.preBind].map(step),
  batch(scheduling.filter, { reads: {}, reasons: [] }),
  batch(scheduling.score, { reads: {}, scale: 'points' }),
  way(secrets.accessed, {}, async (kernel) =>
    codes(
      await kernel.hooks.observeAsync(
        secrets.accessed,
        {},
        { ref: { store: 's', path: 'p' }, version: '1', caller: { name: 'a', groups: [] }, purpose: 'x' },
      ),
    ),
  ),
  ...[telemetry.event, telemetry.metric, telemetry.span, telemetry.log, telemetry.audit].map(telling),
];

const tapping = ({ hook, options }: Way, run: (input: unknown) => unknown): Plugin =>
  definePlugin({ id: 'culprit', setup: (host) => host.tap(hook, options, run as never) });

const declarationOf = (hook: Hook<Shape>) => {
  const declaration = definitionOf(hook, 'hook');
  if (declaration === undefined) throw new TypeError('no hook');
  return declaration;
};

test('every hook of the platform is among those tried here', (t) => {
  const all = Object.values(hooks).flatMap((family) => Object.values(family as Record<string, Hook<Shape>>).map(({ name }) => name));
  t.deepEqual(ways.map(({ hook }) => hook.name).toSorted(), all.toSorted());
});

for (const one of ways) {
  const { name } = one.hook;
  const { synchronous, onFailure, deadlineMs } = declarationOf(one.hook);
  const told = (code: string) => (onFailure === 'ignore' && one.hook.name.startsWith('telemetry.') ? [] : [`culprit ${code}`]);

  test(`a plugin that throws in ${name} is named, and nothing else breaks`, async (t) => {
    const { kernel } = await start(
      only(
        tapping(one, () => {
          throw new Error('boom');
        }),
      ),
    );
    t.deepEqual(await one.ask(kernel), told('TAP_PLUGIN_FAILED'));
    t.true((metric(kernel, `tappaas_tap_duration_seconds_count{plugin="culprit",hook="${name}",outcome="error"}`) ?? 0) >= 1);
    t.deepEqual((await kernel.stop()).errors, []);
  });

  test(`a plugin that is not running answers ${name} with the hook's failure policy`, async (t) => {
    const { kernel } = await load(only(tapping(one, () => undefined)));
    const plugin = definePlugin({
      id: 'culprit',
      setup(host) {
        host.tap(one.hook, one.options as never, () => undefined);
        host.onStart(() => Promise.reject(new Error('no start')));
      },
    });
    await kernel.stop();
    if (name === 'reconcile.render') {
      const error = await rejection(load([{ id: 'culprit', plugin, options: { onBootFailure: 'continue' } }]));
      t.regex(error.message, /TAP_CONFIG_BOOT_FAILURE/);
      return;
    }
    const loaded = await start([{ id: 'culprit', plugin, options: { onBootFailure: 'continue' } }]);
    t.is(loaded.kernel.plugins()[0]?.phase, 'failed');
    t.deepEqual(await one.ask(loaded.kernel), told('TAP_PLUGIN_NOT_RUNNING'));
    await loaded.kernel.stop();
  });

  if (synchronous) {
    test(`a promise from the synchronous ${name} is refused, also one that rejects`, async (t) => {
      const { kernel } = await start(only(tapping(one, () => Promise.reject(new Error('nobody looks at it')))));
      t.deepEqual(await one.ask(kernel), told('TAP_PLUGIN_RESULT_INVALID'));
      await kernel.stop();
    });
  } else {
    test(`a plugin that never settles in ${name} is cut off after ${deadlineMs} ms`, async (t) => {
      const { kernel, clock } = await start(only(tapping(one, never)));
      const asked = one.ask(kernel);
      await clock.advance(deadlineMs + 20);
      t.deepEqual(await asked, told('TAP_PLUGIN_TIMEOUT'));
      await kernel.stop();
    });
  }
}

const garbage: Readonly<Record<string, readonly unknown[]>> = {
  'admission.validate': ['denied', 7, { reason: 'X' }, [deny({ field: '', reason: 'A', message: 'a' }), null], false, null],
  'admission.mutate': ['x', null, [], {}, { ...object, kind: 'Other' }, { ...object, metadata: { ...object.metadata, name: 'other' } }],
  'admission.claim': [undefined, {}, [{}], [{ unique: '' }], [{ unique: 'a', denial: 'no' }]],
  'reconcile.render': [null, 'x', {}, []],
  'reconcile.observe': [undefined, {}, [{ type: 'Healthy' }], [{ type: 'Foreign', status: 'True', reason: 'A', message: '' }]],
  'scheduling.cluster': ['b', 7, {}, null],
  'scheduling.postFilter': [true, {}, { node: 'n' }],
  'scheduling.bind': [false, 'yes'],
  'scheduling.reserve': [true, {}],
  'scheduling.permit': [true, {}, { reject: '' }, { waitMs: Number.NaN }, { waitMs: -1 }],
};

for (const [name, values] of Object.entries(garbage)) {
  test(`garbage from ${name} is refused, naming the plugin and what was wrong`, async (t) => {
    const one = ways.find(({ hook }) => hook.name === name);
    t.truthy(one);
    if (one === undefined) return;
    for (const value of values) {
      const { kernel } = await start(only(tapping(one, () => value)));
      t.deepEqual(await one.ask(kernel), ['culprit TAP_PLUGIN_RESULT_INVALID'], JSON.stringify(value));
      await kernel.stop();
    }
  });
}

test('garbage from batch taps is refused: entries outside of what they declare', async (t) => {
  for (const [hook, options, entry] of [
    ['scheduling.filter', { reads: {}, reasons: [{ message: 'full', retryOn: [] }] }, 2],
    ['scheduling.filter', { reads: {}, reasons: [] }, -1],
    ['scheduling.score', { reads: {}, scale: 'points' }, 101],
  ] as const) {
    const one = ways.find((each) => each.hook.name === hook);
    if (one === undefined) throw new TypeError(hook);
    const plugin = tapping({ ...one, options }, (input) => {
      (input as { out: Int32Array }).out[0] = entry;
    });
    const { kernel } = await start(only(plugin));
    t.deepEqual(await one.ask(kernel), ['culprit TAP_PLUGIN_RESULT_INVALID']);
    await kernel.stop();
  }
});

const setups: readonly (readonly [string, (host: Host<unknown>) => unknown, string, RegExp])[] = [
  ['reads a file', () => readFileSync('/etc/hostname'), 'TAP_SETUP_IMPURE', /does I\/O: readFileSync/],
  [
    'reads a file and swallows the refusal',
    () => {
      try {
        readFileSync('/etc/hostname');
      } catch {
        // As if nothing had been.
      }
    },
    'TAP_SETUP_IMPURE',
    /readFileSync/,
  ],
  ['begins to read a file', () => void readFile('/etc/hostname'), 'TAP_SETUP_IMPURE', /FSREQ(?:CALLBACK|PROMISE)/],
  ['starts a process', () => execFileSync('true'), 'TAP_SETUP_IMPURE', /execFileSync/],
  ['opens a port', () => void createServer().listen(0, '127.0.0.1').unref(), 'TAP_SETUP_IMPURE', /I\/O: [A-Z]+/],
  ['starts a timer', () => void setTimeout(() => {}, 1), 'TAP_SETUP_IMPURE', /Timeout/],
  ['is asynchronous', async () => {}, 'TAP_SETUP_ASYNC', /returned a promise/],
  ['is asynchronous and fails', () => Promise.reject(new Error('x')), 'TAP_SETUP_ASYNC', /returned a promise/],
  [
    'throws',
    () => {
      throw new Error('boom');
    },
    'TAP_SETUP_FAILED',
    /setup of plugin culprit failed: boom/,
  ],
  [
    'registers a tap twice',
    (host) => {
      host.tap(telemetry.log, {}, () => {});
      host.tap(telemetry.log, {}, () => {});
    },
    'TAP_SETUP_DUPLICATE',
    /registers twice: tap at telemetry.log/,
  ],
  [
    'registers a kind twice',
    (host) => {
      host.kind(Application);
      host.kind(Application);
    },
    'TAP_SETUP_DUPLICATE',
    /kind apps.tappaas.dev\/Application/,
  ],
  [
    'takes something for a hook',
    (host) => host.tap({ name: 'admission.validate', contract: 1 }, {}, () => {}),
    'TAP_SETUP_FAILED',
    /one of the hooks/,
  ],
];

for (const [what, run, code, message] of setups) {
  test(`a setup that ${what} is refused and named`, async (t) => {
    const plugin = definePlugin({ id: 'culprit', setup: run as never });
    const error = await rejection(load(only(plugin)));
    t.regex(error.message, message);
    t.regex(error.message, new RegExp(`${code}  plugins\\.culprit`));
  });
}

test('a setup that does I/O only with its real configuration is refused too, and one that may fail is left out', async (t) => {
  const plugin = definePlugin({
    id: 'culprit',
    config: Type.Object({ file: Type.String() }),
    example: { file: '' },
    setup(host, { file }) {
      host.tap(telemetry.log, {}, () => {});
      if (file !== '') readFileSync(file);
    },
  });
  const error = await rejection(load([{ id: 'culprit', plugin, config: { file: '/etc/hostname' } }]));
  t.is(error.code, 'TAP_PLUGIN_START_FAILED');
  t.regex(error.message, /setup of plugin culprit does I\/O: readFileSync/);
  const { kernel, lines } = await start([
    { id: 'culprit', plugin, config: { file: '/etc/hostname' }, options: { onBootFailure: 'continue' } },
  ]);
  t.is(kernel.plugins()[0]?.phase, 'failed');
  t.regex(lines[0]?.message ?? '', /culprit did not start/);
  await kernel.stop();
});

test('registering after setup, and registering by configuration, are refused', async (t) => {
  let late: Host<unknown> | undefined;
  const keeper = definePlugin({ id: 'keeper', setup: (host) => void (late = host as Host<unknown>) });
  const { kernel } = await start(only(keeper));
  t.throws(() => late?.onStart(async () => {}), {
    code: 'TAP_SETUP_CLOSED',
    message: 'plugin keeper called onStart after setup had returned',
  });
  await kernel.stop();
  const conditional = (more: boolean) =>
    definePlugin({
      id: 'conditional',
      config: Type.Object({ audit: Type.Boolean() }),
      example: { audit: !more },
      setup(host, { audit }) {
        if (audit) host.tap(telemetry.audit, {}, () => {});
      },
    });
  const undeclared = await rejection(load([{ id: 'a', plugin: conditional(true), config: { audit: true } }]));
  t.regex(undeclared.message, /plugin a registers what its manifest lacks: tap at telemetry.audit/);
  t.is((undeclared.cause as { code?: string }).code, 'TAP_PLUGIN_UNDECLARED');
  const missing = await rejection(load([{ id: 'a', plugin: conditional(false), config: { audit: false } }]));
  t.regex(missing.message, /plugin a does not register what its manifest says: tap at telemetry.audit/);
  t.is((missing.cause as { code?: string }).code, 'TAP_PLUGIN_INCOMPLETE');
});

test('services and secrets cannot be used in setup, however they are touched', async (t) => {
  const One = defineService<{ hello(): Promise<string> }>({ id: 'acme/one', contract: 1 });
  const provider = definePlugin({ id: 'provider', setup: (host) => host.provide(One, () => ({ hello: async () => 'hi' })) });
  const users: readonly (readonly [Plugin, RegExp])[] = [
    [definePlugin({ id: 'culprit', needs: { one: One }, setup: (_host, _c, { one }) => void one.hello() }), /uses service acme\/one/],
    [definePlugin({ id: 'culprit', needs: { one: One }, setup: (_host, _c, { one }) => void ('hello' in one) }), /uses service acme\/one/],
    [
      definePlugin({ id: 'culprit', needs: { stores: families.secretStore }, setup: (_host, _c, { stores }) => void stores.get('x') }),
      /uses service tappaas\/secret-store/,
    ],
    [
      definePlugin({
        id: 'culprit',
        config: Type.Object({ key: secret({ description: 'A key.' }) }),
        example: { key: { env: 'KEY' } },
        setup: (_host, { key }) => void key.text(),
      }),
      /uses a secret/,
    ],
  ];
  for (const [plugin, message] of users) {
    const error = await rejection(
      load([
        { id: 'provider', plugin: provider },
        { id: 'culprit', plugin, ...(plugin.id === 'culprit' ? { config: {} } : {}) },
      ]),
    );
    t.regex(error.message, message);
    t.regex(error.message, /TAP_SETUP_IMPURE/);
  }
});

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
  t.true(leaks.find(({ resource }) => resource === 'Timeout')?.openedAt.includes('misbehaviour.test'));
  t.is(lines.filter(({ message }) => message.includes('left a handle open')).length, 2);
});
