import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Pods } from '../dist/kinds/handles.js';
import { LocalCluster, until } from './support/local-cluster.ts';
import { pod } from './support/manifests.ts';
import { followUp, hostPort, isReady, isRunning, logOf, pidOf, read, state, untilPod } from './support/pods.ts';

const server = `require('node:http').createServer((q, s) => s.end('hello from ' + process.pid)).listen(process.env.PORT);`;
const node = (source: string, more: object = {}) => ({ name: 'main', image: 'process', command: ['node', '-e', source], ...more });
const shell = (script: string, more: object = {}) => ({ name: 'main', image: 'process', command: ['/bin/sh', '-c', script], ...more });

let cluster: LocalCluster;
test.before(async () => {
  cluster = await LocalCluster.make();
  await cluster.start();
});
test.after.always(() => cluster.end());

/** A script that waits until the test creates a file, so that the test can look meanwhile. */
const awaitFile = (name: string): string => `while [ ! -e ${join(cluster.directory, name)} ]; do sleep 0.05; done`;
const touch = (name: string) => writeFile(join(cluster.directory, name), '');

const key = (name: string) => ({ namespace: 'default', name });
const create = (name: string, spec: object) => void cluster.store.create(Pods, pod(name, spec));

test('a pod runs as a process, is ready on its injected port, and goes with its process when deleted', async (t) => {
  create('web', { containers: [node(server, { ports: [{ name: 'http', containerPort: 8080 }] })] });
  const ready = await untilPod(cluster, 'web', 'ready', isReady);
  t.is(ready.status?.phase, 'Running');
  t.is(ready.status?.podIP, '127.0.0.1');
  t.deepEqual(
    ready.status?.conditions?.map(({ type, status }) => `${type}=${status}`),
    ['PodScheduled=True', 'Initialized=True', 'ContainersReady=True', 'Ready=True'],
  );
  const answer = await fetch(`http://127.0.0.1:${hostPort(ready)}/`);
  t.regex(await answer.text(), /^hello from \d+$/);
  cluster.store.delete(Pods, key('web'));
  await until('gone', () => read(cluster, 'web') === undefined);
  t.false(isRunning(pidOf(ready, 'main')));
  await t.throwsAsync(fetch(`http://127.0.0.1:${hostPort(ready)}/`));
});

test('a process that ignores PORT is not ready, and the reason says where it listens', async (t) => {
  const stubborn = `const s = require('node:net').createServer().listen(0, () => console.log(s.address().port));`;
  create('stubborn', { containers: [node(stubborn, { ports: [{ containerPort: 3000 }] })] });
  const found = await untilPod(cluster, 'stubborn', 'told', ({ status }) =>
    status?.conditions?.some(({ reason }) => reason === 'PortNotListening'),
  );
  const ready = found.status?.conditions?.find(({ type }) => type === 'Ready');
  const listens = (await logOf(cluster, found, 'main')).trim();
  t.is(ready?.status, 'False');
  t.true(ready?.message?.includes(`listens on ${listens} instead of ${hostPort(found)}`), ready?.message);
  t.true(ready?.message?.includes('PORT_<NAME>'));
});

test('each declared port gets a host port of its own, injected by number and by name', async (t) => {
  create('ports', {
    restartPolicy: 'Never',
    containers: [
      shell('echo "$PORT $PORT_ADMIN_API"', {
        env: [{ name: 'PORT', value: '80' }],
        ports: [{ containerPort: 80 }, { name: 'admin-api', containerPort: 81 }],
      }),
    ],
  });
  const done = await untilPod(cluster, 'ports', 'done', ({ status }) => status?.phase === 'Succeeded');
  const [first, second] = [hostPort(done, 'main/80/TCP'), hostPort(done, 'main/81/TCP')];
  t.is(await logOf(cluster, done, 'main'), `${first} ${second}\n`);
  t.not(first, second);
});

test('a container that ends is started again at once, and then after growing delays', async (t) => {
  create('crash', { containers: [shell('echo run; exit 3')] });
  const waiting = await untilPod(
    cluster,
    'crash',
    'in back-off',
    (found) => state(found, 'main')?.state?.waiting?.reason === 'CrashLoopBackOff',
  );
  t.true((state(waiting, 'main')?.restartCount ?? 0) >= 1);
  t.is(state(waiting, 'main')?.lastState?.terminated?.exitCode, 3);
  t.regex(state(waiting, 'main')?.state?.waiting?.message ?? '', /ended \d+ times in a row; starts again at/);
  t.is(waiting.status?.phase, 'Running');
  const later = await untilPod(cluster, 'crash', 'four runs', (found) => (state(found, 'main')?.restartCount ?? 0) >= 4);
  t.is(await logOf(cluster, later, 'main', 'previous=true'), 'run\n');
});

test('restartPolicy Never leaves a failed container as it ended', async (t) => {
  create('never', { restartPolicy: 'Never', containers: [shell('kill -TERM $$$$')] });
  const failed = await untilPod(cluster, 'never', 'failed', ({ status }) => status?.phase === 'Failed');
  t.like(state(failed, 'main')?.state?.terminated, { exitCode: 143, signal: 15, reason: 'Error' });
  t.is(state(failed, 'main')?.restartCount, 0);
});

test('a failing liveness probe starts the container again', async (t) => {
  create('sick', {
    containers: [
      shell('rm -f healthy; touch healthy; sleep 0.3; rm healthy; sleep 60', {
        livenessProbe: {
          exec: { command: ['cat', 'healthy'] },
          periodSeconds: 1,
          timeoutSeconds: 60,
          failureThreshold: 1,
          initialDelaySeconds: 0,
          terminationGracePeriodSeconds: 1,
        },
      }),
    ],
  });
  const again = await untilPod(cluster, 'sick', 'started again', (found) => (state(found, 'main')?.restartCount ?? 0) >= 1);
  t.regex(state(again, 'main')?.lastState?.terminated?.message ?? '', /^liveness probe failed: "cat healthy" ended with 1/);
});

test('a startup probe holds readiness back until it succeeds', async (t) => {
  create('slow', {
    containers: [
      shell(`${awaitFile('start')}; touch up; sleep 600`, {
        startupProbe: { exec: { command: ['cat', 'up'] }, periodSeconds: 1, timeoutSeconds: 60, failureThreshold: 600 },
      }),
    ],
  });
  const early = await untilPod(cluster, 'slow', 'running', (found) => state(found, 'main')?.state?.running);
  t.false(isReady(early));
  t.false(state(early, 'main')?.started);
  await touch('start');
  const late = await untilPod(cluster, 'slow', 'ready', isReady);
  t.true(state(late, 'main')?.started);
});

test('init containers run in order before the others, and a failed one is tried again', async (t) => {
  const volumes = [{ name: 'shared', emptyDir: {} }];
  const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
  const init = (name: string, script: string) => ({ name, image: 'process', command: ['/bin/sh', '-c', script], volumeMounts });
  create('ordered', {
    restartPolicy: 'OnFailure',
    volumes,
    initContainers: [init('first', 'echo 1 >> /shared/log; [ $(wc -l < /shared/log) -ge 2 ]'), init('second', 'echo 2 >> /shared/log')],
    containers: [shell('cat /shared/log', { volumeMounts })],
  });
  const done = await untilPod(cluster, 'ordered', 'done', ({ status }) => status?.phase === 'Succeeded');
  t.is(await logOf(cluster, done, 'main'), '1\n1\n2\n');
  t.deepEqual(
    done.status?.initContainerStatuses?.map(({ name, restartCount }) => [name, restartCount]),
    [
      ['first', 1],
      ['second', 0],
    ],
  );
});

test('a sidecar runs before and beside the others and ends with them', async (t) => {
  create('sidecar', {
    restartPolicy: 'Never',
    initContainers: [{ name: 'side', image: 'process', restartPolicy: 'Always', command: ['sleep', '600'] }],
    containers: [shell(awaitFile('end'))],
  });
  const running = await untilPod(cluster, 'sidecar', 'side runs', ({ status }) => status?.initContainerStatuses?.[0]?.state?.running);
  const pid = Number(running.status?.initContainerStatuses?.[0]?.containerID?.replace('process://', ''));
  await touch('end');
  await untilPod(cluster, 'sidecar', 'done', ({ status }) => status?.phase === 'Succeeded');
  await until('side ended', () => !isRunning(pid));
  t.pass();
});

test('SIGTERM comes first, and SIGKILL after the grace', async (t) => {
  create('patient', {
    terminationGracePeriodSeconds: 3,
    containers: [shell('trap "echo term" TERM; echo up; while :; do sleep 0.05; done')],
  });
  const running = await untilPod(cluster, 'patient', 'running', isReady);
  const log = await followUp(cluster, running);
  const started = Date.now();
  cluster.store.delete(Pods, key('patient'));
  await until('gone', () => read(cluster, 'patient') === undefined);
  t.true(Date.now() - started >= 2_950, `gone after ${Date.now() - started} ms`);
  t.regex(await log.whole, /^up\nterm\n/);
  t.false(isRunning(pidOf(running, 'main')));
});

test('what a container leaves behind in other process groups ends with it', async (t) => {
  create('forks', { restartPolicy: 'Never', containers: [shell('setsid sleep 300 & echo $!; sleep 0.3')] });
  const done = await untilPod(cluster, 'forks', 'done', ({ status }) => status?.phase === 'Succeeded');
  const pid = Number(await logOf(cluster, done, 'main'));
  t.true(pid > 1);
  t.false(isRunning(pid));
});

test('a pod that runs for longer than it may fails', async (t) => {
  create('deadline', { activeDeadlineSeconds: 1, containers: [shell('sleep 600')] });
  const failed = await untilPod(cluster, 'deadline', 'failed', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.reason, 'DeadlineExceeded');
});

test('a pod whose time runs out while its containers start fails for the same reason', async (t) => {
  const containers = Array.from({ length: 30 }, (_, index) => shell('sleep 600', { name: `c${index}` }));
  create('late', { activeDeadlineSeconds: 0.1, containers });
  const failed = await untilPod(cluster, 'late', 'failed', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.reason, 'DeadlineExceeded');
});

test('hooks run after the start and before the end', async (t) => {
  const script = `
    const told = () => require('fs').readFileSync('hooks', { encoding: 'utf8', flag: 'a+' }).trim();
    process.on('SIGTERM', () => process.exit(console.log(told())));
    setInterval(() => told() === 'post' && up(), 20);
    let up = () => (up = () => {}, console.log('up'));
  `;
  const append = (word: string) => ({ exec: { command: ['/bin/sh', '-c', `echo ${word} >> hooks`] } });
  create('hooks', {
    terminationGracePeriodSeconds: 60,
    containers: [node(script, { lifecycle: { postStart: append('post'), preStop: append('pre') } })],
  });
  const running = await untilPod(cluster, 'hooks', 'running', isReady);
  const log = await followUp(cluster, running);
  cluster.store.delete(Pods, key('hooks'));
  t.is(await log.whole, 'up\npost\npre\n');
});

test('an image that is not in the images directory waits with a reason', async (t) => {
  create('nginx', { containers: [{ name: 'main', image: 'nginx:1.27' }] });
  const found = await untilPod(
    cluster,
    'nginx',
    'told',
    (seen) => state(seen, 'main')?.state?.waiting?.reason !== 'ContainerCreating' && state(seen, 'main'),
  );
  t.is(state(found, 'main')?.state?.waiting?.reason, 'ImageNeedsContainerRuntime');
  t.is(found.status?.phase, 'Pending');
});

test('a program that is nowhere to be found waits with a reason', async (t) => {
  create('missing', { containers: [{ name: 'main', image: 'process', command: ['no-such-program'] }] });
  const found = await untilPod(
    cluster,
    'missing',
    'told',
    (seen) => state(seen, 'main')?.state?.waiting?.reason === 'CreateContainerError',
  );
  t.regex(state(found, 'main')?.state?.waiting?.message ?? '', /program "no-such-program" is neither in PATH/);
});
