/** The API served by processes of its own, and applications that run on a cluster of the one that has the store. */
import test from 'ava';
import { toBoth, type Stream } from '../pinned.ts';
import { eventually, platformHome, type PlatformHome, type PlatformProcess } from '../platform-process.ts';
import { printedToken } from '../printed-token.ts';

const applications = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
const script =
  'require("node:http").createServer((_, a) => a.end("x")).listen(process.env.PORT); setInterval(() => console.log("tick"), 200)';
const endMsMax = 10_000;

let home: PlatformHome;
let platform: PlatformProcess;
let pod: { readonly name: string; readonly namespace: string };

test.before('an application runs on a platform with two workers', async (t) => {
  t.timeout(180_000);
  home = await platformHome({
    plugins: { tokens: { use: '@tappaas/identity-token' }, roles: { use: '@tappaas/access-rbac' } },
    api: { workers: 2 },
  });
  platform = await home.start();
  const made = await platform.api('POST', applications, {
    metadata: { name: 'shop' },
    spec: {
      source: { image: 'process' },
      processes: [{ name: 'web', command: ['node', '-e', script], ports: [{ name: 'http', port: 8080 }], terminationSeconds: 1 }],
    },
  });
  t.is(made.status, 201, made.text);
  const bound = await platform.api('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'ci' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'platform-admin' },
    subjects: [{ kind: 'User', name: 'ci', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  t.is(bound.status, 201, bound.text);
  interface Pods {
    readonly items: readonly { metadata: { name: string; namespace: string }; status?: { phase?: string } }[];
  }
  const { items } = await eventually(
    async () => (await platform.api('GET', '/clusters/local/api/v1/pods')).json<Pods>(),
    (found) => found.items[0]?.status?.phase === 'Running',
    120_000,
  );
  pod = items[0]?.metadata ?? { name: '', namespace: '' };
});

test.after.always('the platform is stopped and its directory removed', async () => {
  await platform?.stop();
  await home?.remove();
});

const podPath = () => `/clusters/local/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`;
const command = (...words: readonly string[]) =>
  `${podPath()}/exec?stdout=true&${words.map((word) => `command=${encodeURIComponent(word)}`).join('&')}`;

const heard = (stream: Stream, what: string | RegExp): Promise<string> =>
  eventually(
    async () => stream.text(),
    (text) => (typeof what === 'string' ? text.includes(what) : what.test(text)),
  );

test.serial('that pods are not isolated is told once for the platform, and not by each worker', (t) => {
  t.is(platform.output().split('pods run as the user of this platform').length, 2);
});

test.serial('every worker runs commands, shows logs, and tells where pods run and why', async (t) => {
  t.timeout(120_000);
  for (const to of toBoth(t, platform.connection)) {
    const ran = await to.channels(command('node', '-e', `console.log("by " + "${to.worker}")`));
    await ran.over;
    t.regex(ran.text(), new RegExp(`by ${to.worker}\\n`), to.worker);
    const log = await to.stream(`${podPath()}/log?follow=true&tailLines=1`);
    await heard(log, /tick\n[^]*tick\n/);
    log.end();
    const { application } = await to.graphql<{
      application: { pods: readonly { placement: { outcome: string } }[]; logs: readonly { text: string }[] };
    }>('{ application(namespace: "default", name: "shop") { pods { placement { outcome } } logs(tail: 1) { text } } }');
    t.deepEqual(application, { pods: [{ placement: { outcome: 'PLACED' } }], logs: [{ text: 'tick' }] }, to.worker);
    const explained = await to.send<object>('GET', '/plugins/platform/explain?kind=application&name=shop&namespace=default');
    t.true(JSON.stringify(explained).includes(pod.name), `${to.worker}: ${JSON.stringify(explained)}`);
  }
});

test.serial('an operation that one worker begins is followed on the other, by subscription and by room, to its end', async (t) => {
  t.timeout(120_000);
  const both = toBoth(t, platform.connection);
  for (const [begins, follows] of [both, both.toReversed()]) {
    if (begins === undefined || follows === undefined) throw new Error('there are two');
    const changes = await follows.subscription(
      'subscription { applicationChanges(namespace: "default", name: "shop") { type object { status { operation } } } }',
    );
    const room = await follows.room('operations', { namespace: 'default' });
    await heard(changes, 'ADDED');
    const spec = `{ env: [{ name: "ROUND", value: "${begins.worker}" }] }`;
    const { updateApplication } = await begins.graphql<{
      updateApplication: { operation: { name: string }; userErrors: readonly object[] };
    }>(
      `mutation { updateApplication(input: { namespace: "default", name: "shop", spec: ${spec} }) { operation { name } userErrors { message } } }`,
    );
    t.deepEqual(updateApplication.userErrors, []);
    const { name } = updateApplication.operation;
    const progress = await follows.subscription(
      `subscription { operationProgress(namespace: "default", name: "${name}") { status { phase percent } } }`,
    );
    await progress.over;
    t.regex(progress.text(), /"phase":"Succeeded","percent":100/, follows.worker);
    await heard(changes, `"operation":"${name}"`);
    await heard(room, new RegExp(`"name":"${name}"[^]*"phase":"Succeeded"`));
    changes.end();
    room.end();
  }
});

test.serial('a token that is revoked ends every stream of it on every worker within 10 s', async (t) => {
  t.timeout(120_000);
  const made = await home.tappaas('token', 'create', 'ci', '--user', 'ci', '--no-tenant', '--expires', '12h');
  const token = printedToken(made);
  const pods = await platform.api('GET', '/clusters/local/api/v1/pods');
  const running = pods.json<{ items: readonly { metadata: { name: string; namespace: string; deletionTimestamp?: string } }[] }>().items;
  pod = running.find(({ metadata }) => metadata.deletionTimestamp === undefined)?.metadata ?? pod;
  const open = new Map<string, Stream>();
  for (const to of toBoth(t, { ...platform.connection, token })) {
    const add = async (what: string, begun: Promise<Stream>): Promise<void> => void open.set(`${what} on ${to.worker}`, await begun);
    await add('a watch', to.stream('/api/v1/namespaces?watch=true'));
    await add('a watch of a cluster', to.stream('/clusters/local/api/v1/pods?watch=true'));
    await add('a subscription', to.subscription('subscription { applicationChanges(namespace: "default") { type } }'));
    await add('a subscription to logs', to.subscription('subscription { applicationLogs(namespace: "default", name: "shop") { text } }'));
    await add(
      'a room of objects',
      to.room('objects', { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications', namespace: 'default' }),
    );
    await add('a room of logs', to.room('logs', { engine: 'local', namespace: pod.namespace, pod: pod.name }));
    await add('a log', to.stream(`${podPath()}/log?follow=true`));
    await add('a command', to.channels(command('node', '-e', 'setInterval(() => console.log("still"), 100)')));
  }
  for (const [what, stream] of open) t.regex(await heard(stream, /./).catch(() => 'nothing'), /^(?!nothing)/, what);
  const over = new Set<string>();
  for (const [what, stream] of open) void stream.over.then(() => over.add(what));
  t.deepEqual([...over], []);
  const revoked = await home.tappaas('token', 'revoke', 'ci');
  t.is(revoked.code, 0, revoked.stderr);
  const sinceMs = performance.now();
  const left = () => [...open.keys()].filter((what) => !over.has(what));
  await eventually(
    async () => left(),
    (streams) => streams.length === 0,
    endMsMax,
  ).catch(() => undefined);
  t.log(`${Math.round(performance.now() - sinceMs)} ms`);
  t.deepEqual(left(), []);
});
