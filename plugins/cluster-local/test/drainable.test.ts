import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { nextTick } from 'node:process';
import test from 'ava';
import { Drainable } from '../dist/proxy/drainable.js';
import { clock } from './support/local-cluster.ts';

test('whoever has connected before a listener closes is answered, however many they are', async (t) => {
  const server = createServer((_, response) => response.end('answered'));
  const drainable = new Drainable(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answers = Array.from({ length: 50 }, () => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return new Promise<string>((done) => {
      socket.once('error', ({ message }) => done(message));
      socket.once('close', () => done(text));
    });
  });
  // The system has accepted the connections by now, but the server has not.
  await new Promise<void>((resolve) => nextTick(resolve));
  await drainable.drain(2_000, clock);
  const answered = await Promise.all(answers);
  t.deepEqual(
    answered.filter((text) => !text.endsWith('answered')),
    [],
  );
});
