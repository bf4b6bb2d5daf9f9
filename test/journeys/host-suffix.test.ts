/** An operator gives the hosts of applications another ending while they run. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome, type PlatformHome } from '../platform-process.ts';

const suffix = 'apps.test';

async function endHostsWith({ directory }: PlatformHome, hostSuffix: string): Promise<void> {
  const file = join(directory, 'tappaas.yaml');
  const config = JSON.parse(await readFile(file, 'utf8')) as { plugins: Record<string, { config: object }> };
  const { local } = config.plugins;
  const plugins = { ...config.plugins, local: { ...local, config: { ...local?.config, hostSuffix } } };
  await writeFile(file, JSON.stringify({ ...config, plugins }));
}

interface View {
  readonly status?: {
    readonly url?: string;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

test('a reload with another ending of hosts brings every application its new host, keeps what others hold, and tells who has lost one', async (t) => {
  t.timeout(300_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const source = await mkdtemp(join(tmpdir(), 'tappaas-hosts-'));
  t.teardown(() => rm(source, { recursive: true, force: true }));
  await writeFile(
    join(source, 'server.js'),
    "require('node:http').createServer((_, answer) => answer.end(process.env.NAME)).listen(process.env.PORT);",
  );
  await platform.api('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
  const deploy = async (namespace: string, name: string, host?: string) => {
    const manifest = {
      apiVersion: 'apps.tappaas.dev/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace },
      spec: {
        env: { NAME: name },
        processes: { web: { ports: { http: 8080 }, command: ['node', 'server.js'] } },
        routes: { public: { process: 'web', port: 'http', ...(host && { host }) } },
      },
    };
    await writeFile(join(source, 'tappaas.yaml'), JSON.stringify(manifest));
    return home.tappaas('deploy', source);
  };
  const view = async (namespace: string, name: string) =>
    (await platform.api('GET', `/apis/apps.tappaas.dev/v1alpha1/namespaces/${namespace}/applications/${name}`)).json<View>();
  const routed = async (namespace: string, name: string): Promise<string> => {
    const found = (await view(namespace, name)).status?.conditions?.find(({ type }) => type === 'Routed');
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  };
  const answerAt = async (host: string) => {
    const { status, text } = await requestApplication(home, host);
    return status === 200 ? text : String(status);
  };

  for (const [namespace, name, host] of [
    ['default', 'shop', undefined],
    ['default', 'squatter', `shop.default.${suffix}`],
    ['default', 'keeper', `own.default.${suffix}`],
    ['other', 'thief', `pay.default.${suffix}`],
  ] as const) {
    const deployed = await deploy(namespace, name, host);
    t.is(deployed.code, 0, deployed.stderr);
  }
  t.is(await answerAt(`pay.default.${suffix}`), 'thief', 'while hosts end otherwise it is a host like any other');

  await endHostsWith(home, suffix);
  const reloaded = await home.tappaas('reload');
  t.is(reloaded.code, 0, reloaded.stdout + reloaded.stderr);
  t.is(
    await eventually(
      () => answerAt(`shop.default.${suffix}`),
      (text) => text === 'shop',
    ),
    'shop',
  );
  await eventually(
    () => view('default', 'shop'),
    ({ status }) => status?.url === `http://shop.default.${suffix}:${home.httpPort}`,
  );
  await eventually(
    () => answerAt('shop.default.localhost'),
    (text) => text === '404',
  );
  t.is(
    await eventually(
      () => answerAt(`own.default.${suffix}`),
      (text) => text === 'keeper',
    ),
    'keeper',
  );
  await eventually(
    () => answerAt(`pay.default.${suffix}`),
    (text) => text === '404',
  );
  t.regex(
    await eventually(
      () => routed('default', 'squatter'),
      (text) => text.startsWith('False'),
    ),
    /^False HostTaken: .*shop\.default\.apps\.test\/ is the host of application shop/,
  );
  t.regex(
    await eventually(
      () => routed('other', 'thief'),
      (text) => text.startsWith('False'),
    ),
    /^False HostReserved: .*pay\.default\.apps\.test lies below another namespace/,
  );

  const own = await deploy('default', 'own');
  t.is(own.code, 1);
  t.regex(own.stderr, /own\.default\/ is routed by another application/);
  const pay = await deploy('default', 'pay');
  t.is(pay.code, 0, pay.stderr);
  t.is(await answerAt(`pay.default.${suffix}`), 'pay');
  const again = await deploy('other', 'thief', `api.pay.default.${suffix}`);
  t.is(again.code, 1);
  t.regex(again.stderr, /lies below another namespace/);

  t.is((await home.tappaas('delete', 'shop')).code, 0);
  t.is(
    await eventually(
      () => answerAt(`shop.default.${suffix}`),
      (text) => text === 'squatter',
    ),
    'squatter',
    'what was lost comes back by itself',
  );
  // The cluster serves the host before the controller has heard of it.
  await eventually(
    () => routed('default', 'squatter'),
    (text) => text.startsWith('True HostsHeld'),
  );
  t.is((await home.tappaas('delete', 'thief', '-n', 'other')).code, 0, 'one that has lost its host can be deleted');
});
