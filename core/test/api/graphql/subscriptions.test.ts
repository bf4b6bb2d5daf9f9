import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { ServedField } from '../../../dist/api/contributions.js';
import type { EnginePort } from '../../../dist/ports/engine.js';
import type { AuditedStanding } from '../../../dist/ports/audit.js';
import { flowErrors } from '../../../dist/flow/errors.js';
import { ownMs } from '../../own-time.ts';
import { realClock } from '../running-server.ts';
import {
  application,
  fickle,
  kindPaths,
  release,
  startGraphql,
  type GraphqlServer,
  type GraphqlServerOptions,
  type TestObject,
} from './graphql-server.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into results freely
type Result = any;

interface Followed {
  next(): Promise<Result>;
  /** How it ended: the errors, or nothing when it was completed. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

interface Connected {
  readonly client: Client;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly follow: (query: string, variables?: Record<string, unknown>) => Followed;
}

function connect(t: { teardown(close: () => void): void }, port: number, as = 'admin', byMessage = false): Connected {
  const headers = byMessage || as === '' ? {} : { authorization: `Bearer ${as}` };
  const closing = Promise.withResolvers<{ code: number; reason: string }>();
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers });
      }
    },
    retryAttempts: 0,
    lazy: true,
    lazyCloseTimeout: 60_000,
    ...(byMessage && { connectionParams: { authorization: `Bearer ${as}` } }),
    on: { closed: (event) => closing.resolve(event as { code: number; reason: string }) },
  });
  t.teardown(() => void client.dispose());
  return {
    client,
    closed: closing.promise,
    follow(query, variables) {
      const results: Result[] = [];
      const waiting: (() => void)[] = [];
      const ending = Promise.withResolvers<unknown>();
      const wake = (): void => {
        for (const each of waiting.splice(0)) each();
      };
      const state = { isOver: false };
      const end = (reason?: unknown): void => {
        state.isOver = true;
        ending.resolve(reason);
        wake();
      };
      const stop = client.subscribe(
        { query, ...(variables && { variables }) },
        {
          next: (result) => {
            results.push(result);
            wake();
          },
          error: end,
          complete: () => end(),
        },
      );
      return {
        ended: ending.promise,
        stop,
        async next() {
          while (results.length === 0 && !state.isOver) await new Promise<void>((resolve) => void waiting.push(resolve));
          return results.shift();
        },
      };
    },
  };
}

const changes = `subscription C($since: String) { applicationChanges(namespace: "team", since: $since) { type resourceVersion object { name spec { runtime } } } }`;

async function update(server: GraphqlServer, name: string, change: object): Promise<void> {
  const query = 'mutation U($input: UpdateApplicationInput!) { updateApplication(input: $input) { userErrors { message } } }';
  const { json } = await server.ask(query, { input: { namespace: 'team', name, ...change } });
  if (json.data.updateApplication.userErrors.length > 0) throw new Error(JSON.stringify(json));
}

test('changes are told in order, from what is there, until the subscriber has enough', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const { follow } = connect(t, server.port);
  const changed = follow(changes);
  const told = async () => {
    const { type, object } = (await changed.next()).data.applicationChanges;
    return [type, object.name, object.spec.runtime];
  };
  t.deepEqual(await told(), ['ADDED', 'shop', 'standard']);
  await server.put(kindPaths.applications, application('other'));
  t.deepEqual(await told(), ['ADDED', 'other', 'standard']);
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  t.deepEqual(await told(), ['MODIFIED', 'shop', 'gpu']);
  await server.ask('mutation { deleteApplication(input: { namespace: "team", name: "shop" }) { userErrors { code } } }');
  t.deepEqual(await told(), ['DELETED', 'shop', 'gpu']);
  changed.stop();
  t.is(await changed.ended, undefined);
});

test('each subscription has a seat of a stream until it is over, however it ends', async (t) => {
  const seats = new Set<symbol>();
  const flow = ({ stream }: { readonly stream: boolean }) => {
    if (!stream) return { release: () => {} };
    if (seats.size >= 3) throw flowErrors.TAP_FLOW_FULL({ message: 'three streams are running' });
    const seat = Symbol('seat');
    seats.add(seat);
    return { release: () => void seats.delete(seat) };
  };
  const server = await startGraphql(t, { flow });
  await server.put(kindPaths.applications, application('shop'));
  const { client, closed, follow } = connect(t, server.port);
  const [first, second] = [follow(changes), follow(changes)];
  await Promise.all([first.next(), second.next()]);
  t.is(seats.size, 3);
  const [refusal] = (await follow(changes).ended) as { extensions: { code: string } }[];
  t.is(refusal?.extensions.code, 'TAP_FLOW_FULL');
  first.stop();
  await first.ended;
  while (seats.size > 2) await delay(5);
  await follow('subscription { nothing }').ended;
  await follow('subscription { applicationChanges(namespace: "team", since: "no version") { type } }').ended;
  while (seats.size > 2) await delay(5);
  await follow(changes).next();
  t.is(seats.size, 3);
  await client.dispose();
  await closed;
  while (seats.size > 0) await delay(5);
  t.pass();
});

test('a change of what is not selected is not told', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const changed = connect(t, server.port).follow(changes);
  t.is((await changed.next()).data.applicationChanges.type, 'ADDED');
  await update(server, 'shop', { labels: [{ key: 'color', value: 'blue' }] });
  await update(server, 'shop', { spec: { pin: 'shop-1' } });
  await update(server, 'shop', { spec: { runtime: 'edge' } });
  const { type, object } = (await changed.next()).data.applicationChanges;
  t.deepEqual([type, object.spec.runtime], ['MODIFIED', 'edge']);
});

test('a subscription goes on behind the change that was told last, on another connection', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const one = connect(t, server.port);
  const { resourceVersion } = (await one.follow(changes).next()).data.applicationChanges;
  await one.client.dispose();
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  await server.put(kindPaths.applications, application('late'));
  const resumed = connect(t, server.port).follow(changes, { since: resourceVersion });
  t.deepEqual(
    [(await resumed.next()).data.applicationChanges, (await resumed.next()).data.applicationChanges].map(({ type, object }) => [
      type,
      object.name,
    ]),
    [
      ['MODIFIED', 'shop'],
      ['ADDED', 'late'],
    ],
  );
});

test('a variable that is left out has its default in every event', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const { follow } = connect(t, server.port);
  const query = `subscription D($in: String! = "team", $named: Boolean! = false, $first: Int! = 1) {
    applicationChanges(namespace: $in) { type object { id @skip(if: $named) name @include(if: $named) releases(first: $first) { name } } } }`;
  const objectOf = async (variables?: Record<string, unknown>) => (await follow(query, variables).next()).data?.applicationChanges.object;
  t.deepEqual(Object.keys((await objectOf()) ?? {}), ['id', 'releases']);
  t.deepEqual(await objectOf({ named: true }), { name: 'shop', releases: [] });
});

test('a page and a subscription since its version leave no gap', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const { applications } = (await server.ask('{ applications { resourceVersion nodes { name } } }')).json.data;
  await server.put(kindPaths.applications, application('next'));
  const changed = connect(t, server.port).follow(changes, { since: applications.resourceVersion });
  t.is((await changed.next()).data.applicationChanges.object.name, 'next');
});

test('a version whose history is gone is an error that says what to do', async (t) => {
  const { port } = await startGraphql(t);
  const changed = connect(t, port).follow(changes, { since: '999999999' });
  const [error] = (await changed.ended) as { extensions: { code: string; remedy: string } }[];
  t.is(error?.extensions.code, 'TAP_OBJECT_UNKNOWN_VERSION');
  t.regex(error?.extensions.remedy ?? '', /List again/);
});

test('an operation is followed to its end', async (t) => {
  const server = await startGraphql(t);
  const target = { group: 'apps.tappaas.dev', kind: 'Application', name: 'shop', uid: 'u', generation: 1 };
  await server.put(kindPaths.operations, { metadata: { name: 'shop-deploy-1', namespace: 'team' }, spec: { verb: 'deploy', target } });
  const progress = connect(t, server.port).follow(
    'subscription { operationProgress(namespace: "team", name: "shop-deploy-1") { status { phase percent steps { name phase } } } }',
  );
  t.is((await progress.next()).data.operationProgress.status, null);
  const status = async (value: object) => {
    const path = '/apis/ops.tappaas.dev/v1alpha1/namespaces/team/operations/shop-deploy-1/status';
    const headers = { 'content-type': 'application/merge-patch+json' };
    t.is((await server.http(path, { method: 'PATCH', body: { status: value }, headers })).status, 200);
  };
  await status({ phase: 'Running', percent: 40, steps: [{ name: 'build', phase: 'Running' }] });
  t.deepEqual((await progress.next()).data.operationProgress.status, {
    phase: 'Running',
    percent: 40,
    steps: [{ name: 'build', phase: 'Running' }],
  });
  await status({ phase: 'Succeeded', percent: 100 });
  t.is((await progress.next()).data.operationProgress.status.phase, 'Succeeded');
  t.is(await progress.ended, undefined);
});

test('an operation that does not exist is not waited for, and audit is told so', async (t) => {
  const server = await startGraphql(t);
  const { follow } = connect(t, server.port);
  const query = 'subscription P($namespace: String!) { operationProgress(namespace: $namespace, name: "shop-deploy-1") { name } }';
  const target = { group: 'apps.tappaas.dev', kind: 'Application', name: 'shop', uid: 'u', generation: 1 };
  await server.put(kindPaths.operations, { metadata: { name: 'shop-deploy-1', namespace: 'other' }, spec: { verb: 'deploy', target } });
  const missing = follow(query, { namespace: 'team' });
  const [error] = (await missing.ended) as { message: string; extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_OBJECT_NOT_FOUND');
  t.is(error?.message, 'operations "shop-deploy-1" not found');
  const told = server.audited.filter(({ isPart }) => isPart).map(({ verb, outcome: { status, errorCode } }) => [verb, status, errorCode]);
  t.deepEqual(told, [['watch', 404, 'TAP_OBJECT_NOT_FOUND']]);
  await server.put(kindPaths.operations, { metadata: { name: 'shop-deploy-1', namespace: 'team' }, spec: { verb: 'deploy', target } });
  t.is((await follow(query, { namespace: 'team' }).next()).data.operationProgress.name, 'shop-deploy-1');
});

test('what happens to the platform is followed, and what is told about anything else is left out', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.namespaces, { metadata: { name: 'default' } });
  const about = async (name: string, involvedObject: object) =>
    server.put(kindPaths.events, {
      metadata: { name: name.toLowerCase(), namespace: 'default' },
      involvedObject,
      type: 'Warning',
      reason: name,
    });
  const plugin = { apiVersion: 'platform.tappaas.dev/v1alpha1', kind: 'Plugin', name: 'quota', uid: 'u' };
  await about('Before', plugin);
  const { follow } = connect(t, server.port);
  const events = follow('subscription { platformEvents { type resourceVersion object { reason involvedObject { name } } } }');
  const { object, resourceVersion } = (await events.next()).data.platformEvents;
  t.deepEqual(object, { reason: 'Before', involvedObject: { name: 'quota' } });
  await about('Elsewhere', { apiVersion: 'v1', kind: 'Pod', name: 'quota', uid: 'v' });
  await about('BreakerOpen', plugin);
  t.is((await events.next()).data.platformEvents.object.reason, 'BreakerOpen');
  const resumed = follow('subscription R($since: String) { platformEvents(since: $since) { object { reason } } }', {
    since: resourceVersion,
  });
  t.is((await resumed.next()).data.platformEvents.object.reason, 'BreakerOpen');
  const [error] = (await connect(t, server.port, 'team').follow('subscription { platformEvents { type } }').ended) as {
    extensions: { code: string };
  }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
});

test('who is of a tenant is told what happens to what is the tenant’s, and nothing else of the platform', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.namespaces, { metadata: { name: 'default' } });
  const about = async (reason: string, kind: string, { metadata: { name, uid } }: TestObject) =>
    server.put(kindPaths.events, {
      metadata: { name: reason.toLowerCase(), namespace: 'default' },
      involvedObject: { apiVersion: 'platform.tappaas.dev/v1alpha1', kind, name, uid },
      type: 'Normal',
      reason,
    });
  const put = (name: string) => server.put(kindPaths.tenants, { metadata: { name }, spec: {} });
  const [acme, other] = [await put('acme'), await put('other')];
  await about('Before', 'Tenant', acme);
  const { follow } = connect(t, server.port, 'customer');
  const query = 'subscription E($since: String) { platformEvents(since: $since) { type resourceVersion object { reason } } }';
  const events = follow(query);
  const { object, resourceVersion } = (await events.next()).data.platformEvents;
  t.is(object.reason, 'Before');
  await about('OfAnother', 'Tenant', other);
  await about('OfThePlatform', 'Platform', { metadata: { name: 'platform', uid: 'platform' } });
  await about('OfAPlugin', 'Plugin', { metadata: { name: 'quota', uid: 'q' } });
  await about('OfWhatIsNotThere', 'Nothing', acme);
  await about('OfTheSameNameBefore', 'Tenant', { metadata: { name: 'acme', uid: 'before' } });
  await about('After', 'Tenant', acme);
  t.is((await events.next()).data.platformEvents.object.reason, 'After');
  t.is((await follow(query, { since: resourceVersion }).next()).data.platformEvents.object.reason, 'After');
  const everything = connect(t, server.port).follow(query);
  const all = [];
  for (let index = 0; index < 7; index += 1) all.push((await everything.next()).data.platformEvents.object.reason);
  t.deepEqual(all, ['After', 'Before', 'OfAnother', 'OfAPlugin', 'OfThePlatform', 'OfTheSameNameBefore', 'OfWhatIsNotThere']);
  const stopped = follow(query);
  await stopped.next();
  stopped.stop();
  await stopped.ended;
  while (!server.audited.some(({ verb }) => verb === 'watch')) await delay(5);
  const { target, outcome } = server.audited.find(({ verb }) => verb === 'watch') ?? {};
  t.deepEqual([target?.kind.plural, target?.name, outcome?.status, outcome?.decision?.decision], ['tenants', 'acme', 200, 'allow']);
});

test.serial('whoever may not watch is refused, and a right that is taken away ends what is followed', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const refused = connect(t, server.port, 'nobody').follow(changes);
  const [error] = (await refused.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const elsewhere = connect(t, server.port, 'team').follow('subscription { applicationChanges(namespace: "other") { type } }');
  fickle.may = true;
  t.is(((await elsewhere.ended) as (typeof error)[])[0]?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const changed = connect(t, server.port, 'fickle').follow(changes);
  t.is((await changed.next()).data.applicationChanges.type, 'ADDED');
  fickle.may = false;
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  t.is(await changed.next(), undefined);
  t.is(((await changed.ended) as (typeof error)[])[0]?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
});

test.serial('audit is told when a subscription begins and when it ends, of what, and why it was refused or ended', async (t) => {
  const told: unknown[][] = [];
  const left = Promise.withResolvers<void>();
  const server = await startGraphql(t, {
    audit: ({ requestId, verb, target }) => {
      const tell = (moment: string) => (standing: AuditedStanding) => {
        const { status, decision, annotations } = standing;
        if (target === undefined || verb !== 'watch') return;
        told.push([moment, verb, target.kind.plural, target.namespace, target.name, status, decision?.decision]);
        told.push([requestId.includes('/'), annotations?.get('graphql.operation'), annotations?.get('graphql.hash')?.length]);
        if (moment === 'end' && target.name === 'left') left.resolve();
      };
      return { streaming: tell('begin'), end: tell('end') };
    },
  });
  const facts = [false, 'subscription Watch', 64];
  const watch = (name: string) => `subscription Watch { applicationChanges(namespace: "team", name: "${name}", bookmarks: true) { type } }`;
  await connect(t, server.port, 'nobody').follow(watch('refused')).ended;
  t.deepEqual(told.splice(0), [['end', 'watch', 'applications', 'team', 'refused', 403, 'no-opinion'], facts]);
  fickle.may = true;
  await server.put(kindPaths.applications, application('lost'));
  const lost = connect(t, server.port, 'fickle').follow(watch('lost'));
  await lost.next();
  t.deepEqual(told.splice(0), [['begin', 'watch', 'applications', 'team', 'lost', 200, 'allow'], facts]);
  fickle.may = false;
  await update(server, 'lost', { spec: { runtime: 'gpu' } });
  await lost.ended;
  t.deepEqual(told.splice(0), [['end', 'watch', 'applications', 'team', 'lost', 403, 'no-opinion'], facts]);
  await server.put(kindPaths.applications, application('left'));
  const stopped = connect(t, server.port, 'admin').follow(watch('left'));
  await stopped.next();
  stopped.stop();
  await left.promise;
  t.deepEqual(told.slice(2), [['end', 'watch', 'applications', 'team', 'left', 200, 'allow'], facts]);
});

test.serial('a right that is taken away ends what is followed within ten seconds, when nothing changes, too', async (t) => {
  const server = await startGraphql(t);
  fickle.may = true;
  await server.put(kindPaths.applications, application('shop'));
  const connected = connect(t, server.port, 'fickle');
  const changed = connected.follow(changes);
  t.is((await changed.next()).data.applicationChanges.type, 'ADDED');
  fickle.may = false;
  t.true((await ownMs(() => changed.ended)) < 10_000);
  const [error] = (await changed.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const { outcome } = server.audited.find(({ verb }) => verb === 'watch') ?? {};
  t.deepEqual([outcome?.status, outcome?.decision?.decision], [403, 'no-opinion']);
});

test('who may see another part of it than when it began is denied the rest, and audit is told that', async (t) => {
  const view = { narrowed: { labelSelector: 'app=shop' } };
  const server = await startGraphql(t, { authorize: () => ({ decision: 'allow', reason: 'some of it', ...view }) });
  for (const name of ['shop', 'hidden']) await server.put(kindPaths.applications, application(name));
  const changed = connect(t, server.port).follow(changes);
  t.is((await changed.next()).data.applicationChanges.object.name, 'shop');
  view.narrowed = { labelSelector: 'app in (shop,hidden)' };
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  const [error] = (await changed.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const { outcome } = server.audited.find(({ verb }) => verb === 'watch') ?? {};
  t.deepEqual(
    [outcome?.status, outcome?.decision],
    [403, { decision: 'deny', reason: 'another part of it may be seen than when it began' }],
  );
});

type LogLines = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** A clock that goes as clocks do, and is put forward by the test. */
function skippingClock(): { readonly clock: Clock; readonly skip: (ms: number) => void } {
  let aheadMs = 0;
  return { clock: { ...realClock, nowMs: () => realClock.nowMs() + aheadMs }, skip: (ms) => void (aheadMs += ms) };
}

/** GraphQL beside a cluster with one pod of the application `shop`, whose status may change, and whose log is what `lines` yields. */
async function withPod(
  t: ExecutionContext,
  {
    status = {},
    lines = async function* () {},
    clock = realClock,
  }: { readonly status?: object; readonly lines?: LogLines; readonly clock?: Clock },
): Promise<GraphqlServer> {
  const labels = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'web' };
  const local = { list: async () => ({ items: [{ object: { metadata: { name: 'shop-web-1', namespace: 'team', labels }, status } }] }) };
  const handle = async (_: unknown, { signal }: { readonly signal: AbortSignal }) => ({ status: 200, body: lines(signal) });
  const server: GraphqlServer = await startGraphql(t, {
    clock,
    engines: () =>
      new Map([
        ['platform', server.engine as EnginePort],
        ['local', local as unknown as EnginePort],
      ]),
    subresources: () => [{ engine: 'local', group: '', plural: 'pods', name: 'log', method: 'GET', handle }],
  });
  await server.put(kindPaths.releases, release(await server.put(kindPaths.applications, application('shop')), 1));
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/shop/status';
  const headers = { 'content-type': 'application/merge-patch+json' };
  t.is((await server.http(path, { method: 'PATCH', body: { status: { release: 'shop-1' } }, headers })).status, 200);
  return server;
}

const shopLogs = 'subscription { applicationLogs(namespace: "team", name: "shop") { text } }';

test.serial('logs that are followed end with the right to see them, and nobody reads them any more', async (t) => {
  fickle.may = true;
  const reading = Promise.withResolvers<AbortSignal>();
  const { clock, skip } = skippingClock();
  const server = await withPod(t, {
    clock,
    lines: async function* (signal) {
      reading.resolve(signal);
      yield Buffer.from('ready\n');
      await once(signal, 'abort');
    },
  });
  const followed = connect(t, server.port, 'fickle').follow(shopLogs);
  t.is((await followed.next()).data.applicationLogs.text, 'ready');
  fickle.may = false;
  skip(5_000);
  const [error] = (await followed.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const log = server.audited.find(({ target }) => target?.subresource === 'log');
  t.deepEqual([log?.verb, log?.target?.namespace, log?.outcome.status], ['get', 'team', 403]);
  const signal = await reading.promise;
  if (!signal.aborted) await once(signal, 'abort');
  t.pass();
});

test.serial('a client that leaves while logs are read is no failure of the platform', async (t) => {
  const left = Promise.withResolvers<void>();
  const server = await withPod(t, {
    lines: async function* (signal) {
      yield Buffer.from('ready\n');
      await once(signal, 'abort');
      left.resolve();
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    },
  });
  const connected = connect(t, server.port);
  const followed = connected.follow(shopLogs);
  t.is((await followed.next()).data.applicationLogs.text, 'ready');
  await connected.client.dispose();
  await left.promise;
  while (!server.audited.some(({ verb, target }) => verb === 'get' && target === undefined)) await delay(5);
  t.deepEqual(server.logged, []);
  t.is(server.audited.find(({ target }) => target?.subresource === 'log')?.outcome.status, 200);
});

test('a connection ends with its credential: expired or revoked', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const brief = connect(t, server.port, 'brief');
  await brief.follow(changes).next();
  t.is((await brief.closed).code, 1008);
  const revoked = connect(t, server.port, 'viewer');
  await revoked.follow(changes).next();
  server.server.endStreams('viewer');
  t.is((await revoked.closed).code, 1008);
});

test('a client that cannot send headers brings its token with the first message, or is turned away', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  t.is((await connect(t, server.port, 'viewer', true).follow(changes).next()).data.applicationChanges.object.name, 'shop');
  const wrong = connect(t, server.port, 'unknown', true);
  await t.notThrowsAsync(wrong.follow(changes).ended);
  t.is((await wrong.closed).code, 4403);
});

test('over a WebSocket there are subscriptions only, within the same limits as requests', async (t) => {
  const { port } = await startGraphql(t);
  const codeOf = async (query: string) => {
    const [error] = (await connect(t, port).follow(query).ended) as { extensions: { code: string } }[];
    return error?.extensions.code;
  };
  t.is(await codeOf('{ viewer { name } }'), 'TAP_GRAPHQL_REQUEST_INVALID');
  t.is(
    await codeOf('mutation { deleteApplication(input: { namespace: "team", name: "x" }) { userErrors { code } } }'),
    'TAP_GRAPHQL_REQUEST_INVALID',
  );
  t.is(await codeOf('subscription { applicationChanges { nothing } }'), 'TAP_GRAPHQL_DOCUMENT_INVALID');
  t.is(await codeOf('subscription { applicationChanges { type } eventChanges { type } }'), 'TAP_GRAPHQL_DOCUMENT_INVALID');
  t.is(
    await codeOf(
      `subscription { applicationChanges { object { ${'operations(first: 1) { object { ... on Application { '.repeat(5)} name ${'} } }'.repeat(5)} } } }`,
    ),
    'TAP_GRAPHQL_TOO_DEEP',
  );
  t.is(
    await codeOf('subscription { applicationChanges { object { releases(first: 100) { operations(first: 100) { name } } } } }'),
    'TAP_GRAPHQL_TOO_COSTLY',
  );
  t.is(await codeOf(`subscription { applicationChanges { ${'type '.repeat(1_000)} } }`), 'TAP_GRAPHQL_DOCUMENT_INVALID');
});

test('one connection has a hundred subscriptions at most', async (t) => {
  const { port } = await startGraphql(t);
  const { follow } = connect(t, port);
  const bookmarked = 'subscription { namespaceChanges(name: "team") { type } }';
  const all = Array.from({ length: 101 }, () => follow(bookmarked));
  const [first, last] = [all.at(0), all.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there is none');
  const [error] = (await last.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_GRAPHQL_TOO_MANY_SUBSCRIPTIONS');
  t.is((await first.next()).data.namespaceChanges.type, 'ADDED');
});

/** A field of applications that a plugin has added. */
function pluggedField(name: string, resolve: ServedField['resolve']): ServedField {
  const about = { group: 'apps.tappaas.dev', kind: 'Application', description: 'Of a plugin.', args: {}, costPerObject: 1 };
  return { ...about, name, type: { type: 'integer', maximum: 1_000_000 }, resolve };
}

test('a change is worked out once for all who follow it in the same way', async (t) => {
  let resolved = 0;
  const counting = pluggedField('counted', async (objects) => {
    resolved += 1;
    return objects.map(() => resolved);
  });
  const fields = [counting];
  const server = await startGraphql(t, { fields: () => fields });
  await server.put(kindPaths.applications, application('shop'));
  const query = 'subscription { applicationChanges(namespace: "team") { type object { name counted } } }';
  const connections = Array.from({ length: 5 }, () => connect(t, server.port));
  const followers = connections.flatMap(({ follow }) => Array.from({ length: 4 }, () => follow(query)));
  await Promise.all(followers.map((each) => each.next()));
  const before = resolved;
  await update(server, 'shop', { labels: [{ key: 'color', value: 'blue' }] });
  const second = await Promise.all(followers.map((each) => each.next()));
  t.is(resolved, before + 1);
  t.deepEqual(second[0].data.applicationChanges, { type: 'MODIFIED', object: { name: 'shop', counted: before + 1 } });
  const others = connect(t, server.port, 'viewer').follow(query);
  t.is((await others.next()).data.applicationChanges.object.counted, before + 2);
});

test('what is told besides the object is read anew for whoever begins later', async (t) => {
  const pods = { phase: 'Pending' };
  const server = await withPod(t, { status: pods });
  const query = 'subscription { applicationChanges(namespace: "team", name: "shop") { object { pods { phase } } } }';
  const first = connect(t, server.port).follow(query);
  t.deepEqual((await first.next()).data.applicationChanges.object.pods, [{ phase: 'Pending' }]);
  pods.phase = 'Running';
  const second = connect(t, server.port).follow(query);
  t.deepEqual((await second.next()).data.applicationChanges.object.pods, [{ phase: 'Running' }]);
});

test('a right to what is told besides the object is asked for whenever somebody begins', async (t) => {
  const rights = { mayListReleases: true };
  const authorize: GraphqlServerOptions['authorize'] = ({ verb, resource }) =>
    verb === 'list' && resource?.plural === 'releases' && !rights.mayListReleases
      ? { decision: 'deny', reason: 'not any more' }
      : { decision: 'allow', reason: '' };
  const server = await startGraphql(t, { authorize });
  await server.put(kindPaths.releases, release(await server.put(kindPaths.applications, application('shop')), 1));
  const query = 'subscription { applicationChanges(namespace: "team") { object { releases(first: 1) { name } } } }';
  const first = connect(t, server.port).follow(query);
  t.deepEqual((await first.next()).data.applicationChanges.object.releases, [{ name: 'shop-1' }]);
  rights.mayListReleases = false;
  const { data, errors } = await connect(t, server.port).follow(query).next();
  t.deepEqual([data.applicationChanges.object, errors[0].extensions.code], [null, 'TAP_REQUEST_FORBIDDEN']);
});

test('what is told besides the object is not shared with the same person who comes in another way, as access may differ by it', async (t) => {
  const rights = { mayListForOthers: true };
  const authorize: GraphqlServerOptions['authorize'] = ({ caller, verb, resource }) =>
    verb === 'list' && resource?.plural === 'releases' && caller.impersonator !== undefined && !rights.mayListForOthers
      ? { decision: 'deny', reason: 'not on behalf of others' }
      : { decision: 'allow', reason: '' };
  const authenticate: GraphqlServerOptions['authenticate'] = ({ headers }) => {
    const isActing = headers['authorization'] === 'Bearer acting';
    return { caller: { name: 'joe', groups: [], ...(isActing && { impersonator: 'ann' }) }, credentialId: `${isActing}` };
  };
  const server = await startGraphql(t, { authorize, authenticate });
  await server.put(kindPaths.releases, release(await server.put(kindPaths.applications, application('shop')), 1));
  const query =
    'subscription { applicationChanges(namespace: "team") { object { metadata { resourceVersion } releases(first: 1) { name } } } }';
  const [own, acting] = [connect(t, server.port, 'own').follow(query), connect(t, server.port, 'acting').follow(query)];
  await Promise.all([own.next(), acting.next()]);
  rights.mayListForOthers = false;
  await update(server, 'shop', { labels: [{ key: 'color', value: 'blue' }] });
  t.deepEqual((await own.next()).data.applicationChanges.object.releases, [{ name: 'shop-1' }]);
  t.is((await acting.next()).errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
});

test('who leaves while a change is worked out takes nothing from the others', async (t) => {
  // Objects that are held on to are the same for the second.
  const asked: (readonly object[])[] = [];
  const working = Promise.withResolvers<void>();
  const slow = pluggedField('slow', async (objects, _, { signal }) => {
    if (asked.push(objects) > 1) return objects.map(() => 2);
    working.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  });
  const fields = [slow];
  const server = await startGraphql(t, { fields: () => fields });
  await server.put(kindPaths.applications, application('shop'));
  const query = 'subscription { applicationChanges(namespace: "team") { object { slow } } }';
  const first = connect(t, server.port).follow(query);
  await working.promise;
  const second = connect(t, server.port).follow(query);
  first.stop();
  t.deepEqual(await second.next(), { data: { applicationChanges: { object: { slow: 2 } } } });
  t.is(asked.length, 2);
});

test('who has lost the right while they read slowly is told nothing more of what was there at the beginning', async (t) => {
  const denied = Promise.withResolvers<void>();
  const { clock, skip } = skippingClock();
  let may = true;
  const server = await startGraphql(t, {
    clock,
    authorize: ({ resource }) => {
      if (may || resource === undefined) return { decision: 'allow', reason: '' };
      denied.resolve();
      return { decision: 'deny', reason: 'not any more' };
    },
  });
  const count = 300;
  const data = { text: 'x'.repeat(100_000) };
  for (let index = 0; index < count; index += 1) {
    await server.put(kindPaths.configMaps, { metadata: { name: `c${index}`, namespace: 'team' }, data });
  }
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/graphql`, 'graphql-transport-ws', {
    headers: { authorization: 'Bearer admin' },
  });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  const query = 'subscription { configMapChanges(namespace: "team") { object { data { value } } } }';
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  await once(socket, 'message');
  socket.pause();
  may = false;
  skip(5_000);
  await denied.promise;
  let told = 1;
  const end = new Promise<string>((resolve) => {
    socket.on('message', (message: Buffer) => {
      const text = message.toString('utf8', 0, 1_000);
      if (!text.includes('"type":"next"')) resolve(text);
      else if ((told += 1) === count) resolve('everything was told');
    });
  });
  socket.resume();
  t.regex(await end, /"type":"error".*TAP_REQUEST_FORBIDDEN/);
  t.true(told < count, `${told} were told`);
});

test('a client that does not read for a while is waited for, and then told everything', async (t) => {
  const server = await startGraphql(t);
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/graphql`, 'graphql-transport-ws', {
    headers: { authorization: 'Bearer admin' },
  });
  t.teardown(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  const acknowledged = new Promise((resolve) => socket.once('message', resolve));
  socket.send('{"type":"connection_init"}');
  await acknowledged;
  const query = 'subscription { configMapChanges(namespace: "team") { object { name data { value } } } }';
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  const text = 'x'.repeat(100_000);
  const begun = new Promise((resolve) => socket.once('message', resolve));
  await server.put(kindPaths.configMaps, { metadata: { name: 'c0', namespace: 'team' }, data: { text } });
  await begun;
  socket.pause();
  for (let index = 1; index <= 200; index += 1) {
    await server.put(kindPaths.configMaps, { metadata: { name: `c${index}`, namespace: 'team' }, data: { text } });
  }
  const received: string[] = [];
  socket.on('message', (data) => received.push((data as Buffer).toString('utf8', 0, 40)));
  socket.resume();
  await server.put(kindPaths.configMaps, { metadata: { name: 'last', namespace: 'team' } });
  while (received.length < 201) await new Promise((resolve) => socket.once('message', resolve));
  t.is(received.length, 201);
});
