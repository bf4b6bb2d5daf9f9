import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { freePort } from '../ports.ts';
import { platformHome, type PlatformHome } from '../platform-process.ts';

async function occupied(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  server.listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

async function configure(
  { directory }: PlatformHome,
  edit: (config: { api: { port: number }; plugins: Record<string, { config: Record<string, unknown> }> }) => void,
): Promise<void> {
  const file = join(directory, 'tappaas.yaml');
  const config = JSON.parse(await readFile(file, 'utf8')) as Parameters<typeof edit>[0];
  edit(config);
  await writeFile(file, JSON.stringify(config));
}

test('a taken API port is told with the setting that names it', async (t) => {
  t.timeout(180_000);
  const { port, server } = await occupied();
  const home = await platformHome();
  t.teardown(() => server.close());
  t.teardown(() => home.remove());
  await configure(home, (config) => (config.api.port = port));
  const { code, stderr } = await home.tappaas('up');
  t.is(code, 1, stderr);
  t.regex(stderr, new RegExp(`port ${port} on 127.0.0.1, where the API listens, is taken .*api\\.port`));
});

test('a taken port for applications is told with the plugin and the setting, not with its consequences', async (t) => {
  t.timeout(180_000);
  const { port, server } = await occupied();
  const home = await platformHome();
  t.teardown(() => server.close());
  t.teardown(() => home.remove());
  await configure(
    home,
    (config) => (config.plugins['local'] = { ...config.plugins['local'], config: { ...config.plugins['local']?.config, httpPort: port } }),
  );
  const { code, stderr } = await home.tappaas('up');
  t.is(code, 1, stderr);
  t.regex(
    stderr,
    new RegExp(`^tappaas: .*port ${port} on 127.0.0.1.*plugins\\.local\\.config\\.httpPort.*\\n {2}.*\\n$`),
    'two lines, no more',
  );
});

test('a second platform on the same data is refused, and the first one goes on', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const first = await home.start();
  t.teardown(() => first.stop());
  const { code, stderr } = await home.tappaas('up');
  t.is(code, 1, stderr);
  const pid = first.child.pid ?? 0;
  t.regex(
    stderr,
    new RegExp(
      `^tappaas: .*used by process ${pid} \\(to stop it: Ctrl-C in its terminal, or "kill ${pid}"\\)\\n {2}Stop the other process.*\\n$`,
    ),
  );
  t.is((await first.api('GET', '/readyz')).status, 200);
});

test('a store directory that cannot be made is told at once, and the process ends', async (t) => {
  const home = await platformHome();
  t.teardown(() => home.remove());
  await configure(
    home,
    (config) => (config.plugins['store'] = { ...config.plugins['store'], config: { directory: '/proc/tappaas/data' } }),
  );
  const { code, stderr } = await home.tappaas('up');
  t.is(code, 1, stderr);
  t.regex(stderr, /^tappaas: .*the data directory \/proc\/tappaas\/data cannot be made: .*\n {2}Name a directory .*\n$/);
});

test('every mistake of a configuration is told at once, and nothing was started', async (t) => {
  const home = await platformHome();
  t.teardown(() => home.remove());
  await configure(home, (config) => {
    config.plugins['store'] = { ...config.plugins['store'], config: { directry: './data' } };
    config.plugins['nope'] = { use: '@acme/nope' } as never;
    (config.api as Record<string, unknown>)['prt'] = 1;
  });
  const { code, stderr } = await home.tappaas('up');
  t.is(code, 78, stderr);
  t.regex(stderr, /TAP_CONFIG_UNKNOWN_KEY .*did you mean "directory"/);
  t.regex(stderr, /TAP_PACKAGE_NOT_FOUND .*@acme\/nope/);
  t.regex(stderr, /api\.prt: unknown key/);
});

test('an application that could never be served under its name is refused when it is made, with the limit', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const processes = [{ name: 'web', ports: [{ name: 'http', port: 8080 }] }];
  const make = (name: string) =>
    platform.api('POST', '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications', {
      metadata: { name },
      spec: { source: { image: 'process' }, processes },
    });
  const refused = await make('a'.repeat(60));
  t.is(refused.status, 422, refused.text);
  t.regex(refused.text, /spec\.processes\[0\]\.name: its Service would be called .* have 64 characters; at most 63/);
  t.is((await make('a'.repeat(59))).status, 201);
});
