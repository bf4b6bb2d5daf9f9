import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { freePort } from '../ports.ts';
import { eventually, platformHome } from '../platform-process.ts';
import { writePlugin } from '../plugin-package.ts';

const careless = `
import { definePlugin, hooks, Type } from '@tappaas/sdk';

export default definePlugin({
  id: 'careless',
  config: Type.Object({}),
  example: {},
  setup(host) {
    const heard = new Set();
    host.tap(hooks.telemetry.log, {}, ({ message }) => void heard.add(message));
    host.onStart(async () => {
      setInterval(() => {
        throw new Error('lost in a timer after ' + [...heard].filter((message) => message.includes('uncaught error')).length);
      }, 100);
    });
  },
});
`;

const slow = `
import { definePlugin, Type } from '@tappaas/sdk';

export default definePlugin({
  id: 'slow',
  config: Type.Object({}),
  example: {},
  setup(host) {
    host.onStart(async ({ log, clock, signal }) => {
      log.info('it takes its time');
      await clock.sleep(9000, signal);
      log.info('it has taken its time');
    });
    host.onStop(({ log }) => log.info('it was stopped again'));
  },
});
`;

test.serial(
  'a plugin that throws in a timer is named in the log, which plugins hear, and the platform goes on and stops cleanly',
  async (t) => {
    t.timeout(120_000);
    const home = await platformHome({ plugins: { careless: { use: './careless' } } });
    t.teardown(() => home.remove());
    await writePlugin(home.directory, 'careless', careless);
    const platform = await home.start();
    t.teardown(() => platform.kill());
    await eventually(
      async () => platform.output(),
      (output) => output.includes('lost in a timer after 1'),
    );
    const line = platform
      .output()
      .split('\n')
      .find((each) => each.includes('lost in a timer'));
    const received = JSON.parse(line ?? '{}') as { readonly level: string; readonly plugin: string };
    t.deepEqual([received.level, received.plugin], ['error', 'careless']);
    t.regex((await platform.api('GET', '/readyz?verbose')).text, /\[\+\]store ok\n[^]*readyz check passed/);
    t.is(await platform.stop(), 0, 'the timer that the plugin left does not keep the process');
  },
);

test.serial('a start that fails because the API’s port is taken leaves no administrator without a token', async (t) => {
  t.timeout(120_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const port = await freePort();
  const file = join(home.directory, 'tappaas.yaml');
  const configuration = JSON.parse(await readFile(file, 'utf8')) as { readonly api: object };
  await writeFile(file, JSON.stringify({ ...configuration, api: { port } }));
  const rival = createServer().listen(port, '127.0.0.1');
  await t.throwsAsync(home.start(), { message: /port \d+ on 127\.0\.0\.1, where the API listens, is taken/ });
  await new Promise((closed) => rival.close(closed));
  const platform = await home.start();
  t.teardown(() => platform.kill());
  t.regex(platform.output(), /--token tapp_/);
  t.is((await platform.api('GET', '/api/v1/namespaces')).status, 200);
  await platform.stop();
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test.serial(`${signal} during the start gives the start up at once, and what had started is stopped`, async (t) => {
    t.timeout(120_000);
    const home = await platformHome({ plugins: { slow: { use: './slow' } } });
    t.teardown(() => home.remove());
    await writePlugin(home.directory, 'slow', slow);
    const { child, output } = home.spawn();
    await eventually(
      async () => output(),
      (text) => text.includes('it takes its time'),
    );
    const ended = new Promise((done) => child.once('close', done));
    child.kill(signal);
    t.is(await ended, 0);
    t.regex(output(), /Stopping …[^]*it was stopped again[^]*Stopped\.\n$/);
    t.notRegex(output(), /it has taken its time|"level":"error"|TAPPaaS is ready/);
  });
}
