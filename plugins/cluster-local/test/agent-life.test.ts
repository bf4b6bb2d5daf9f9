import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Ingress, KubernetesLease, Node } from '@tappaas/sdk';
import { isAlive } from '../dist/agent/process/identity.js';
import type { AgentRecord } from '../dist/agent/settings.js';
import { Ingresses, Leases, Nodes, Pods, Services } from '../dist/kinds/handles.js';
import { AgentControl } from '../dist/supervision/agent-control.js';
import { clock, LocalCluster, never, until } from './support/local-cluster.ts';
import { endProcess } from '../../../test/end-process.ts';
import { freePort } from '../../../test/ports.ts';
import { untilRefused } from '../../../test/until-refused.ts';
import { HttpClient } from './support/http-client.ts';
import { container, ingress, pod, service } from './support/manifests.ts';
import { hostPort, isReady, isRunning, logOf, pidOf, read, state, untilPod } from './support/pods.ts';

async function withPod(t: ExecutionContext, changes: Parameters<typeof LocalCluster.make>[0] = {}) {
  const cluster = await LocalCluster.make(changes);
  t.teardown(() => cluster.end());
  await cluster.start();
  cluster.store.create(Pods, pod('web', { containers: [container('one')] }, { app: 'web' }));
  const ready = await untilPod(cluster, 'web', 'ready', isReady);
  return { cluster, ready, pid: pidOf(ready, 'web') };
}

const running = async (cluster: LocalCluster): Promise<AgentRecord> => {
  const record = await cluster.control.running();
  if (!record) throw new Error('no agent runs');
  return record;
};

const killed = async (record: AgentRecord) => {
  process.kill(record.pid, 'SIGKILL');
  await until('agent gone', () => !isAlive(record));
};

test('a killed agent is started again and adopts its pods: same process, same port, log complete', async (t) => {
  const { cluster, ready, pid } = await withPod(t);
  const chatter = `let n = 0; setInterval(() => console.log(n++), 20)`;
  cluster.store.create(Pods, pod('chatter', { containers: [{ name: 'main', image: 'process', command: ['node', '-e', chatter] }] }));
  const before = await untilPod(cluster, 'chatter', 'running', isReady);
  await until('chatter talks', async () => (await logOf(cluster, before, 'main')).length > 20);
  const first = await running(cluster);
  await killed(first);
  t.true(isRunning(pid));
  const answer = await fetch(`http://127.0.0.1:${hostPort(ready)}/`);
  t.is(answer.status, 200);
  const second = await cluster.startAgent();
  t.not(second.pid, first.pid);
  const reported = cluster.store.revision;
  await until('lease renewed', () => cluster.store.revision > reported);
  const after = await untilPod(cluster, 'web', 'ready still', isReady);
  t.is(pidOf(after, 'web'), pid);
  t.is(hostPort(after), hostPort(ready));
  t.is(state(after, 'web')?.restartCount, 0);
  const lines = await until('log goes on', async () => {
    const all = (await logOf(cluster, before, 'main')).trim().split('\n');
    return all.length > 60 ? all : undefined;
  });
  t.deepEqual(
    lines,
    lines.map((_, index) => String(index)),
  );
  cluster.store.delete(Pods, { namespace: 'default', name: 'web' });
  await until('adopted pod ends', () => read(cluster, 'web') === undefined);
  t.false(isRunning(pid));
});

test('a container that ended while no agent looked is known by its exit code and started again', async (t) => {
  const { cluster } = await withPod(t);
  const end = join(cluster.directory, 'end');
  const once = pod('once', {
    restartPolicy: 'Never',
    containers: [{ name: 'main', image: 'process', command: ['/bin/sh', '-c', `while [ ! -e ${end} ]; do sleep 0.05; done; exit 7`] }],
  });
  cluster.store.create(Pods, once);
  const found = await untilPod(cluster, 'once', 'running', isReady);
  const first = await running(cluster);
  await killed(first);
  await writeFile(end, '');
  await until('process over', () => !isRunning(pidOf(found, 'main')));
  await cluster.startAgent();
  const failed = await untilPod(cluster, 'once', 'failed', ({ status }) => status?.phase === 'Failed');
  t.is(state(failed, 'main')?.state?.terminated?.exitCode, 7);
});

test('a killed keeper is told as killed, and nothing of its container stays', async (t) => {
  const { cluster, pid } = await withPod(t);
  const child = Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
  t.true(isRunning(child));
  process.kill(pid, 'SIGKILL');
  const again = await untilPod(
    cluster,
    'web',
    'started again',
    (found) => (state(found, 'web')?.restartCount ?? 0) === 1 && isReady(found),
  );
  t.is(state(again, 'web')?.lastState?.terminated?.exitCode, 137);
  t.false(isRunning(child));
});

test('while the platform is away pods and traffic go on, and a pod that dies is started again', async (t) => {
  const { cluster, ready, pid } = await withPod(t);
  cluster.store.create(Services, service('web'));
  cluster.store.create(Ingresses, ingress('web', 'web.localhost'));
  const client = new HttpClient(cluster.settings.httpPort);
  await until('an answer', async () => (await client.ask('web.localhost')).status === 200);
  await cluster.api.stop();
  process.kill(-pid, 'SIGKILL');
  const answer = await until('an answer of a new process', async () => {
    const found = await client.ask('web.localhost');
    return found.status === 200 && found;
  });
  t.regex(answer.text, /^one \d+$/);
  await cluster.api.start();
  const after = await untilPod(cluster, 'web', 'restart reported', (found) => state(found, 'web')?.restartCount === 1 && isReady(found));
  t.is(hostPort(after), hostPort(ready));
});

test('when the platform stays away longer than the grace period, pods and agent end', async (t) => {
  const { cluster, pid } = await withPod(t, { gracePeriodSeconds: 2 });
  const record = await running(cluster);
  await cluster.api.stop();
  await until('agent ended', () => !isAlive(record));
  t.false(isRunning(pid));
  await cluster.api.start();
  await cluster.startAgent();
  const again = await untilPod(cluster, 'web', 'started by the next agent', (found) => isReady(found) && pidOf(found, 'web') !== pid);
  t.is(state(again, 'web')?.lastState?.terminated, undefined);
});

test('a token that is no longer taken is read again from the file', async (t) => {
  const { cluster } = await withPod(t);
  cluster.api.token = 'second';
  const record = await running(cluster);
  t.is((await cluster.startAgent()).pid, record.pid);
  const from = cluster.store.revision;
  await until('lease renewed with the new token', () => cluster.store.revision > from);
  cluster.store.create(Pods, pod('later', { containers: [container('two')] }));
  await untilPod(cluster, 'later', 'ready', isReady);
  t.pass();
});

test('credentials and state are readable by their owner only', async (t) => {
  const { cluster } = await withPod(t);
  const directory = join(cluster.directory, 'agent');
  t.is((await stat(directory)).mode & 0o777, 0o700);
  for (const name of ['connection.json', 'agent.json', 'settings.json']) t.is((await stat(join(directory, name))).mode & 0o077, 0, name);
});

test('a stop while the agent starts leaves no agent behind', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const stop = new AbortController();
  let looks = 0;
  const impatient = {
    ...clock,
    // The second reading of the clock comes while waiting for the agent, whose process has been started by then.
    nowMs() {
      looks += 1;
      if (looks > 1) stop.abort();
      stop.signal.throwIfAborted();
      return clock.nowMs();
    },
  };
  const directory = join(cluster.directory, 'agent');
  const starting = new AgentControl(directory, impatient).ensure(cluster.settings, { server: cluster.api.url }, stop.signal);
  await t.throwsAsync(starting.catch((error: unknown) => Promise.reject(new Error('given up', { cause: error }))));
  const processes = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
  t.false(processes.includes(directory));
});

test('a second agent in the same directory ends at once', async (t) => {
  const { cluster } = await withPod(t);
  const main = fileURLToPath(new URL('../dist/agent/main.js', import.meta.url));
  const second = spawn(process.execPath, [main, join(cluster.directory, 'agent')], { stdio: 'ignore' });
  t.teardown(() => endProcess(second));
  const [code] = (await once(second, 'exit')) as [number];
  t.is(code, 75);
  t.true(isAlive(await running(cluster)));
});

test('other ranges of ports move the pods to a new agent without touching them', async (t) => {
  const { cluster, pid } = await withPod(t);
  const first = await running(cluster);
  const { podPorts } = cluster.settings;
  cluster.settings = { ...cluster.settings, podPorts: { ...podPorts, to: podPorts.to - 1 } };
  const second = await cluster.startAgent();
  t.not(second.pid, first.pid);
  t.false(isAlive(first));
  const after = await untilPod(cluster, 'web', 'ready', isReady);
  t.is(pidOf(after, 'web'), pid);
});

test('settings that say how the agent works are taken over by it: the same agent, the same pod, and not one request fails', async (t) => {
  const { cluster, pid } = await withPod(t);
  cluster.store.create(Services, service('web'));
  cluster.store.create(Ingresses, ingress('web', 'web.localhost'));
  const client = new HttpClient(cluster.settings.httpPort);
  await until('an answer', async () => (await client.ask('web.localhost')).status === 200);
  const first = await running(cluster);
  const statuses: number[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) statuses.push((await client.ask('web.localhost', '/', { headers: { connection: 'close' } })).status);
  })();
  const settings = {
    ...cluster.settings,
    nodes: ['local-1', 'local-2'],
    podsMax: 2,
    drainMs: 1,
    connectionsMax: 500,
    logBytesMax: 70_000,
    gracePeriodSeconds: 299,
  };
  cluster.settings = settings;
  const record = await cluster.startAgent();
  t.is(record.pid, first.pid);
  const before = await cluster.control.state(record, settings, never);
  t.is((await cluster.control.state(record, settings, never)).settingsDigest, before.settingsDigest);
  await until('the second node lives', () => cluster.store.all<Node>(Nodes).length === 2);
  cluster.store.create(Pods, pod('there', { nodeName: 'local-2', containers: [container('two')] }));
  await untilPod(cluster, 'there', 'ready', isReady);
  cluster.settings = { ...settings, nodes: ['local-1'], connectionsMax: 1000 };
  await cluster.control.state(await cluster.startAgent(), cluster.settings, never);
  await until('what ran on a node that is no more has ended', () =>
    cluster.control.running().then(async (found) => found && (await cluster.control.state(found, cluster.settings, never)).pods === 1),
  );
  over.abort();
  await asking;
  t.true(statuses.length > 0 && statuses.every((status) => status === 200), statuses.join(' '));
  t.is(pidOf(await untilPod(cluster, 'web', 'ready', isReady), 'web'), pid);
  t.is((await running(cluster)).pid, first.pid);
});

test('another http port moves the traffic and nothing else: the same agent, the same pod, and not one request fails', async (t) => {
  const { cluster, pid } = await withPod(t);
  cluster.store.create(Services, service('web'));
  cluster.store.create(Ingresses, ingress('web', 'web.localhost'));
  const before = new HttpClient(cluster.settings.httpPort);
  await until('an answer', async () => (await before.ask('web.localhost')).status === 200);
  const first = await running(cluster);
  const own = { headers: { connection: 'close' } };
  const statuses: number[] = [];
  const ask = async () => void statuses.push((await before.ask('web.localhost', '/', own)).status);
  const clients = Promise.all(Array.from({ length: 3 }, () => untilRefused(t, ask)));
  cluster.settings = { ...cluster.settings, httpPort: await freePort() };
  const record = await cluster.startAgent();
  t.is(record.pid, first.pid);
  await cluster.control.state(record, cluster.settings, never);
  await clients;
  const after = new HttpClient(cluster.settings.httpPort);
  t.is((await after.ask('web.localhost')).status, 200, 'the new port answers from the moment on that the old one refuses');
  t.true(statuses.length > 0 && statuses.every((status) => status === 200), statuses.join(' '));
  t.is(pidOf(await untilPod(cluster, 'web', 'ready', isReady), 'web'), pid);
  await until(
    'the ingress says where',
    () => cluster.store.all<Ingress>(Ingresses)[0]?.status?.loadBalancer?.ingress?.[0]?.ports?.[0]?.port === cluster.settings.httpPort,
  );
});

test('stop ends agent and pods within its time, also pods that do not want to', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  const deaf = { name: 'main', image: 'process', command: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'] };
  cluster.store.create(Pods, pod('deaf', { terminationGracePeriodSeconds: 600, containers: [deaf] }));
  const found = await untilPod(cluster, 'deaf', 'running', isReady);
  const record = await running(cluster);
  const started = Date.now();
  await cluster.control.stop(4000, never);
  // The pod's own grace period is ten minutes.
  t.true(Date.now() - started < 60_000, `${Date.now() - started} ms`);
  t.false(isAlive(record));
  t.false(isRunning(pidOf(found, 'main')));
});

test('a stop also ends what containers of a killed agent have put into sessions of their own', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  // In a pod's command, `$$` stands for `$`, so this becomes `$$`, the shell's pid.
  const command = ['/bin/sh', '-c', "setsid sh -c 'echo $$$$; exec sleep 600' & exec sleep 600"];
  const parting = { name: 'main', image: 'process', command };
  cluster.store.create(Pods, pod('parting', { containers: [parting] }));
  const found = await untilPod(cluster, 'parting', 'running', isReady);
  const pid = Number(await until('a pid', async () => (await logOf(cluster, found, 'main')).trim() || undefined));
  await killed(await running(cluster));
  t.true(isRunning(pid));
  await cluster.control.stop(4000, never);
  await until('ended', () => !isRunning(pid));
  t.false(isRunning(pidOf(found, 'main')));
});

test('a taken http port is told by name and setting, and served as soon as it is free', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const squatter = createServer((_, response) => response.end('squatter')).listen(cluster.settings.httpPort, '127.0.0.1');
  await once(squatter, 'listening');
  await cluster.start();
  const condition = (status: string) =>
    until(`ProxyReady ${status}`, () =>
      cluster.store.all<Node>(Nodes)[0]?.status?.conditions?.find((found) => found.type === 'ProxyReady' && found.status === status),
    );
  const problem = await condition('False');
  t.is(
    problem.message,
    `port ${cluster.settings.httpPort} on 127.0.0.1 is taken by another program (EADDRINUSE); free it or set plugins.local.config.httpPort`,
  );
  squatter.close();
  squatter.closeAllConnections();
  await condition('True');
});

test('a node that goes silent is marked with its pods, kept free of new ones, and taken back', async (t) => {
  const { cluster } = await withPod(t, { heartbeatMs: 250 });
  await killed(await running(cluster));
  const node = () => cluster.store.all<Node>(Nodes)[0];
  const isReadyNode = (status: string) => node()?.status?.conditions?.some((found) => found.type === 'Ready' && found.status === status);
  await until('node unknown', () => isReadyNode('Unknown'));
  t.deepEqual(node()?.spec?.taints, [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }]);
  await untilPod(cluster, 'web', 'marked', (found) => found.status?.conditions?.some(({ reason }) => reason === 'NodeUnknown'));
  await cluster.startAgent();
  await until('node ready', () => isReadyNode('True'));
  await until('taint gone', () => (node()?.spec?.taints ?? []).length === 0);
  await untilPod(cluster, 'web', 'ready again', isReady);
});

test('pods that were bound and deleted while no agent looked neither run nor stay', async (t) => {
  const { cluster, pid } = await withPod(t);
  await killed(await running(cluster));
  cluster.store.delete(Pods, { namespace: 'default', name: 'web' }, { graceSeconds: 0 });
  t.true(isRunning(pid));
  await cluster.startAgent();
  await until('process ended', () => !isRunning(pid));
  await until('directory gone', async () => !(await stat(join(cluster.directory, 'agent', 'pods', 'x')).catch(() => false)));
  t.is(cluster.store.all<KubernetesLease>(Leases).length, 1);
});
