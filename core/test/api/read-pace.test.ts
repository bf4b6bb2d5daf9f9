import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Server as Engine, type Socket as Connection } from 'engine.io';
import { WebSocket } from 'ws';
import { packetsWaitingMax, readAtClientPace } from '../../dist/api/socket/read-pace.js';

const messages = 20_000;
const answer = 'x'.repeat(2_000);
/** Of what has been read, as one chunk of a connection, everything is taken: 64 KiB of messages of 7 bytes. */
const chunkMessagesMax = Math.ceil((64 * 1024) / 7);

interface Ends {
  readonly connection: Connection;
  readonly client: WebSocket;
  /** Answers that the client has read. */
  readonly read: () => number;
}

/** Both ends of a connection on which every message is answered. */
async function open(t: ExecutionContext, options: { readonly pingInterval?: number; readonly pingTimeout?: number } = {}): Promise<Ends> {
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const engine = new Engine({ transports: ['websocket'], perMessageDeflate: false, ...options });
  http.on('upgrade', (request, socket, head) => engine.handleUpgrade(request, socket, head));
  engine.on('connection', readAtClientPace);
  const opened = once(engine, 'connection') as Promise<[Connection]>;
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/engine.io/?EIO=4&transport=websocket`);
  t.teardown(() => {
    client.terminate();
    engine.close();
    http.close();
  });
  let count = 0;
  client.on('message', (data: Buffer) => {
    if (data.length === answer.length + 1) count += 1;
  });
  const [[connection]] = await Promise.all([opened, once(client, 'open')]);
  connection.on('message', () => void connection.write(answer));
  return { connection, client, read: () => count };
}

function flood(client: WebSocket): void {
  for (let index = 0; index < messages; index += 1) client.send('4');
}

/** Follows the longest list of packets that waited to be sent. */
function longest({ connection }: Ends): () => number {
  let max = 0;
  const buffer = connection as unknown as { readonly writeBuffer: readonly unknown[] };
  connection.on('packetCreate', () => (max = Math.max(max, buffer.writeBuffer.length)));
  return () => max;
}

test('answers to a client that sends and does not read are bounded, and one that reads on gets all of them', async (t) => {
  const ends = await open(t);
  const waiting = longest(ends);
  ends.client.pause();
  flood(ends.client);
  const { socket } = ends.connection.transport as unknown as { readonly socket: WebSocket };
  while (!socket.isPaused) await delay(5);
  await delay(200);
  t.true(waiting() <= packetsWaitingMax + chunkMessagesMax, `${waiting()} packets wait`);
  t.is(ends.read(), 0);
  ends.client.resume();
  while (ends.read() < messages) await delay(5);
  t.false(socket.isPaused);
  t.is(ends.connection.readyState, 'open');
});

test('a client that answers every heartbeat, but reads nothing, is closed', async (t) => {
  const ends = await open(t, { pingInterval: 300, pingTimeout: 300 });
  const closed = once(ends.connection, 'close');
  ends.client.pause();
  flood(ends.client);
  const heartbeat = setInterval(() => ends.client.send('3'), 20);
  t.teardown(() => clearInterval(heartbeat));
  const [reason] = (await closed) as [string];
  t.is(reason, 'ping timeout');
});
