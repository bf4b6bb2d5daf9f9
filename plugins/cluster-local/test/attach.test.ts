import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ConversationRequest, RequestContext } from '@tappaas/sdk';
import { engineKinds } from '../dist/kinds/engine-kinds.js';
import { Pods } from '../dist/kinds/handles.js';
import { attachToPod, checkAttach } from '../dist/subresources/attach.js';
import { refuseSpdy } from '../dist/subresources/channels.js';
import type { AgentControl } from '../dist/supervision/agent-control.js';
import { ChannelClient, stderr, stdout } from './support/channel-client.ts';
import { FakeStore } from './support/fake-store.ts';
import { clock, LocalCluster, never, until } from './support/local-cluster.ts';
import { pod } from './support/manifests.ts';
import { logOf, untilPod } from './support/pods.ts';

const request = (query: Record<string, string>, name = 'web'): ConversationRequest => ({
  key: { namespace: 'default', name },
  query: new Map(Object.entries(query).map(([key, value]) => [key, [value]])),
});
const both = { stdout: 'true', stderr: 'true' };

const context = (cluster: LocalCluster, signal: AbortSignal = never): RequestContext =>
  ({ asCaller: cluster.store.resources(), clock, signal }) as unknown as RequestContext;

/** Starts a pod that has written output, and that writes more or ends when the test says so. */
async function speaking(t: ExecutionContext) {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  const file = (name: string) => join(cluster.directory, name);
  const script = `echo before; while [ ! -e ${file('say')} ]; do sleep 0.05; done; echo out; echo err >&2; touch ${file('said')}; while [ ! -e ${file('end')} ]; do sleep 0.05; done; echo last`;
  cluster.store.create(
    Pods,
    pod('web', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'process', command: ['/bin/sh', '-c', script] }] }),
  );
  const found = await untilPod(cluster, 'web', 'main runs', ({ status }) => status?.containerStatuses?.[0]?.state?.running);
  await until('written', async () => (await logOf(cluster, found, 'main')) === 'before\n');
  const begin = async (query: Record<string, string>) => {
    const client = new ChannelClient();
    const talk = await attachToPod(request(query), context(cluster), cluster.control);
    return { client, over: talk(client) };
  };
  const touch = (name: string) => writeFile(file(name), '');
  return { cluster, begin, touch, hasPrinted: () => existsSync(file('said')) };
}

test('a client that attaches hears each output from then on, and the end of the container', async (t) => {
  const { begin, touch, hasPrinted } = await speaking(t);
  const [all, one] = [await begin(both), await begin({ stderr: 'true' })];
  await touch('say');
  await until('said', hasPrinted);
  await until('heard', () => all.client.on(stderr).length > 0 && all.client.on(stdout).length > 0 && one.client.on(stderr).length > 0);
  await touch('end');
  await Promise.all([all.over, one.over]);
  t.is(all.client.on(stdout).toString(), 'out\nlast\n');
  t.is(all.client.on(stderr).toString(), 'err\n');
  t.is(all.client.status.status, 'Success');
  t.is(one.client.on(stdout).toString(), '');
  t.is(one.client.on(stderr).toString(), 'err\n');
});

test('a client that goes ends what is carried to it, and the container goes on', async (t) => {
  const { begin, touch, hasPrinted } = await speaking(t);
  const { client, over } = await begin(both);
  client.go();
  await over;
  await touch('say');
  await until('said', hasPrinted);
  t.deepEqual(client.received, []);
});

test('what cannot be attached to is refused, and says why', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  cluster.store.create(Pods, pod('web', { containers: [{ name: 'main', image: 'no-such-image' }] }));
  const ask = (each: ConversationRequest) => attachToPod(each, context(cluster), cluster.control);
  for (const field of ['stdin', 'tty']) {
    await t.throwsAsync(ask(request({ ...both, [field]: 'true' })), { message: /neither a standard input nor a terminal/ });
  }
  await t.throwsAsync(ask(request({})), { message: /expected stdout or stderr/ });
  await t.throwsAsync(ask(request(both, 'gone')), { code: 'CLUSTER_LOCAL_NOT_FOUND' });
  await t.throwsAsync(ask(request({ ...both, container: 'other' })), { message: /container other is not valid/ });
  await t.throwsAsync(ask(request(both)), { code: 'CLUSTER_LOCAL_AGENT_UNREACHABLE' });
  await cluster.start();
  await untilPod(cluster, 'web', 'main waits', ({ status }) => status?.containerStatuses?.[0]?.state?.waiting);
  await t.throwsAsync(ask(request(both)), {
    message: /nothing to attach to in container "main" of pod "web": container main has not started yet/,
  });
  const spdy = { key: { namespace: 'default', name: 'web' }, params: {}, headers: {}, body: new Uint8Array() };
  await t.throwsAsync(refuseSpdy('attach', checkAttach)({ ...spdy, query: both }), { message: /attach is spoken over WebSocket here/ });
});

test('when one output cannot be had, the other is not left open', async (t) => {
  const other = Promise.withResolvers<Socket>();
  const node = createServer(({ url = '', socket }, answer) => {
    if (url.endsWith('stream=stderr')) return void other.promise.then(() => socket.destroy());
    answer.flushHeaders();
    other.resolve(socket);
  }).listen(0, '127.0.0.1');
  await once(node, 'listening');
  t.teardown(() => (node.closeAllConnections(), node.close()));
  const store = new FakeStore(engineKinds);
  store.create(Pods, pod('web', { containers: [{ name: 'main', image: 'process' }] }));
  const record = { port: (node.address() as AddressInfo).port, token: 'token' };
  const control = { running: async () => record } as unknown as AgentControl;
  const closed = other.promise.then((socket) => once(socket, 'close', { signal: AbortSignal.timeout(60_000) }));
  const asking = { asCaller: store.resources(), clock, signal: never } as unknown as RequestContext;
  await t.throwsAsync(attachToPod(request(both), asking, control), { code: 'CLUSTER_LOCAL_AGENT_UNREACHABLE' });
  await t.notThrowsAsync(closed);
});
