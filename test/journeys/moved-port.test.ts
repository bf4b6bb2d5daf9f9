/** Operators move the port of applications while people use them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { freePort } from '../ports.ts';
import { eventually, platformHome, root, type PlatformHome } from '../platform-process.ts';
import { untilRefused } from '../until-refused.ts';

async function moveTo({ directory }: PlatformHome, httpPort: number): Promise<void> {
  const file = join(directory, 'tappaas.yaml');
  const config = JSON.parse(await readFile(file, 'utf8')) as { plugins: Record<string, { config: object }> };
  const { local } = config.plugins;
  await writeFile(
    file,
    JSON.stringify({ ...config, plugins: { ...config.plugins, local: { ...local, config: { ...local?.config, httpPort } } } }),
  );
}

test('a reload with another port for applications fails no request: the old port answers until the new one does', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({ first: join(root, 'examples/hello') });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const next = { httpPort: await freePort() };
  const statuses: number[] = [];
  const asking = untilRefused(t, async () => void statuses.push((await requestApplication(home, 'hello.default.localhost')).status));
  const { pid } = JSON.parse(await readFile(join(home.directory, 'data/local/agent.json'), 'utf8')) as { pid: number };
  await moveTo(home, next.httpPort);
  const reloaded = await home.tappaas('reload');
  t.is(reloaded.code, 0, reloaded.stderr);
  await asking;
  t.is((await requestApplication(next, 'hello.default.localhost')).status, 200, 'the new one answers when the old one does not');
  t.true(statuses.length > 0 && statuses.every((status) => status === 200));
  t.is((JSON.parse(await readFile(join(home.directory, 'data/local/agent.json'), 'utf8')) as { pid: number }).pid, pid);
  await eventually(
    () => home.tappaas('status', 'hello'),
    ({ stdout }) => stdout.includes(`hello.default.localhost:${next.httpPort}`),
  );
  await moveTo(home, Number(new URL(platform.connection.server).port));
  const refused = await home.tappaas('reload');
  t.not(refused.code, 0);
  t.regex(refused.stdout + refused.stderr, /CLUSTER_LOCAL_PORT_TAKEN|taken by another program/);
  t.is((await requestApplication(next, 'hello.default.localhost')).status, 200, 'a refused reload changes nothing');
});
