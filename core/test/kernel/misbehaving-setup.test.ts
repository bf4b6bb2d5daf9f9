import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { definePlugin, defineService, families, hooks, secret, Type, type Host, type Plugin } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import { load, only, rejection, start } from './fixture.ts';

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
      host.tap(hooks.telemetry.log, {}, () => {});
      host.tap(hooks.telemetry.log, {}, () => {});
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
      host.tap(hooks.telemetry.log, {}, () => {});
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
        if (audit) host.tap(hooks.telemetry.audit, {}, () => {});
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
