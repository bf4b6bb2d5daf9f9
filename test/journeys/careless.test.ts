import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { recordManifest } from '@tappaas/core';
import type { Plugin } from '@tappaas/sdk';
import { eventually, freePort, platformHome, type PlatformHome } from '../platform-process.ts';

const code = `
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
        throw new Error('lost in a timer after ' + [...heard].filter((message) => message.includes('nobody caught')).length);
      }, 100);
    });
  },
});
`;

/** A plugin of the operator's own, in a directory beside the configuration. */
async function writePlugin(home: PlatformHome): Promise<void> {
  const directory = join(home.directory, 'careless');
  const packageJson = {
    name: 'careless',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    peerDependencies: { '@tappaas/sdk': '^0.1.0' },
    tappaas: { manifest: 'tappaas.manifest.json' },
  };
  await mkdir(directory);
  await writeFile(join(directory, 'package.json'), JSON.stringify(packageJson));
  await writeFile(join(directory, 'index.js'), code);
  const { default: plugin } = (await import(join(directory, 'index.js'))) as { readonly default: Plugin };
  await writeFile(join(directory, 'tappaas.manifest.json'), JSON.stringify(recordManifest(plugin, packageJson)));
}

test.serial(
  'a plugin that throws in a timer is named in the log, which plugins hear, and the platform goes on and stops cleanly',
  async (t) => {
    t.timeout(120_000);
    const home = await platformHome({ plugins: { careless: { use: './careless' } } });
    t.teardown(() => home.remove());
    await writePlugin(home);
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
    const told = JSON.parse(line ?? '{}') as { readonly level: string; readonly plugin: string };
    t.deepEqual([told.level, told.plugin], ['error', 'careless']);
    t.is((await platform.api('GET', '/readyz')).status, 200);
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
