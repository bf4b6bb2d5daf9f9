import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome, type PlatformProcess } from '../platform-process.ts';

const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
const server = `
const http = require('node:http');
const server = http.createServer((request, response) => setTimeout(() => response.end(process.env.ANSWER + ' ' + (process.env.TOKEN ?? '')), 20));
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

const application = (answer: string, token?: object) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop' },
  spec: {
    source: { image: 'process' },
    processes: [
      { name: 'web', replicas: 2, command: ['node', '-e', server], ports: [{ name: 'http', port: 8080 }], terminationSeconds: 5 },
    ],
    env: [{ name: 'ANSWER', value: answer }, ...(token ? [{ name: 'TOKEN', ...token }] : [])],
    routes: [{ name: 'public', process: 'web', port: 'http' }],
  },
});

async function apply(platform: PlatformProcess, body: object): Promise<void> {
  const answer = await platform.api('PATCH', `${path}/shop?fieldManager=test&force=true`, body, 'application/apply-patch+yaml');
  if (answer.status >= 300) throw new Error(answer.text);
}

test('a rolling update changes the answer without one failed request', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  await apply(platform, application('first'));
  await eventually(
    () => requestApplication(home, 'shop.default.localhost'),
    ({ status, text }) => status === 200 && text.startsWith('first'),
  );
  const enough = new AbortController();
  const answers: { status: number; text: string }[] = [];
  const asking = Array.from({ length: 4 }, async () => {
    while (!enough.signal.aborted)
      answers.push(await requestApplication(home, 'shop.default.localhost').catch((error: Error) => ({ status: 0, text: error.message })));
  });
  await apply(platform, application('second'));
  await eventually(
    async () => answers.slice(-20),
    (last) => last.length === 20 && last.every(({ text }) => text.startsWith('second')),
  );
  enough.abort();
  await Promise.all(asking);
  t.deepEqual(
    answers.filter(({ status }) => status !== 200),
    [],
  );
  t.true(answers.some(({ text }) => text.startsWith('first')));
});

test('a secret reaches the process that asks for it, a changed one rolls out, and its value lies nowhere in the clear', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  await apply(platform, application('secret', { from: { secret: { name: 'token', key: 'value' } } }));
  const waiting = await eventually(
    async () =>
      (await platform.api('GET', `${path}/shop`)).json<{ status?: { conditions?: { type: string; reason: string; message: string }[] } }>(),
    ({ status }) => status?.conditions?.some(({ reason }) => reason === 'SecretMissing') ?? false,
  );
  t.regex(waiting.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /no Secret "token" in namespace default/);
  const secret = (value: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, stringData: { value } });
  const created = await platform.api('POST', '/api/v1/namespaces/default/secrets', secret('canary-one'));
  t.is(created.status, 201, created.text);
  await eventually(
    () => requestApplication(home, 'shop.default.localhost'),
    ({ text }) => text === 'secret canary-one',
  );
  await platform.api(
    'PATCH',
    '/api/v1/namespaces/default/secrets/token',
    { stringData: { value: 'canary-two' } },
    'application/merge-patch+json',
  );
  await eventually(
    () => requestApplication(home, 'shop.default.localhost'),
    ({ text }) => text === 'secret canary-two',
  );
  const releases = (await platform.api('GET', '/apis/apps.tappaas.dev/v1alpha1/releases')).text;
  for (const canary of ['canary-one', 'canary-two']) {
    for (const form of [canary, Buffer.from(canary).toString('base64')]) {
      t.false(releases.includes(form), 'a release holds no value');
      t.false(platform.output().includes(form), 'no log line holds a value');
      for (const file of await readdir(join(home.directory, 'data/store'))) {
        t.false((await readFile(join(home.directory, 'data/store', file))).includes(form), `store file ${file} holds no value`);
      }
    }
  }
});

test('an older release serves again with the secret it had, whatever has become of the secret; nothing of it outlives the application', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const secretsPath = '/api/v1/namespaces/default/secrets';
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' }, stringData: { value: 'canary-one' } };
  await platform.api('POST', secretsPath, secret);
  const answers = (text: string) =>
    eventually(
      () => requestApplication(home, 'shop.default.localhost'),
      (answer) => answer.text === text,
    );
  await apply(platform, application('secret', { from: { secret: { name: 'token', key: 'value' } } }));
  await answers('secret canary-one');
  const next = { stringData: { value: 'canary-two' } };
  await platform.api('PATCH', `${secretsPath}/token`, next, 'application/merge-patch+json');
  await answers('secret canary-two');
  await platform.api('DELETE', `${secretsPath}/token`);
  const pinned = await platform.api('PATCH', `${path}/shop`, { spec: { pin: 'shop-1' } }, 'application/merge-patch+json');
  t.is(pinned.status, 200, pinned.text);
  await answers('secret canary-one');
  const copies = async () =>
    (await platform.api('GET', `${secretsPath}?labelSelector=tappaas.dev/release-copy=true`)).json<{ items: { immutable?: boolean }[] }>()
      .items;
  t.deepEqual(
    (await copies()).map(({ immutable }) => immutable),
    [true, true],
  );
  for (const file of await readdir(join(home.directory, 'data/store'))) {
    const bytes = await readFile(join(home.directory, 'data/store', file));
    t.false(
      ['canary-one', Buffer.from('canary-one').toString('base64')].some((form) => bytes.includes(form)),
      file,
    );
  }
  await platform.api('DELETE', `${path}/shop`);
  await eventually(copies, (items) => items.length === 0);
});
