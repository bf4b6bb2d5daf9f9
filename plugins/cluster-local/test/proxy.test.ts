import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { EndpointSlice, Ingress, KubernetesService } from '@tappaas/sdk';
import { Balancer } from '../dist/proxy/balancer.js';
import { EndpointTable } from '../dist/proxy/endpoints.js';
import { HttpProxy } from '../dist/proxy/http-proxy.js';
import { serveIngress } from '../dist/proxy/ingress-listener.js';
import { IngressRoutes } from '../dist/proxy/ingress-routes.js';
import { freePort } from '../../../test/ports.ts';
import { HttpClient } from './support/http-client.ts';
import { clock, until } from './support/local-cluster.ts';

const slice = (pod: string, port: number, conditions: object = { ready: true, serving: true }): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: pod, namespace: 'default', labels: { 'kubernetes.io/service-name': 'shop' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['127.0.0.1'], conditions, targetRef: { kind: 'Pod', name: pod, uid: pod } }],
  ports: [{ name: 'http', port, protocol: 'TCP' }],
});

const service: KubernetesService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'shop', namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80 }] },
};

const rule = (host: string | undefined, paths: readonly (readonly [path: string, pathType: 'Exact' | 'Prefix', service: string])[]) => ({
  ...(host === undefined ? {} : { host }),
  http: { paths: paths.map(([path, pathType, name]) => ({ path, pathType, backend: { service: { name, port: { name: 'http' } } } })) },
});

const ingress = (name: string, rules: readonly ReturnType<typeof rule>[]): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { rules: [...rules] },
});

/** An endpoint table that is set to a list of slices at once. */
class Table extends EndpointTable {
  #keys: string[] = [];

  replace(slices: readonly EndpointSlice[]): void {
    const keys = slices.map(({ metadata }) => metadata.name ?? '');
    for (const key of this.#keys) if (!keys.includes(key)) this.set(key, undefined);
    for (const slice of slices) this.set(slice.metadata.name ?? '', slice);
    this.#keys = keys;
  }
}

/** Starts a proxy for one service, with its parts. */
async function proxied(t: ExecutionContext) {
  const table = new Table();
  const balancer = new Balancer(table, clock);
  const routes = new IngressRoutes(
    [ingress('shop', [rule('shop.localhost', [['/', 'Prefix', 'shop']])])],
    new Map([['default/shop', service]]),
  );
  const stop = new AbortController();
  const port = await freePort();
  let problem: string | undefined = 'not yet';
  const options = {
    port,
    portSetting: 'x',
    connectionsMax: 20,
    listeners: new Set<Server>(),
    balancer,
    routes: () => routes,
    clock,
    onProblem: (reported: string | undefined) => void (problem = reported),
  };
  const serving = serveIngress(options, () => 1000, stop.signal);
  await until('listening', () => problem === undefined);
  const client = new HttpClient(port);
  t.teardown(async () => {
    client.close();
    stop.abort();
    await serving;
  });
  return { table, balancer, port, client, stop, serving };
}

async function backend(t: ExecutionContext, listener: RequestListener): Promise<{ port: number; close: () => void }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  t.teardown(close);
  return { port: (server.address() as AddressInfo).port, close };
}

test('a request goes to the service with its method, path, body and headers, and who asked', async (t) => {
  const { table, client } = await proxied(t);
  let seen: { method?: string; url?: string; headers: object } | undefined;
  const { port } = await backend(t, (q, s) => {
    seen = q;
    s.writeHead(201, { 'x-own': 'a', 'set-cookie': ['a=1', 'b=2'] });
    q.pipe(s);
  });
  table.replace([slice('a', port)]);
  const answer = await client.ask('shop.localhost', '/p%20a/th?q=%2F', {
    method: 'PUT',
    body: 'body',
    headers: { 'x-mine': 'yes', 'x-forwarded-for': '6.6.6.6' },
  });
  t.deepEqual(answer, { status: 201, text: 'body' });
  t.like(seen, { method: 'PUT', url: '/p%20a/th?q=%2F' });
  t.like(seen?.headers, {
    host: 'shop.localhost',
    'x-mine': 'yes',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'shop.localhost',
    'x-forwarded-proto': 'http',
  });
});

test('a connection that is refused is tried at another endpoint, whatever the method', async (t) => {
  const { table, client } = await proxied(t);
  const { port } = await backend(t, (_, s) => s.end('alive'));
  table.replace([slice('dead', await freePort()), slice('alive', port)]);
  for (let round = 0; round < 6; round += 1) {
    t.deepEqual(await client.ask('shop.localhost', '/', round % 2 ? { method: 'POST', body: 'x' } : {}), { status: 200, text: 'alive' });
  }
});

test('an endpoint that breaks off is replaced for what may be repeated, and told for what may not', async (t) => {
  const { table, client } = await proxied(t);
  let posts = 0;
  const rude = await backend(t, (q) => {
    posts += q.method === 'POST' ? 1 : 0;
    q.socket.destroy();
  });
  const kind = await backend(t, (_, s) => s.end('kind'));
  table.replace([slice('rude', rude.port), slice('kind', kind.port)]);
  for (let round = 0; round < 4; round += 1) t.is((await client.ask('shop.localhost')).text, 'kind');
  const answers = [];
  for (let round = 0; round < 4; round += 1) answers.push(await client.ask('shop.localhost', '/', { method: 'POST', body: 'x' }));
  t.is(answers.filter(({ status }) => status === 502).length, posts);
  t.true(posts > 0);
});

test('an answer is streamed as it comes', async (t) => {
  const { table, port } = await proxied(t);
  let finish: () => void = () => undefined;
  const { port: behind } = await backend(t, (_, s) => {
    s.write('first');
    finish = () => void s.end('last');
  });
  table.replace([slice('a', behind)]);
  const sent = request({ host: '127.0.0.1', port, headers: { host: 'shop.localhost' }, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const [chunk] = (await once(response, 'data')) as [Buffer];
  t.is(chunk.toString(), 'first');
  finish();
  const [rest] = (await once(response, 'data')) as [Buffer];
  t.is(rest.toString(), 'last');
});

test('a client that goes away ends the request behind the proxy', async (t) => {
  const { table, port } = await proxied(t);
  let gone = false;
  const { port: behind } = await backend(t, (_, s) => {
    s.write('x');
    s.once('close', () => (gone = true));
  });
  table.replace([slice('a', behind)]);
  const sent = request({ host: '127.0.0.1', port, headers: { host: 'shop.localhost' }, agent: false }).end();
  sent.on('error', () => undefined);
  await once(sent, 'response');
  sent.destroy();
  await until('gone behind', () => gone);
  t.pass();
});

test('an upgrade becomes a tunnel in both directions', async (t) => {
  const { table, port } = await proxied(t);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n');
    socket.pipe(socket);
  });
  table.replace([slice('a', (server.address() as AddressInfo).port)]);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /chat HTTP/1.1\r\nhost: shop.localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until('switched', () => text.startsWith('HTTP/1.1 101'));
  socket.write('ping');
  await until('echoed', () => text.endsWith('ping'));
  socket.destroy();
  t.pass();
});

test('the connection of an upgrade that cannot be served is closed both ways, whatever the client leaves open', async (t) => {
  const { port } = await proxied(t);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const failed = once(socket, 'error');
  socket.write('GET /chat HTTP/1.1\r\nhost: shop.localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
  await once(socket, 'end');
  t.regex(text, /^HTTP\/1\.1 503 .*has no pod that is ready/s);
  // A sender learns from an error that the connection is closed in both directions.
  const sending = setInterval(() => socket.write('x'), 20);
  t.teardown(() => clearInterval(sending));
  await failed;
});

test('a client that leaves before an endpoint has taken the connection of its tunnel leaves nothing behind', async (t) => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  let begun = 0;
  const { port } = server.address() as AddressInfo;
  const balancer = { choose: () => [{ host: '127.0.0.1', port, podUid: 'a' }], begin: () => ((begun += 1), () => (begun -= 1)) };
  const proxy = new HttpProxy({
    balancer: balancer as unknown as Balancer,
    decide: () => ({ target: { service: 'default/shop', portName: 'http' } }),
    answerMs: 1000,
  });
  t.teardown(() => proxy.close());
  const request = { method: 'GET', url: '/chat', rawHeaders: [], socket: {} } as unknown as IncomingMessage;
  const socket = new PassThrough();
  proxy.onUpgrade(request, socket, Buffer.alloc(0));
  socket.destroy();
  await wait(200);
  t.is(begun, 0);
  t.is(await promisify(server.getConnections.bind(server))(), 0);
});

test('what is not served is answered with a text that says why', async (t) => {
  const { client } = await proxied(t);
  const unknown = await client.ask('other.localhost');
  t.is(unknown.status, 404);
  t.is(unknown.text, 'No application answers for host other.localhost. See: tappaas apps.\n');
  const empty = await client.ask('shop.localhost');
  t.is(empty.status, 503);
  t.regex(empty.text, /^Service default\/shop, port http has no pod that is ready/);
});

test('a pod that leaves gets no new requests, answers those under way, and is released then', async (t) => {
  const { table, balancer, client } = await proxied(t);
  const sent = Promise.withResolvers<() => void>();
  const slow = await backend(t, (_, s) => sent.resolve(() => void s.end('old')));
  const fresh = await backend(t, (_, s) => s.end('new'));
  table.replace([slice('old', slow.port)]);
  const underWay = client.ask('shop.localhost');
  const answer = await sent.promise;
  table.replace([slice('old', slow.port), slice('new', fresh.port)]);
  let isDrained = false;
  const drained = balancer.drain('old', 5000, true).then(() => (isDrained = true));
  for (let round = 0; round < 5; round += 1) t.is((await client.ask('shop.localhost')).text, 'new');
  t.false(isDrained);
  answer();
  t.is((await underWay).text, 'old');
  t.true(await drained);
});

test('a request that never ends holds a leaving pod only so long', async (t) => {
  const { table, balancer, client } = await proxied(t);
  const sent = Promise.withResolvers<void>();
  const stuck = await backend(t, () => sent.resolve());
  table.replace([slice('stuck', stuck.port)]);
  const underWay = t.throwsAsync(client.ask('shop.localhost'));
  await sent.promise;
  const started = Date.now();
  await balancer.drain('stuck', 200, false);
  t.true(Date.now() - started >= 200);
  client.close();
  await underWay;
});

test('a pod that leaves alone goes on answering until its successor is there', async (t) => {
  const { table, balancer, client } = await proxied(t);
  const old = await backend(t, (_, s) => s.end('old'));
  const fresh = await backend(t, (_, s) => s.end('new'));
  table.replace([slice('old', old.port, { ready: false, serving: true, terminating: true })]);
  const drained = balancer.drain('old', 5000, true);
  t.is((await client.ask('shop.localhost')).text, 'old');
  table.replace([slice('old', old.port, { ready: false, serving: true, terminating: true }), slice('new', fresh.port)]);
  await drained;
  t.is((await client.ask('shop.localhost')).text, 'new');
});

test('a pod that its agent knows to be unready gets nothing, before the platform says so', async (t) => {
  const { table, balancer, client } = await proxied(t);
  const sick = await backend(t, (_, s) => s.end('sick'));
  const well = await backend(t, (_, s) => s.end('well'));
  table.replace([slice('sick', sick.port), slice('well', well.port)]);
  balancer.setReady('sick', false);
  for (let round = 0; round < 4; round += 1) t.is((await client.ask('shop.localhost')).text, 'well');
  balancer.setReady('sick', true);
  const texts = new Set([(await client.ask('shop.localhost')).text, (await client.ask('shop.localhost')).text]);
  t.deepEqual(texts, new Set(['sick', 'well']));
});

test('connections beyond the limit are not taken', async (t) => {
  const { table, port } = await proxied(t);
  const { port: behind } = await backend(t, (_, s) => s.end('x'));
  table.replace([slice('a', behind)]);
  const sockets = Array.from({ length: 25 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  await until('five closed', () => sockets.filter(({ closed, destroyed }) => closed || destroyed).length >= 5);
  t.true(sockets.filter(({ destroyed }) => !destroyed).length <= 20);
});

test('what is no http is refused, and the listener lives on', async (t) => {
  const { table, port, client } = await proxied(t);
  const { port: behind } = await backend(t, (_, s) => s.end('fine'));
  table.replace([slice('a', behind)]);
  for (const bytes of [
    '\0\x01\x02garbage\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: shop.localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\nhost: shop.localhost\r\n\r\n',
  ]) {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write(bytes);
    await once(socket, 'close');
    t.regex(text, /^HTTP\/1.1 4\d\d/);
  }
  t.is((await client.ask('shop.localhost')).text, 'fine');
});

test('closing waits for requests under way', async (t) => {
  const { table, client, stop, serving } = await proxied(t);
  const sent = Promise.withResolvers<() => void>();
  const { port } = await backend(t, (_, s) => sent.resolve(() => void s.end('late')));
  table.replace([slice('a', port)]);
  const underWay = client.ask('shop.localhost');
  const answer = await sent.promise;
  stop.abort();
  await wait(30);
  answer();
  t.is((await underWay).text, 'late');
  await serving;
});

test('while it closes, a connection that was kept is answered once more, and ended by that answer', async (t) => {
  const { table, client, stop, serving } = await proxied(t);
  const { port } = await backend(t, (_, s) => s.end('fine'));
  table.replace([slice('a', port)]);
  await client.ask('shop.localhost');
  stop.abort();
  t.is((await client.ask('shop.localhost')).text, 'fine');
  await serving;
  await t.throwsAsync(client.ask('shop.localhost'), { code: 'ECONNREFUSED' });
});

const services = new Map(['a', 'b', 'c'].map((name) => [`default/${name}`, { ...service, metadata: { name, namespace: 'default' } }]));
const routed = (routes: IngressRoutes, host: string, path: string) => {
  const found = routes.route(host, path);
  return found.is === 'target' ? found.target.service.replace('default/', '') : found.is;
};

test('the exact host wins over a wildcard, the exact path over a prefix, and the longer prefix over the shorter', (t) => {
  const routes = new IngressRoutes(
    [
      ingress('one', [
        rule('x.localhost', [
          ['/', 'Prefix', 'a'],
          ['/deep', 'Prefix', 'b'],
          ['/deep/er/', 'Prefix', 'c'],
          ['/deep', 'Exact', 'c'],
        ]),
        rule('*.localhost', [['/', 'Prefix', 'b']]),
        rule('gone.localhost', [['/', 'Prefix', 'no-such']]),
        rule('part.localhost', [['/only', 'Prefix', 'a']]),
      ]),
    ],
    services,
  );
  const cases: readonly (readonly [string, string, string])[] = [
    ['x.localhost', '/', 'a'],
    ['X.LOCALHOST.:8080', '/other', 'a'],
    ['x.localhost', '/deep', 'c'],
    ['x.localhost', '/deep/', 'b'],
    ['x.localhost', '/deeper', 'a'],
    ['x.localhost', '/deep/er', 'c'],
    ['x.localhost', '/deep/er/still', 'c'],
    ['y.localhost', '/', 'b'],
    ['z.y.localhost', '/', 'no-host'],
    ['gone.localhost', '/', 'no-service'],
    ['part.localhost', '/only/this', 'a'],
    ['part.localhost', '/else', 'no-path'],
    ['localhost', '/', 'no-host'],
    ['', '/', 'no-host'],
  ];
  for (const [host, path, expected] of cases) t.is(routed(routes, host, path), expected, `${host}${path}`);
});

test('of two Ingresses with the same host and path the older one wins', (t) => {
  const older = { ...ingress('z', [rule('x', [['/', 'Prefix', 'a']])]) };
  const newer = ingress('a', [rule('x', [['/', 'Prefix', 'b']])]);
  newer.metadata.creationTimestamp = '2026-06-01T00:00:00Z';
  t.is(routed(new IngressRoutes([newer, older], services), 'x', '/'), 'a');
});

test('a free port is found by listening, and a taken one is skipped', async (t) => {
  const { PortPool } = await import('../dist/agent/pod/host-ports.js');
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const pool = new PortPool({ from: port, to: port });
  await t.throwsAsync(pool.take(), { message: `no free port from ${port} to ${port}` });
  server.close();
  await once(server, 'close');
  t.is(await pool.take(), port);
  await t.throwsAsync(pool.take());
  pool.release(port);
  t.is(await pool.take(), port);
});

test('a pool begins where it is told, and comes round to the rest of its range', async (t) => {
  const { PortPool } = await import('../dist/agent/pod/host-ports.js');
  const from = await freePort();
  const first = await new PortPool({ from: 40_000, to: 64_999 }, 10_000).take();
  t.true(first >= 50_000);
  t.is(await new PortPool({ from, to: from }, 7).take(), from);
});

test('a path of many slashes is read in the time that its length takes', (t) => {
  const path = `${'/'.repeat(100_000)}x`;
  const before = process.threadCpuUsage();
  const routes = new IngressRoutes([ingress('long', [rule('x', [[`${path}//`, 'Prefix', 'shop']])])], new Map([['default/shop', service]]));
  const { user } = process.threadCpuUsage(before);
  t.true(user < 1_000_000, `${user} µs`);
  t.is(routed(routes, 'x', `${path}/y`), 'shop');
  t.is(routed(routes, 'x', '/x'), 'no-path');
});
