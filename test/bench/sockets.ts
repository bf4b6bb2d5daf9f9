/** What telling an event to one of many clients of WebSockets costs the server, beside a bare ws server that sends the same bytes. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { exchange, openSocket, requestText } from './api/load.ts';
import type { BenchmarkRow } from './row.ts';
import type { SocketServerOptions } from './sockets/process.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const configMap = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c0', namespace: 'default', labels: { app: 'bench' } },
  data: { text: 'x'.repeat(600) },
});

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly token: string;
}

async function start(options: SocketServerOptions): Promise<Running> {
  const child = fork(join(import.meta.dirname, 'sockets/process.ts'));
  child.send(options);
  const [place] = (await once(child, 'message')) as [{ port: number; token: string }];
  return { child, ...place };
}

async function cpuUs({ child }: Running): Promise<number> {
  child.send('usage');
  const [{ cpuUs: used }] = (await once(child, 'message')) as [{ cpuUs: number }];
  return used;
}

interface Told {
  count: number;
  last: string;
}

/** Opens one client; with a join, as a client of socket.io speaks, without its library. */
async function openClient({ port, token }: Running, path: string, received: Told, joins: object | undefined): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  const joined = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    const text = data.toString('latin1');
    if (joins === undefined || text.startsWith('42["event"')) {
      if (text.includes('"BOOKMARK"')) return;
      received.count += 1;
      received.last = text;
    } else if (text.startsWith('0')) socket.send('40');
    else if (text.startsWith('40')) socket.send(`420${JSON.stringify(['join', joins])}`);
    else if (text.startsWith('430')) joined.resolve();
    else if (text === '2') socket.send('3');
  });
  await once(socket, 'open');
  if (joins !== undefined) await joined.promise;
  return socket;
}

/** Processor time of the server, in µs, for one event told to one client; and the message. */
async function cost(
  server: Running,
  path: string,
  { clients, events, joins }: { readonly clients: number; readonly events: number; readonly joins?: object },
): Promise<{ readonly us: number; readonly message: string }> {
  const received: Told = { count: 0, last: '' };
  const sockets: WebSocket[] = [];
  for (let index = 0; index < clients; index += 50) {
    const batch = Array.from({ length: Math.min(50, clients - index) }, () => openClient(server, path, received, joins));
    sockets.push(...(await Promise.all(batch)));
  }
  const writer = await openSocket(server);
  const write = async (index: number): Promise<void> => {
    const before = received.count;
    const patch = JSON.stringify({ data: { count: String(index) } });
    await exchange(writer, requestText('PATCH', `${collection}/c0`, server.token, patch, 'application/merge-patch+json'));
    while (received.count < before + clients) await delay(2);
  };
  for (let index = 0; index < 3; index += 1) await write(index);
  await delay(200);
  const before = await cpuUs(server);
  for (let index = 0; index < events; index += 1) await write(100 + index);
  const spent = (await cpuUs(server)) - before;
  writer.destroy();
  for (const socket of sockets) socket.terminate();
  return { us: spent / (clients * events), message: received.last };
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<readonly BenchmarkRow[]> {
  const size = smoke ? { clients: 20, events: 5 } : { clients: 1000, events: 50 };
  const own = await start({ be: 'TAPPaaS' });
  const servers = [own];
  try {
    const socket = await openSocket(own);
    const { body } = await exchange(socket, requestText('POST', collection, own.token, configMap));
    socket.destroy();
    const { resourceVersion } = (JSON.parse(body.toString()) as { metadata: { resourceVersion: string } }).metadata;
    const joins = { topic: 'objects', version: 'v1', plural: 'configmaps', namespace: 'default', name: 'c0', resourceVersion };
    const room = await cost(own, '/socket.io/?EIO=4&transport=websocket', { ...size, joins });
    const watch = await cost(own, `${collection}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dc0`, size);
    const bare = await start({ be: 'ws', message: room.message });
    servers.push(bare);
    const { us } = await cost(bare, '/', size);
    const row = (name: string, value: number): BenchmarkRow => ({
      name: `${name}, told to one of ${size.clients} clients`,
      value,
      unit: 'µs of CPU',
      peer: `bare ws, same bytes: ${us.toFixed(1)} µs`,
      ratio: value / us,
    });
    return [row('an event of a room over socket.io', room.us), row('an event of a watch over WebSocket', watch.us)];
  } finally {
    for (const { child } of servers) child.kill();
  }
}
