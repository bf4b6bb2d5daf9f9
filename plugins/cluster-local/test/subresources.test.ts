import test from 'ava';
import type { Event, HttpRequest, Key, Pod, RequestContext } from '@tappaas/sdk';
import { engineKinds } from '../dist/kinds/engine-kinds.js';
import { Events, Nodes, PodDisruptionBudgets, Pods } from '../dist/kinds/handles.js';
import { bindPod } from '../dist/subresources/binding.js';
import { evictPod } from '../dist/subresources/eviction.js';
import { readPodLog } from '../dist/subresources/log.js';
import { FakeStore } from './support/fake-store.ts';
import { clock, LocalCluster, never, until } from './support/local-cluster.ts';
import { pod } from './support/manifests.ts';
import { logOf, untilPod } from './support/pods.ts';

const context = (store: FakeStore): RequestContext => ({ asCaller: store.resources(), clock, signal: never }) as unknown as RequestContext;
const request = (name: string, body: object = {}, query: Record<string, string> = {}): HttpRequest & { readonly key: Key } => ({
  key: { namespace: 'default', name },
  params: {},
  headers: {},
  query,
  body: new TextEncoder().encode(JSON.stringify(body)),
});
const binding = (node: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata,
  target: { kind: 'Node', name: node },
});
const idle = { containers: [{ name: 'main', image: 'process' }] };

test('a pod is bound once; every later binding is a conflict', async (t) => {
  const store = new FakeStore(engineKinds);
  store.create(Pods, pod('p', idle));
  t.is((await bindPod(request('p', binding('a')), context(store))).status, 201);
  t.is(store.get<Pod>(Pods, { namespace: 'default', name: 'p' })?.spec?.nodeName, 'a');
  for (const node of ['a', 'b']) {
    const error = await t.throwsAsync(bindPod(request('p', binding(node)), context(store)), { code: 'CLUSTER_LOCAL_POD_BOUND' });
    t.is(error?.message, 'pod "p" is on node "a" already');
  }
});

test('of many bindings at once one wins', async (t) => {
  const store = new FakeStore(engineKinds);
  store.create(Pods, pod('p', idle));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => bindPod(request('p', binding(`n${index}`)), context(store))),
  );
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a binding names a node, and the pod it was made for', async (t) => {
  const store = new FakeStore(engineKinds);
  store.create(Pods, pod('p', idle));
  await t.throwsAsync(bindPod(request('p', { target: {} }), context(store)), { code: 'CLUSTER_LOCAL_REQUEST_INVALID' });
  await t.throwsAsync(bindPod(request('p', binding('a', { uid: 'another' })), context(store)), {
    message: /is another one than the one to bind/,
  });
  await t.throwsAsync(bindPod(request('gone', binding('a')), context(store)), { code: 'CLUSTER_LOCAL_NOT_FOUND' });
  await t.throwsAsync(bindPod({ ...request('p'), body: new TextEncoder().encode('no json') }, context(store)), {
    code: 'CLUSTER_LOCAL_REQUEST_INVALID',
  });
});

test('an eviction that would break a disruption budget is held back', async (t) => {
  const store = new FakeStore(engineKinds);
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], phase: 'Running' };
  for (const name of ['a', 'b', 'c']) {
    store.create(Pods, pod(name, { ...idle, nodeName: 'n' }, { app: 'x' }));
    store.patch(Pods, { namespace: 'default', name }, { status: ready }, 'status');
  }
  store.create(PodDisruptionBudgets, {
    metadata: { name: 'two', namespace: 'default' },
    spec: { minAvailable: 2, selector: { matchLabels: { app: 'x' } } },
  });
  t.is((await evictPod(request('a'), context(store))).status, 201);
  await t.throwsAsync(evictPod(request('b'), context(store)), {
    message: 'evicting pod "b" would break disruption budget "two": 2 pods are ready, 2 must stay',
  });
  store.patch(Pods, { namespace: 'default', name: 'c' }, { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, 'status');
  t.is((await evictPod(request('c'), context(store))).status, 201, 'a pod that is not ready may always go');
});

async function bodyOf(answer: Awaited<ReturnType<typeof readPodLog>>): Promise<string> {
  let text = '';
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) text += new TextDecoder().decode(chunk);
  return text;
}

test('pods/log passes on what the container wrote, and says why it cannot', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const ask = (name: string, query: Record<string, string> = {}) =>
    readPodLog(request(name, {}, query), context(cluster.store), cluster.control);
  cluster.store.create(
    Pods,
    pod('two', {
      containers: [
        { name: 'a', image: 'process', command: ['/bin/sh', '-c', 'echo a1; echo a2; echo e1 >&2; sleep 60'] },
        { name: 'b', image: 'no-such-image' },
      ],
    }),
  );
  await t.throwsAsync(ask('two', { container: 'a' }), { code: 'CLUSTER_LOCAL_AGENT_UNREACHABLE' });
  await cluster.start();
  const found = await untilPod(cluster, 'two', 'a runs', ({ status }) => status?.containerStatuses?.[0]?.state?.running);
  await until('written', async () => (await logOf(cluster, found, 'a')).length === 9);
  t.is((await bodyOf(await ask('two', { container: 'a' }))).length, 9);
  t.is(await bodyOf(await ask('two', { container: 'a', stream: 'Stdout' })), 'a1\na2\n');
  t.is(await bodyOf(await ask('two', { container: 'a', stream: 'Stderr' })), 'e1\n');
  t.is(await bodyOf(await ask('two', { container: 'a', stream: 'Stdout', tailLines: '1' })), 'a2\n');
  await t.throwsAsync(ask('two', { container: 'a', stream: 'stdin' }), { message: 'expected All, Stdout, Stderr, found "stdin"' });
  t.is(await bodyOf(await ask('two', { container: 'a', sinceTime: '2999-01-01T00:00:00Z' })), '');
  await t.throwsAsync(ask('two'), { message: 'a container name must be specified for pod two, choose one of: [a b]' });
  await t.throwsAsync(ask('two', { container: 'c' }), { message: 'container c is not valid for pod two, choose one of: [a b]' });
  await t.throwsAsync(ask('two', { container: 'a', previous: 'true' }), { message: /has no run before the present one/ });
  await t.throwsAsync(ask('two', { container: 'a', tailLines: 'x' }), { message: 'expected a whole number, found "x"' });
  await t.throwsAsync(ask('none'), { code: 'CLUSTER_LOCAL_NOT_FOUND' });
  const waiting = await until('b told', () =>
    ask('two', { container: 'b' }).then(
      () => undefined,
      (error: Error) => /ImageNeedsContainerRuntime/.test(error.message) && error,
    ),
  );
  t.regex(waiting.message, /no log of container "b" in pod "two": container b has not started yet: ImageNeedsContainerRuntime/);
});

test('what happens to a pod is told as Events, the same one once with its count', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  await cluster.start();
  await until('node', () => cluster.store.all(Nodes).length === 1);
  cluster.store.create(
    Pods,
    pod('talk', {
      containers: [
        { name: 'main', image: 'process', command: ['/bin/sh', '-c', 'exit 4'] },
        { name: 'fine', image: 'process', command: ['sleep', '60'] },
      ],
    }),
  );
  const events = () => cluster.store.all<Event>(Events).filter(({ involvedObject }) => involvedObject.name === 'talk');
  await until('told', () => ['Started', 'Failed', 'BackOff'].every((reason) => events().some((event) => event.reason === reason)));
  await untilPod(cluster, 'talk', 'three runs', ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 3);
  const failed = events().filter(({ reason }) => reason === 'Failed');
  t.is(failed.length, 1);
  t.is(failed[0]?.message, 'container main ended with 4');
  t.is(failed[0]?.involvedObject.uid, cluster.store.get<Pod>(Pods, { namespace: 'default', name: 'talk' })?.metadata.uid);
});
