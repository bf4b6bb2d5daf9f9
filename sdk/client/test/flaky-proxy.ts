import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The fault of one connection: it is cut after `bytesMax` bytes of the response, and each chunk is delayed. */
export interface Fault {
  readonly bytesMax: number;
  readonly delayMs: number;
}

export interface FlakyProxy {
  readonly url: string;
  /** Number of connections that were cut. */
  readonly cuts: () => number;
  /** Cuts all open connections. */
  cut(): void;
  /** Sets whether new connections are refused. */
  refuse(isRefusing: boolean): void;
  close(): Promise<void>;
}

/** A TCP proxy that cuts and delays the server's output, with a fault per connection. */
export async function startFlakyProxy(port: number, faultOf: (connection: number) => Fault): Promise<FlakyProxy> {
  let [connections, cuts, isRefusing] = [0, 0, false];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    const fault = faultOf(connections);
    connections += 1;
    const upstream = connect(port, '127.0.0.1');
    let bytes = 0;
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    open.add(client);
    client.once('close', () => void open.delete(client));
    client.on('error', cut).once('close', cut);
    upstream.on('error', cut).once('close', cut);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const room = Math.max(0, fault.bytesMax - bytes);
      bytes += chunk.length;
      const send = (): void => {
        client.write(chunk.subarray(0, room));
        if (chunk.length <= room) return;
        cuts += 1;
        // Bytes sent before the cut still arrive.
        client.end(() => cut());
      };
      if (fault.delayMs === 0) send();
      else setTimeout(send, fault.delayMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    cut() {
      for (const socket of open) socket.destroy();
    },
    refuse(value) {
      isRefusing = value;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
