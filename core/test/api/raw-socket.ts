import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

/** Sends bytes as they are and reads until the server closes, or until one whole answer is there. */
export function sendRaw(port: number, bytes: string, { msMax = 60_000 } = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const chunks: Buffer[] = [];
    let isDone = false;
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      if (text === '') {
        resolve({ status: 0, head: '', body: '', json: undefined });
        return;
      }
      const end = text.indexOf('\r\n\r\n');
      const head = text.slice(0, end);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      const body = text.slice(end + 4, length === undefined ? undefined : end + 4 + Number(length));
      const json = head.toLowerCase().includes('json') && body !== '' && !head.includes('chunked') ? JSON.parse(body) : undefined;
      resolve({ status: Number(head.split(' ')[1]), head, body, json });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no whole answer within ${msMax} ms: ${Buffer.concat(chunks).toString('latin1').slice(0, 300)}`));
    }, msMax);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks).toString('latin1'))) finish();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (chunks.length > 0 || error.code === 'ECONNRESET' || error.code === 'EPIPE') finish();
    });
    socket.on('close', finish);
  });
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return end > 0 && length !== undefined && text.length >= end + 4 + Number(length);
}

/** A request as text; each line ends as HTTP wants it. */
export function rawRequest(first: string, headers: readonly string[] = [], body = ''): string {
  const all = ['Host: localhost', 'Authorization: Bearer admin', ...headers];
  return `${first}\r\n${all.join('\r\n')}\r\n\r\n${body}`;
}
