/** A client that costs little: raw sockets, one request at a time on each, answers only counted. */
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

export interface Place {
  readonly port: number;
  readonly token: string;
  /** PEM of the authority; absent: plain http. */
  readonly authority?: string;
}

export function openSocket({ port, authority }: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      authority === undefined
        ? connect(port, '127.0.0.1', () => resolve(socket))
        : connectSecurely({ port, host: '127.0.0.1', ca: authority }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.on('error', reject);
  });
}

export function requestText(method: string, path: string, token: string, body?: string, type = 'application/json'): Buffer {
  const rest = body === undefined ? '' : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n${rest}\r\n${body ?? ''}`,
  );
}

export interface Answered {
  readonly status: number;
  readonly body: Buffer;
}

/** Sends one request and reads one answer that says how long it is. */
export function exchange(socket: Socket, request: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let [length, wanted, bodyAt] = [0, Infinity, 0];
    const received = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (wanted === Infinity) {
        const all = chunks.length === 1 ? chunk : Buffer.concat(chunks);
        const end = all.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = all.toString('latin1', 0, end);
        bodyAt = end + 4;
        wanted = bodyAt + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      }
      if (length < wanted) return;
      socket.off('data', received).off('error', reject);
      const all = Buffer.concat(chunks);
      resolve({ status: Number(all.toString('latin1', 9, 12)), body: all.subarray(bodyAt) });
    };
    socket.on('data', received);
    socket.once('error', reject);
    socket.write(request);
  });
}

/** Sends `count` requests over some connections; rejects when one is not answered with `status`. */
export async function load(
  sockets: readonly Socket[],
  count: number,
  status: number,
  request: (index: number, lane: number) => Buffer,
): Promise<void> {
  let next = 0;
  await Promise.all(
    sockets.map(async (socket, lane) => {
      for (let index = next++; index < count; index = next++) {
        const answer = await exchange(socket, request(index, lane));
        if (answer.status !== status)
          throw new Error(`answered ${answer.status} instead of ${status}: ${answer.body.toString().slice(0, 300)}`);
      }
    }),
  );
}

/** Opens a watch on a connection of its own; counts the lines that come. */
export async function openWatch(place: Place, path: string): Promise<{ lines(): number; close(): void }> {
  const socket = await openSocket(place);
  let lines = 0;
  const begun = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf('}\n'); at >= 0; at = chunk.indexOf('}\n', at + 2)) lines += 1;
      resolve();
    });
  });
  socket.write(requestText('GET', path, place.token));
  await begun;
  return { lines: () => lines, close: () => void socket.destroy() };
}
