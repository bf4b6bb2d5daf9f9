/**
 * Requests that two readers of one connection take for different ones: straight to the listener, and behind two reverse proxies that keep
 * and share their connections to it. A smuggled request would be served with the credential of the next client on such a connection.
 */
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { requestPort, callers, startServer, type RunningServer } from '../../core/test/api/running-server.ts';
import { isCi } from '../is-ci.ts';
import { isInstalled, markHeader, startProxy, type ProxyName } from './reverse-proxy.ts';

const path = '/api/v1/namespaces/default/configmaps';
const unfinished = 'X-Ignore: ';
/** The same length, and the end of a request of its own. */
const finished = 'X: aaa\r\n\r\n';
/** Deletes something as soon as the headers of another request follow it. */
const smuggled = `DELETE ${path}/smuggled HTTP/1.1\r\nHost: localhost\r\n${unfinished}`;
const hex = (text: string): string => text.length.toString(16);
const endOfChunks = '0\r\n\r\n';

const post = (headers: readonly string[], body: string, first = `POST ${path} HTTP/1.1`): string =>
  [first, 'Host: localhost', 'Authorization: Bearer viewer', 'Content-Type: application/json', ...headers].join('\r\n') + `\r\n\r\n${body}`;
/** A proxy that uses the length reads all of it as body; for one that uses chunks, the smuggled request is the next one. */
const lengthBeside = (header: string): string => {
  const body = endOfChunks + smuggled;
  return post([`Content-Length: ${body.length}`, header], body);
};
const lengthOf = (header: string): string => post([header], smuggled);
const chunks = (body: string): string => post(['Transfer-Encoding: chunked'], body);

const attacks: Readonly<Record<string, string>> = {
  'a length beside chunks': lengthBeside('Transfer-Encoding: chunked'),
  'a short length beside chunks': post(
    ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    `${hex(smuggled)}\r\n${smuggled}\r\n${endOfChunks}`,
  ),
  'an unknown encoding': lengthBeside('Transfer-Encoding: xchunked'),
  'an encoding in quotes': lengthBeside('Transfer-Encoding: "chunked"'),
  'the encoding identity': lengthBeside('Transfer-Encoding: identity'),
  'chunks that are not the last encoding': lengthBeside('Transfer-Encoding: chunked, identity'),
  'two encodings': lengthBeside('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
  'a space before the colon of the encoding': lengthBeside('Transfer-Encoding : chunked'),
  'a vertical tab before the encoding': lengthBeside('Transfer-Encoding:\x0bchunked'),
  'a NUL byte in the encoding': lengthBeside('Transfer-Encoding: chun\0ked'),
  'a folded encoding': lengthBeside('Transfer-Encoding:\r\n chunked'),
  'an encoding that looks like the fold of another header': lengthBeside('X-A: b\r\n Transfer-Encoding: chunked'),
  'an encoding behind a bare line feed': lengthBeside('X-A: b\nTransfer-Encoding: chunked'),
  'an encoding behind a bare carriage return': lengthBeside('X-A: b\rTransfer-Encoding: chunked'),
  'an encoding spelled with an underscore': lengthBeside('Transfer_Encoding: chunked'),
  'an encoding that is to be dropped on the way': lengthBeside('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked'),
  'chunks in HTTP/1.0': post(
    [`Content-Length: ${endOfChunks.length + smuggled.length}`, 'Transfer-Encoding: chunked', 'Connection: keep-alive'],
    endOfChunks + smuggled,
    `POST ${path} HTTP/1.0`,
  ),
  'two lengths': lengthOf(`Content-Length: 0\r\nContent-Length: ${smuggled.length}`),
  'a list of lengths': lengthOf(`Content-Length: 0, ${smuggled.length}`),
  'a signed length': lengthOf('Content-Length: +0'),
  'a negative length': lengthOf('Content-Length: -1'),
  'a hexadecimal length': lengthOf(`Content-Length: 0x${hex(smuggled)}`),
  'a length beyond all bounds': lengthOf(`Content-Length: 1844674407370955161${smuggled.length}`),
  'a length of two words': lengthOf(`Content-Length: 0 ${smuggled.length}`),
  'a space before the colon of the length': lengthOf(`Content-Length : ${smuggled.length}`),
  'a length behind a bare carriage return': lengthOf(`X-A: b\rContent-Length: ${smuggled.length}`),
  'a body on a read': post([`Content-Length: ${smuggled.length}`], smuggled, `GET ${path} HTTP/1.1`),
  'a body on a HEAD': post([`Content-Length: ${smuggled.length}`], smuggled, `HEAD ${path} HTTP/1.1`),
  'a chunk of a hexadecimal size': chunks(`0x0\r\n\r\n${smuggled}`),
  'a chunk of a negative size': chunks(`-1\r\n\r\n${smuggled}`),
  'a chunk beyond all bounds': chunks(`10000000000000000\r\n\r\n${smuggled}`),
  'a chunk whose size ends with a bare line feed': chunks(`2\n{}\r\n0\n\n${smuggled}`),
  'a chunk whose extension holds a bare line feed': chunks(`2;\nxx\r\n${hex(smuggled)}\r\n0\r\n\r\n${smuggled}`),
  'a chunk whose extension holds a bare carriage return': chunks(`2;\rxx\r\n${hex(smuggled)}\r\n0\r\n\r\n${smuggled}`),
  'a chunk longer than it says': chunks(`2\r\n{}xx\r\n${hex(smuggled)}\r\n0\r\n\r\n${smuggled}`),
  'a chunk without its end': chunks(`2\r\n{}${hex(smuggled)}\r\n${smuggled}\r\n`),
  'an expectation and a body that is sent at once': post(['Expect: 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  'an unknown expectation and a body': post(['Expect: y 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  'a too large body that is expected to be refused': post(['Expect: 100-continue', 'Content-Length: 2000000'], smuggled),
  'an upgrade to HTTP/2': post(
    [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
      `Content-Length: ${smuggled.length}`,
    ],
    smuggled,
  ),
  'a WebSocket of a version that does not exist': post(
    ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 777', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='],
    smuggled,
    `GET ${path}?watch=1 HTTP/1.1`,
  ),
  'two hosts': post(['Host: other', `Content-Length: ${smuggled.length}`], smuggled),
  'another host in the target': post([`Content-Length: ${smuggled.length}`], smuggled, `POST http://other.example${path} HTTP/1.1`),
  'a line break in the target': post([], smuggled, `GET ${path}?a\r\nX: HTTP/1.1`),
  'headers that are too large for the server only': post(
    [
      `X-Large: ${'a'.repeat(7_000)}`,
      `X-Larger: ${'a'.repeat(7_000)}`,
      `X-Largest: ${'a'.repeat(7_000)}`,
      `Content-Length: ${smuggled.length}`,
    ],
    smuggled,
  ),
  'headers that ask to be dropped on the way': post(
    [`Connection: close, ${markHeader}, authorization, host`, `Content-Length: ${smuggled.length}`],
    smuggled,
  ),
  'no version': `GET ${path}\r\n${smuggled}`,
};

interface Watched extends RunningServer {
  /** The marks of all requests that reached authentication. */
  readonly marks: (string | undefined)[];
}

async function startWatched(t: ExecutionContext): Promise<Watched> {
  const marks: (string | undefined)[] = [];
  const server = await startServer(t, {
    authenticate: ({ headers }) => {
      marks.push(headers[markHeader]);
      const caller = callers[(headers['authorization'] ?? '').replace('Bearer ', '')];
      return caller === undefined ? undefined : { caller, credentialId: caller.name };
    },
  });
  server.engine.put('default', 'victim', {});
  server.engine.put('default', 'smuggled', {});
  return { ...server, marks };
}

/** Long enough for what a front passes on at once; a front may also wait for more, and then nothing comes. */
const answerMsMax = 150;

/** Sends it and stays connected, as an attacker would, until the victims have been served. */
function attack(port: number, bytes: string, waitMsMax = answerMsMax): Promise<{ readonly leave: () => void }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const heard = (): void => resolve({ leave: () => void socket.destroy() });
    socket.once('data', heard).once('close', heard);
    socket.on('error', heard);
    setTimeout(heard, waitMsMax).unref();
  });
}

async function holds(t: ExecutionContext, server: Watched, port: number, what: string, bytes: string): Promise<void> {
  const { leave } = await attack(port, bytes);
  for (let index = 0; index < 3; index += 1) {
    const answer = await requestPort(port, `${path}/victim`, { as: 'admin', headers: { 'x-victim': String(index) } });
    t.is(answer.status, 200, `${what}: ${answer.text}`);
    t.is(answer.json.metadata.name, 'victim');
  }
  leave();
  t.deepEqual(
    server.audited.filter(({ path: sent }) => sent.includes('smuggled')),
    [],
    what,
  );
  t.true(server.marks.length >= 3);
  t.is(server.engine.writes.length, 0);
}

for (const [what, bytes] of Object.entries(attacks)) {
  test(`no second request is found behind ${what}`, async (t) => {
    const server = await startWatched(t);
    await holds(t, server, server.port, what, bytes.replaceAll(unfinished, finished));
  });
}

test('a trailer is no header: neither a credential nor a length comes from it', async (t) => {
  const server = await startWatched(t);
  const trailers = `0\r\nAuthorization: Bearer admin\r\nContent-Length: ${smuggled.length}\r\nImpersonate-User: admin\r\n\r\n`;
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: authorization\r\n\r\n`;
  const { leave } = await attack(server.port, `${head}${trailers}`, 60_000);
  await server.ask('/livez');
  leave();
  t.deepEqual(
    server.audited.map(({ outcome, caller }) => [outcome?.status, caller?.name]),
    [[401, undefined]],
  );
});

for (const name of ['nginx', 'haproxy'] satisfies readonly ProxyName[]) {
  const behind = isInstalled(name) || isCi ? test : test.skip;
  behind(`behind ${name}, nothing that is smuggled is served with the credential of somebody else`, async (t) => {
    t.timeout(120_000);
    const server = await startWatched(t);
    const proxy = await startProxy(name, server.port);
    t.teardown(() => proxy.stop());
    for (const [what, bytes] of Object.entries(attacks)) {
      server.marks.length = 0;
      server.audited.length = 0;
      await holds(t, server, proxy.port, what, bytes);
      t.true(
        server.marks.every((mark) => mark !== undefined),
        `${what}: the server was asked what ${name} has not seen`,
      );
      t.is(new Set(server.marks).size, server.marks.length, what);
    }
  });
}
