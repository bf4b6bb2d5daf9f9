import { join } from 'node:path';
import test from 'ava';
import { requestApplication as send } from '../request-application.ts';
import { eventually, platformHome, root } from '../platform-process.ts';

const hello = 'hello.default.localhost';
const example = join(root, 'examples/hello');

test.serial('the first start deploys hello, prints its URL, and hello answers there', async (t) => {
  t.timeout(120_000);
  const home = await platformHome({ first: example });
  const platform = await home.start();
  t.teardown(() => home.remove());
  t.teardown(() => platform.stop());
  t.regex(platform.output(), new RegExp(`http://${hello}:${home.httpPort}`));
  t.regex(platform.output(), /https:\/\/127\.0\.0\.1:\d+/);
  t.regex(platform.output(), /tappaas login https:\/\/127\.0\.0\.1:\d+ .*--token tapp_/);
  t.is(
    platform.output().split('anyone who may deploy or exec here can read its keys').length,
    2,
    'it is told once that pods are not isolated',
  );
  const { items } = (await platform.api('GET', '/api/v1/namespaces/default/events')).json<{
    items: readonly { type: string; reason: string; message: string }[];
  }>();
  t.deepEqual(
    items.filter(({ type }) => type === 'Warning').map(({ reason, message }) => `${reason}: ${message}`),
    [],
    'nothing is wrong',
  );
  const answer = await send(home, hello);
  t.is(answer.status, 200);
  t.regex(answer.text, /Hello from TAPPaaS/);
});

test.serial('Ctrl-C stops everything cleanly, and a second start finds everything as it was', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({ first: example, plugins: { roles: { use: '@tappaas/access-rbac' } } });
  t.teardown(() => home.remove());
  const first = await home.start();
  const before = (await first.api('GET', '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications/hello')).json<{
    metadata: { uid: string };
    status: { release: string };
  }>();
  t.is((await home.tappaas('deploy', example, '--name', 'other')).code, 0);
  const pid = Number(/process (\d+)/.exec((await send(home, hello)).text)?.[1]);
  t.is(await first.stop(), 0);
  t.regex(
    first.output(),
    /Stopping … \(Ctrl-C again [^\n]*\)\nStopped\.\n$/,
    'nothing is said in between: nobody has to do anything about a stop',
  );
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  const second = await home.start();
  t.teardown(() => second.stop());
  t.regex(
    second.output(),
    new RegExp(`^answers +http://hello\\.default\\.localhost:${home.httpPort}\\n +http://other\\.default\\.localhost:`, 'm'),
  );
  t.notRegex(second.output(), /tapp_/);
  const after = (await second.api('GET', '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications/hello')).json<typeof before>();
  t.is(after.metadata.uid, before.metadata.uid);
  t.is(after.status.release, before.status.release);
  await eventually(
    () => send(home, hello),
    ({ status }) => status === 200,
  );
});

test.serial('a directory goes from source to an answering URL and away again without a trace', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const deployed = await home.tappaas('deploy', example);
  t.is(deployed.code, 0, deployed.stderr + deployed.stdout);
  t.regex(deployed.stdout, new RegExp(`http://${hello}:${home.httpPort}`));
  t.regex(deployed.stdout, /tappaas logs hello/);
  t.regex((await send(home, hello)).text, /Hello/);

  const repeated = await home.tappaas('deploy', example, '-o', 'json');
  t.is(repeated.code, 0, repeated.stderr);
  t.is((JSON.parse(repeated.stdout) as { metadata: { name: string } }).metadata.name, 'hello');

  const listed = await home.tappaas('apps');
  t.regex(listed.stdout, /^hello\s+True/m);
  const status = await home.tappaas('status', 'hello');
  t.regex(status.stdout, /web\s+2\/2/);
  const logs = await home.tappaas('logs', 'hello', '--tail', '20');
  t.regex(logs.stdout, /listening on \d+/);

  const deleted = await home.tappaas('delete', 'hello', '-o', 'json');
  t.is(deleted.code, 0, deleted.stderr);
  t.like(JSON.parse(deleted.stdout), { namespace: 'default', name: 'hello', deleted: true });
  t.is((await home.tappaas('status', 'hello')).code, 1);
  await eventually(
    async () => (await platform.api('GET', '/clusters/local/api/v1/pods')).json<{ items: unknown[] }>(),
    ({ items }) => items.length === 0,
  );
});
