/** One server in a process of its own: the platform, or a bare ws server that sends a fixed message to all at each PATCH. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { startRealServer } from '../../../core/test/api/real-server.ts';

export type SocketServerOptions = { readonly be: 'TAPPaaS' } | { readonly be: 'ws'; readonly message: string };

const much = { perSecond: 10_000_000, burst: 10_000_000 };
const unlimited = { system: much, requestsPerPrincipalMax: 400, streamsPerPrincipalMax: 10_000 };

async function become(options: SocketServerOptions): Promise<{ readonly port: number; readonly token: string }> {
  if (options.be === 'TAPPaaS') {
    const { port, token } = await startRealServer({ flow: unlimited });
    return { port, token };
  }
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const message = Buffer.from(options.message);
  const server = createServer((request, response) => {
    request.resume();
    for (const socket of sockets.clients) socket.send(message, { binary: false });
    response.end('{}');
  });
  server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}));
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  return { port: (server.address() as AddressInfo).port, token: 'none' };
}

process.on('message', (message: SocketServerOptions | 'usage') => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system });
  } else void become(message).then((started) => process.send?.(started));
});
