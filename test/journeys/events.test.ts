/** What people are told of what happened to an application, wherever they look. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { openSession, runsKubectl } from '../kubectl-session.ts';
import { eventually, platformHome, type PlatformProcess } from '../platform-process.ts';

interface ReceivedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

const serves = "require('node:http').createServer((_, answer) => answer.end('one')).listen(process.env.PORT);";
const crashes = "console.error('no database at db:5432'); process.exit(3);";

async function received(platform: PlatformProcess, name: string): Promise<readonly ReceivedEvent[]> {
  const about = encodeURIComponent(`involvedObject.kind=Application,involvedObject.name=${name}`);
  const { items } = (await platform.api('GET', `/api/v1/namespaces/default/events?fieldSelector=${about}`)).json<{
    items: readonly ReceivedEvent[];
  }>();
  return items;
}

const until = (platform: PlatformProcess, name: string, reason: string) =>
  eventually(
    () => received(platform, name),
    (events) => events.some((event) => event.reason === reason),
  );

test('what happened to an application is told by kubectl describe, tappaas events and status, and GraphQL: releases, builds, crash loops, once each', async (t) => {
  t.timeout(300_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  await eventually(
    async () => (await platform.api('GET', '/clusters/local/api/v1/nodes')).json<{ items: readonly unknown[] }>().items,
    (nodes) => nodes.length > 0,
  );
  const source = join(home.directory, 'shop');
  await mkdir(source);
  await writeFile(join(source, 'Procfile'), 'web: node server.js\n');
  const deploy = async (code: string) => {
    await writeFile(join(source, 'server.js'), code);
    return home.tappaas('deploy', source, '--name', 'shop');
  };

  const good = await deploy(serves);
  t.is(good.code, 0, good.stderr);
  const begun = await until(platform, 'shop', 'Serving');
  t.deepEqual(
    begun.map(({ type, reason, count }) => `${type} ${reason} ${count}`).toSorted(),
    ['Normal BuildStarted 1', 'Normal BuildSucceeded 1', 'Normal ReleaseCreated 1', 'Normal Serving 1'],
    'a deployment costs so many writes',
  );
  t.regex(begun.find(({ reason }) => reason === 'ReleaseCreated')?.message ?? '', /^release shop-1 of image .+, for cluster local$/);

  const broken = await deploy(crashes);
  t.is(broken.code, 1);
  const failed = await until(platform, 'shop', 'CrashLoop');
  const warnings = failed.filter(({ type }) => type === 'Warning');
  t.true(warnings.length <= 4, JSON.stringify(warnings));
  t.regex(
    warnings.find(({ reason }) => reason === 'CrashLoop')?.message ?? '',
    /process web of release shop-2 has ended 3 times, the last time with exit code 3.*; release shop-1 goes on serving$/,
  );

  await writeFile(join(source, 'server.js'), crashes);
  t.is((await home.tappaas('deploy', source, '--name', 'fresh')).code, 1);
  t.regex((await home.tappaas('status', 'fresh')).stdout, /A process that has ended wrote last:\n {2}no database at db:5432\n/);

  await mkdir(join(home.directory, 'idle'));
  await writeFile(join(home.directory, 'idle/readme.txt'), 'nothing to run');
  t.is((await home.tappaas('deploy', join(home.directory, 'idle'))).code, 1);
  const idle = await until(platform, 'idle', 'CommandMissing');
  t.like(
    idle.find(({ reason }) => reason === 'CommandMissing'),
    { type: 'Warning', count: 1 },
  );

  const { stdout } = await home.tappaas('events', 'shop');
  t.regex(stdout, /^LAST SEEN +TYPE +REASON +COUNT +MESSAGE\n/);
  t.regex(stdout, /Warning +CrashLoop +1 +process web of release shop-2/);
  t.regex((await home.tappaas('status', 'shop')).stdout, /LAST SEEN[^]*BuildStarted/);
  t.regex((await home.tappaas('events')).stdout, /application\/idle/);
  t.regex((await home.tappaas('events', 'none')).stdout, /No events of application none in namespace default/);

  const query = '{ application(namespace: "default", name: "shop") { events { reason type count } } }';
  const answered = await platform.api('POST', '/graphql', { query });
  t.regex(answered.text, /"reason":"CrashLoop"/);
  t.regex(answered.text, /"reason":"Serving"/);

  if (!runsKubectl) return t.log('there is no kubectl');
  const session = openSession(join(home.directory, 'data/kubeconfig'), join(home.directory, 'kubectl-home'));
  const described = await session.run(['describe', 'application', 'shop']);
  t.regex(described.stdout, /Events:\n.*Type +Reason[^]*Warning +CrashLoop/);
});
