/** What becomes of a change of an application, as its Operation tells it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome, root, type ApiAnswer, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

const applications = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
const answers = (text: string) => `require('node:http').createServer((_, response) => response.end('${text}')).listen(process.env.PORT)`;
/** Its probe fails; that nobody listens would be no proof, since any program may listen where it should. */
const neverReady = 'setInterval(() => {}, 1000)';

interface Operation {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly verb: string; readonly target: { readonly generation: number }; readonly requestId?: string };
  readonly status?: {
    readonly phase: string;
    readonly percent: number;
    readonly error?: string;
    readonly result?: Readonly<Record<string, string>>;
    readonly steps?: readonly {
      readonly name: string;
      readonly phase: string;
      readonly message?: string;
      readonly startTime?: string;
      readonly completionTime?: string;
    }[];
  };
}

interface Application {
  readonly status?: {
    readonly release?: string;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

interface ReleaseSeen {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: { readonly phase?: string };
}

const application = (script: string, rollout: object = {}) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop' },
  spec: {
    source: { image: 'process' },
    processes: [
      {
        name: 'web',
        command: ['node', '-e', script],
        ports: [{ name: 'http', port: 8080 }],
        ...(script === neverReady ? { probes: { readiness: { exec: { command: ['false'] }, periodSeconds: 1 } } } : {}),
        terminationSeconds: 1,
      },
    ],
    routes: [{ name: 'public', process: 'web', port: 'http' }],
    ...(Object.keys(rollout).length > 0 ? { rollout } : {}),
  },
});

async function start(t: { teardown(undo: () => Promise<unknown>): void; timeout(ms: number): void }) {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  return { home, platform };
}

const apply = (platform: PlatformProcess, body: object): Promise<ApiAnswer> =>
  platform.api('PATCH', `${applications}/shop?fieldManager=test&force=true`, body, 'application/apply-patch+yaml');

const ended = async (platform: PlatformProcess, location: string): Promise<Operation> =>
  eventually(
    async () => (await platform.api('GET', location)).json<Operation>(),
    ({ status }) => ['Succeeded', 'Failed', 'Cancelled'].includes(status?.phase ?? ''),
  );

const answer = async (home: PlatformHome) => (await requestApplication(home, 'shop.default.localhost')).text;
/** Waits until an event of the application says so. */
const hasEvent = (platform: PlatformProcess, event: RegExp) =>
  eventually(
    async () => {
      const { items } = (await platform.api('GET', '/api/v1/namespaces/default/events')).json<{
        items: readonly Record<string, string>[];
      }>();
      return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    },
    (events) => events.some((received) => event.test(received)),
  );
/** The proxy hears of a ready pod a moment after the application does. */
const serves = (home: PlatformHome, text: string) =>
  eventually(
    () => answer(home),
    (found) => found === text,
  );
const locationOf = ({ headers }: ApiAnswer) => headers.location ?? '';
const readiness = async (platform: PlatformProcess) =>
  (await platform.api('GET', `${applications}/shop`)).json<Application>().status?.conditions?.find(({ type }) => type === 'Ready');

test('a change answers with the location of its operation, which tells steps with times and ends with what came of it', async (t) => {
  const { home, platform } = await start(t);
  const created = await apply(platform, application(answers('first')));
  t.is(created.status, 201, created.text);
  t.regex(locationOf(created), /^\/apis\/ops\.tappaas\.dev\/v1alpha1\/namespaces\/default\/operations\/shop-deploy-1-/);
  const begun = await platform.api('GET', locationOf(created));
  t.is(begun.status, 200, 'it is there as soon as the answer is');
  t.is(begun.json<Operation>().spec.requestId, String(created.headers['x-request-id']));
  const { status, spec } = await ended(platform, locationOf(created));
  t.deepEqual([spec.verb, status?.phase, status?.percent], ['deploy', 'Succeeded', 100]);
  t.deepEqual(
    status?.steps?.map(({ name, phase }) => `${name} ${phase}`),
    ['prepare', 'render', 'apply', 'rollout'].map((name) => `${name} Succeeded`),
  );
  t.true(status?.steps?.every(({ startTime = '', completionTime = '' }) => startTime !== '' && startTime <= completionTime));
  t.is(status?.result?.['release'], 'shop-1');
  await serves(home, 'first');
  const labelled = await platform.api(
    'PATCH',
    `${applications}/shop`,
    { metadata: { labels: { a: 'b' } } },
    'application/merge-patch+json',
  );
  t.is(labelled.headers.location, undefined, 'a change of metadata begins nothing');
});

test('a cancelled rollout leaves what served before serving, and nothing of the new release', async (t) => {
  const { home, platform } = await start(t);
  await ended(platform, locationOf(await apply(platform, application(answers('first')))));
  const changed = locationOf(await apply(platform, application(neverReady)));
  await eventually(
    async () => (await platform.api('GET', changed)).json<Operation>(),
    ({ status }) => status?.steps?.some(({ name, phase }) => name === 'rollout' && phase === 'Running') ?? false,
  );
  const patched = await platform.api('PATCH', changed, { spec: { cancelled: true } }, 'application/merge-patch+json');
  t.is(patched.status, 200, patched.text);
  const { status } = await ended(platform, changed);
  t.is(status?.phase, 'Cancelled');
  t.regex(status?.error ?? '', /release shop-1 goes on serving/);
  const pods = () => platform.api('GET', '/clusters/local/api/v1/pods').then((listed) => listed.json<{ items: unknown[] }>().items.length);
  await eventually(pods, (count) => count === 1);
  await serves(home, 'first');
  t.is((await readiness(platform))?.reason, 'Cancelled');
  // It stays so, also without the Operation and after a restart; until the next change.
  await platform.api('DELETE', changed);
  await platform.stop();
  const again = await home.start();
  t.teardown(() => again.stop());
  await eventually(
    () => answer(home),
    (text) => text === 'first',
  );
  t.is((await readiness(again))?.reason, 'Cancelled');
  t.is((await ended(again, locationOf(await apply(again, application(answers('third')))))).status?.phase, 'Succeeded');
  await serves(home, 'third');
});

test('the command line follows a deployment by its operation, lists operations, describes and cancels them', async (t) => {
  const { home, platform } = await start(t);
  const deployed = await home.tappaas('deploy', join(root, 'examples/hello'));
  t.is(deployed.code, 0, deployed.stderr + deployed.stdout);
  for (const stage of ['built', 'rendered', 'applied', 'serving']) t.regex(deployed.stdout, new RegExp(`✓ ${stage} \\(\\d`));
  await apply(platform, application(neverReady));
  const [, running = ''] = /^(shop-deploy-\S+)/m.exec((await home.tappaas('operations')).stdout) ?? [];
  t.regex(
    (await home.tappaas('operations', running)).stdout,
    /Does\s+deploy Application shop, generation 1[^]*STEP\s+PHASE\s+TOOK[^]*rollout/,
  );
  const cancelled = await home.tappaas('operations', 'cancel', running);
  t.is(cancelled.code, 0, cancelled.stderr);
  t.regex(cancelled.stdout, /Cancelled, the change was cancelled/);
  t.regex((await home.tappaas('operations', 'none')).stderr, /no operation "none" in namespace default/);
});

test('a deployment that fails ends the command with the reason and where to look', async (t) => {
  const { home } = await start(t);
  const directory = join(home.directory, 'broken');
  await mkdir(directory);
  await writeFile(join(directory, 'tappaas.yaml'), JSON.stringify(application(neverReady, { timeoutSeconds: 2, onFailure: 'Stop' })));
  const { code, stderr } = await home.tappaas('deploy', join(directory, 'tappaas.yaml'));
  t.is(code, 1);
  t.regex(stderr, /application shop does not serve generation 1: .*web/);
  t.regex(stderr, /tappaas operations shop-deploy-1-/);
});

test('source that nothing says how to run fails at once at its build, and says what to add', async (t) => {
  const { home, platform } = await start(t);
  const directory = join(home.directory, 'notes');
  await mkdir(directory);
  await writeFile(join(directory, 'readme.txt'), 'nothing to run');
  const { code, stderr } = await home.tappaas('deploy', directory);
  t.is(code, 1);
  t.regex(stderr, /nothing in the source says what process web runs: add a Procfile .* package\.json, or a command .* in tappaas\.yaml/);
  const path = '/apis/ops.tappaas.dev/v1alpha1/namespaces/default/operations';
  const [failed] = (await platform.api('GET', path)).json<{ items: readonly Operation[] }>().items;
  const build = failed?.status?.steps?.find(({ name }) => name === 'build');
  t.like(build, { phase: 'Failed' });
  t.regex(build?.message ?? '', /nothing in the source says/);
  await writeFile(join(directory, 'Procfile'), `web: node -e "${answers('said')}"`);
  const mended = await home.tappaas('deploy', directory, '--timeout', '60');
  t.is(mended.code, 0, mended.stderr);
});

test('a first deployment that is cancelled leaves nothing running', async (t) => {
  const { platform } = await start(t);
  const created = locationOf(await apply(platform, application(neverReady)));
  await platform.api('PATCH', created, { spec: { cancelled: true } }, 'application/merge-patch+json');
  t.is((await ended(platform, created)).status?.phase, 'Cancelled');
  await eventually(
    async () => (await platform.api('GET', '/clusters/local/apis/apps/v1/deployments')).json<{ items: unknown[] }>().items.length,
    (count) => count === 0,
  );
  t.is((await readiness(platform))?.reason, 'Cancelled');
  await hasEvent(platform, /^Normal Cancelled: the change was cancelled; nothing served before, so nothing runs$/);
});

test('a newer change supersedes the operation of the older one', async (t) => {
  const { home, platform } = await start(t);
  const first = locationOf(await apply(platform, application(neverReady)));
  const second = locationOf(await apply(platform, application(answers('second'))));
  t.is((await ended(platform, second)).status?.phase, 'Succeeded');
  const { status } = await ended(platform, first);
  t.deepEqual([status?.phase, status?.error], ['Cancelled', 'superseded by generation 2']);
  await hasEvent(platform, /^Normal Superseded: operation shop-deploy-1-\S+ gave way to the change of generation 2$/);
  await serves(home, 'second');
});

test('each release says what has become of it, also when an earlier one comes back after a restart', async (t) => {
  const { home, platform } = await start(t);
  const releases = async (at: PlatformProcess) =>
    (await at.api('GET', applications.replace(/applications$/, 'releases'))).json<{ items: readonly ReleaseSeen[] }>().items;
  const phases = async () => (await releases(platform)).map(({ metadata, status }) => `${metadata.name} ${status?.phase}`);
  await ended(platform, locationOf(await apply(platform, application(answers('first')))));
  t.deepEqual(await phases(), ['shop-1 Serving']);
  await ended(platform, locationOf(await apply(platform, application(answers('second')))));
  t.deepEqual(await phases(), ['shop-1 Superseded', 'shop-2 Serving']);
  await ended(platform, locationOf(await apply(platform, application(neverReady, { timeoutSeconds: 2 }))));
  t.deepEqual(await phases(), ['shop-1 Superseded', 'shop-2 Serving', 'shop-3 Failed']);
  const before = await releases(platform);
  await platform.stop();
  const again = await home.start();
  t.teardown(() => again.stop());
  t.is((await ended(again, locationOf(await apply(again, application(answers('first')))))).status?.phase, 'Succeeded');
  const after = await releases(again);
  t.deepEqual(
    after.find(({ metadata }) => metadata.name === 'shop-3'),
    before[2],
  );
  t.deepEqual(
    after.map(({ status }) => status?.phase),
    ['Serving', 'Superseded', 'Failed'],
    'one that comes back serves again',
  );
});

test('a rollout that fails is rolled back and not tried again until the application changes', async (t) => {
  const { home, platform } = await start(t);
  await ended(platform, locationOf(await apply(platform, application(answers('first')))));
  const changed = locationOf(await apply(platform, application(neverReady, { timeoutSeconds: 2 })));
  const { status } = await ended(platform, changed);
  t.is(status?.phase, 'Failed');
  await eventually(
    () => readiness(platform),
    (ready) => ready?.reason === 'ReleaseFailed',
  );
  t.is((await platform.api('GET', `${applications}/shop`)).json<Application>().status?.release, 'shop-1');
  await serves(home, 'first');
});
