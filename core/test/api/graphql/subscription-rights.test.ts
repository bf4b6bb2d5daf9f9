import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';
import test from 'ava';
import { WebSocket } from 'ws';
import type { AuditedState } from '../../../dist/ports/audit.js';
import { ownMs } from '../../own-time.ts';
import { realClock } from '../running-server.ts';
import { application, permission, kindPaths, startGraphql } from './graphql-server.ts';
import { connect, changes, update, withPod } from './subscriber.ts';

/** A clock that goes as clocks do, and is put forward by the test. */
function skippingClock(): { readonly clock: Clock; readonly skip: (ms: number) => void } {
  let aheadMs = 0;
  return { clock: { ...realClock, nowMs: () => realClock.nowMs() + aheadMs }, skip: (ms) => void (aheadMs += ms) };
}

const shopLogs = 'subscription { applicationLogs(namespace: "team", name: "shop") { text } }';

test.serial('whoever may not watch is refused, and a right that is taken away ends what is followed', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.applications, application('shop'));
  const refused = connect(t, server.port, 'nobody').follow(changes);
  const [error] = (await refused.ended) as { extensions: { code: string } }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const elsewhere = connect(t, server.port, 'team').follow('subscription { applicationChanges(namespace: "other") { type } }');
  permission.may = true;
  t.is(((await elsewhere.ended) as (typeof error)[])[0]?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
  const changed = connect(t, server.port, 'revocable').follow(changes);
  t.is((await changed.next()).data.applicationChanges.type, 'ADDED');
  permission.may = false;
  await update(server, 'shop', { spec: { runtime: 'gpu' } });
  t.is(await changed.next(), undefined);
  t.is(((await changed.ended) as (typeof error)[])[0]?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
});

test.serial('audit is told when a subscription begins and when it ends, of what, and why it was refused or ended', async (t) => {
  const reported: unknown[][] = [];
  const left = Promise.withResolvers<void>();
  const server = await startGraphql(t, {
    audit: ({ requestId, verb, target }) => {
      const tell = (moment: string) => (state: AuditedState) => {
        const { status, decision, annotations } = state;
        if (target === undefined || verb !== 'watch') return;
        reported.push([moment, verb, target.kind.plural, target.namespace, target.name, status, decision?.decision]);
        reported.push([requestId.includes('/'), annotations?.get('graphql.operation'), annotations?.get('graphql.hash')?.length]);
        if (moment === 'end' && target.name === 'left') left.resolve();
      };
      return { streaming: tell('begin'), end: tell('end') };
    },
  });
  const facts = [false, 'subscription Watch', 64];
  const watch = (name: string) => `subscription Watch { applicationChanges(namespace: "team", name: "${name}", bookmarks: true) { type } }`;
  await connect(t, server.port, 'nobody').follow(watch('refused')).ended;
  t.deepEqual(reported.splice(0), [['end', 'watch', 'applications', 'team', 'refused', 403, 'no-opinion'], facts]);
  permission.may = true;
  await server.put(kindPaths.applications, application('lost'));
  const lost = connect(t, server.port, 'revocable').follow(watch('lost'));
  await lost.next();
  t.deepEqual(reported.splice(0), [['begin', 'watch', 'applications', 'team', 'lost', 200, 'allow'], facts]);
  permission.may = false;
  await update(server, 'lost', { spec: { runtime: 'gpu' } });
  await lost.ended;
  t.deepEqual(reported.splice(0), [['end', 'watch', 'applications', 'team', 'lost', 403, 'no-opinion'], facts]);
  await server.put(kindPaths.applications, application('left'));
  const stopped = connect(t, server.port, 'admin').follow(watch('left'));
  await stopped.next();
  stopped.stop();
  await left.promise;
  t.deepEqual(reported.slice(2), [['end', 'watch', 'applications', 'team', 'left', 200, 'allow'], facts]);
});

test.serial('a right that is taken away ends what is followed within ten seconds, when nothing changes, too', async (t) => {
  const server = await startGraphql(t);
  permission.may = true;
  await server.put(kindPaths.applications, application('shop'));
  const connected = connect(t, server.port, 'revocable');
  const changed = connected.follow(changes);
  t.is((await changed.next()).data.applicationChanges.type, 'ADDED');
  permission.may = false;
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

test.serial('logs that are followed end with the right to see them, and nobody reads them any more', async (t) => {
  permission.may = true;
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
  const followed = connect(t, server.port, 'revocable').follow(shopLogs);
  t.is((await followed.next()).data.applicationLogs.text, 'ready');
  permission.may = false;
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
  const { clock, skip } = skippingClock();
  const server = await startGraphql(t, { clock });
  await server.put(kindPaths.applications, application('shop'));
  const brief = connect(t, server.port, 'brief');
  await brief.follow(changes).next();
  skip(3_600_000);
  t.is((await brief.closed).code, 1008);
  const revoked = connect(t, server.port, 'viewer');
  await revoked.follow(changes).next();
  server.server.endStreams('viewer');
  t.is((await revoked.closed).code, 1008);
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
  let reported = 1;
  const end = new Promise<string>((resolve) => {
    socket.on('message', (message: Buffer) => {
      const text = message.toString('utf8', 0, 1_000);
      if (!text.includes('"type":"next"')) resolve(text);
      else if ((reported += 1) === count) resolve('everything was told');
    });
  });
  socket.resume();
  t.regex(await end, /"type":"error".*TAP_REQUEST_FORBIDDEN/);
  t.true(reported < count, `${reported} were told`);
});
