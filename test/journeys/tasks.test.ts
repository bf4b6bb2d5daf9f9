/** Processes that end by themselves: before a release serves, and at the times of a schedule. */
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome, type PlatformProcess } from '../platform-process.ts';

const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
const server = `require('node:http').createServer((_, response) => response.end(process.env.ANSWER)).listen(process.env.PORT)`;

const application = (answer: string, migrate: string, more: readonly object[] = []) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop' },
  spec: {
    source: { image: 'process' },
    processes: [
      { name: 'web', command: ['node', '-e', server], ports: [{ name: 'http', port: 8080 }], terminationSeconds: 1 },
      { name: 'migrate', phase: 'Release', command: ['node', '-e', migrate] },
      ...more,
    ],
    env: [{ name: 'ANSWER', value: answer }],
    routes: [{ name: 'public', process: 'web', port: 'http' }],
  },
});

interface Operation {
  readonly status?: {
    readonly phase: string;
    readonly completionTime?: string;
    readonly error?: string;
    readonly steps?: readonly { readonly name: string; readonly phase: string; readonly completionTime?: string }[];
  };
}

async function deploy(platform: PlatformProcess, body: object): Promise<Operation['status']> {
  const answer = await platform.api('PATCH', `${path}/shop?fieldManager=test&force=true`, body, 'application/apply-patch+yaml');
  if (answer.status >= 300) throw new Error(answer.text);
  const operation = await eventually(
    async () => (await platform.api('GET', answer.headers.location ?? '')).json<Operation>(),
    ({ status }) => status?.completionTime !== undefined,
    90_000,
  );
  return operation.status;
}

test('a release task runs before traffic moves; one that fails keeps the release before serving, and its log can be read', async (t) => {
  t.timeout(240_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const answer = async () => (await requestApplication(home, 'shop.default.localhost')).text;
  const first = await deploy(platform, application('first', `console.log('migrated', process.env.ANSWER)`));
  t.is(first?.phase, 'Succeeded', first?.error);
  const stepOf = (name: string) => first?.steps?.find((step) => step.name === name);
  t.true((stepOf('release-tasks')?.completionTime ?? 'z') <= (stepOf('rollout')?.completionTime ?? ''));
  await eventually(answer, (text) => text === 'first');
  t.regex((await home.tappaas('logs', 'shop', '--process', 'migrate')).stdout, /migrated first/);

  const second = await deploy(platform, application('second', `console.log('cannot migrate'); process.exit(3)`));
  t.is(second?.phase, 'Failed');
  t.regex(second?.error ?? '', /release task Job .*shop-migrate-\w+ failed/);
  t.is(await answer(), 'first');
  t.regex((await home.tappaas('logs', 'shop', '--process', 'migrate')).stdout, /cannot migrate/);
  const status = await home.tappaas('status', 'shop');
  t.regex(status.stdout, /ReleaseFailed/);
  t.regex(status.stdout, /release shop-1 goes on serving/);

  t.is((await deploy(platform, application('third', `console.log('migrated', process.env.ANSWER)`)))?.phase, 'Succeeded');
  await eventually(answer, (text) => text === 'third');
});

test('a scheduled process runs at its times', async (t) => {
  t.timeout(240_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const tick = { name: 'tick', schedule: '* * * * *', timeZone: 'Europe/Berlin', command: ['node', '-e', `console.log('tock')`] };
  t.is((await deploy(platform, application('up', '', [tick])))?.phase, 'Succeeded');
  const cronJob = await platform.api('GET', '/clusters/local/apis/batch/v1/namespaces/tappaas-default/cronjobs/shop-tick');
  t.is(cronJob.json<{ spec: { timeZone: string } }>().spec.timeZone, 'Europe/Berlin', cronJob.text);
  const { stdout } = await eventually(
    () => home.tappaas('logs', 'shop', '--process', 'tick'),
    ({ stdout: text }) => text.includes('tock'),
    120_000,
  );
  t.regex(stdout, /tock/);
});
