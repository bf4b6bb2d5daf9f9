import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Exchange } from '../../dist/api/request/exchange.js';
import { beginPrepared, headLines } from '../../dist/api/answer/prepared-head.js';
import { sendRaw } from './raw-socket.ts';

const names = ['Content-Type', 'application/json', 'Content-Length', '2', 'ETag', '"7"'];
const own = ['Keep-Alive', 'timeout=65', 'RateLimit', '"user";r=3;t=1'];

function exchangeOf(request: IncomingMessage, response: ServerResponse, extra: readonly string[] = own): Exchange {
  const exchange = new Exchange(request, response, 'r0-1', Date.now(), Infinity);
  exchange.extraHeaders.push(...extra);
  return exchange;
}

/** `/prepared` is begun with a text, anything else by node:http, with the same headers. */
async function serve(t: ExecutionContext, change: (exchange: Exchange) => void = () => {}): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const exchange = exchangeOf(request, response);
    change(exchange);
    const isPrepared = request.url === '/prepared' && beginPrepared(exchange, headLines(names));
    if (!isPrepared) response.writeHead(200, [...names, 'X-Request-Id', 'r0-1', ...exchange.extraHeaders]);
    response.end('{}', 'latin1');
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ask = async (port: number, path: string, lines = ''): Promise<string> => {
  const { head, body } = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`);
  return `${head.replace(/^Date: .*$/m, 'Date: now')}|${body}`;
};

test('a head that was made before is the one that node:http makes, byte for byte', async (t) => {
  const port = await serve(t);
  const answer = await ask(port, '/prepared');
  t.is(answer, await ask(port, '/node'));
  t.true(answer.includes('\r\nRateLimit: "user";r=3;t=1\r\nDate: now\r\nConnection: keep-alive'));
  const { head } = await sendRaw(port, 'GET /prepared HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const date = /^Date: (.*)$/m.exec(head)?.[1] ?? '';
  t.is(new Date(date).toUTCString(), date);
  t.true(Math.abs(Date.parse(date) - Date.now()) < 60_000);
});

test('answers to requests that come at once keep their order, and one without a body has none', async (t) => {
  const port = await serve(t);
  const line = (method: string, path: string, rest = ''): string => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${rest}\r\n`;
  const all =
    line('HEAD', '/prepared') + line('GET', '/prepared') + line('GET', '/node') + line('GET', '/prepared', 'Connection: close\r\n');
  const text = await new Promise<string>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(all));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  t.is(text.split('HTTP/1.1 200 OK').length, 5);
  t.deepEqual(
    text.split('HTTP/1.1 200 OK').map((part) => part.endsWith('{}')),
    [false, false, true, true, true],
  );
});

test('what is not as usual is left to node:http: a connection that ends, a client that waits, a header that is not plain', async (t) => {
  const port = await serve(t);
  t.true((await ask(port, '/prepared', 'Connection: close\r\n')).includes('Connection: close'));
  const refused: boolean[] = [];
  const one = await serve(t, (exchange) => {
    const { awaitsContinue } = exchange;
    exchange.awaitsContinue = true;
    refused.push(beginPrepared(exchange, headLines(names)));
    exchange.awaitsContinue = awaitsContinue;
    for (const extra of [
      ['Connection', 'close'],
      ['X-Text', 'a\r\nSet-Cookie: b'],
      ['X-Text', 'ü'],
    ]) {
      refused.push(beginPrepared(exchangeOf(exchange.request, exchange.response, extra), headLines(names)));
    }
    exchange.response.setHeader('X-Set', '1');
    refused.push(beginPrepared(exchange, headLines(names)));
    exchange.response.removeHeader('X-Set');
  });
  t.true((await ask(one, '/node')).endsWith('|{}'));
  t.deepEqual(refused, [false, false, false, false, false]);
});
