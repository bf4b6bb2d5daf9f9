import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { EnginePort } from '../../dist/ports/engine.js';
import { createFakeEngine } from './fake-engine.ts';
import { openWatch, startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';

test('a watch whose history is gone is told by an ERROR event with a 410 Status, and ends', async (t) => {
  const { engine, port } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100`);
  engine.put('default', 'a', {});
  t.is((await watch.next()).type, 'ADDED');
  engine.compact();
  const event = await watch.next();
  t.is(event.type, 'ERROR');
  t.is(event.object.kind, 'Status');
  t.is(event.object.code, 410);
  t.is(event.object.reason, 'Expired');
  await watch.ended();
});

test('a watch that is refused before its first event gets an ordinary response', async (t) => {
  const { engine, ask } = await startServer(t);
  engine.compact();
  const answer = await ask(`${path}?watch=1&resourceVersion=1`);
  t.is(answer.status, 410);
  t.is(answer.json.reason, 'Expired');
});

test('the head of a watch is sent at once, also when nothing happens', async (t) => {
  const { port } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100`);
  t.is(watch.status, 200);
  watch.close();
});

test('events are called JSON, as a kube-apiserver calls them, and a stream to who asks for one by name', async (t) => {
  const { port } = await startServer(t);
  for (const [accept, type] of [
    ['application/json', 'application/json'],
    ['application/json;stream=watch, application/json', 'application/json;stream=watch'],
  ] as const) {
    const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100`, { accept });
    t.is(watch.mediaType, type);
    watch.close();
  }
});

test('a watch ends after timeoutSeconds with a bookmark of how far it came', async (t) => {
  const { engine, port } = await startServer(t);
  engine.put('default', 'a', {});
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100&timeoutSeconds=3&allowWatchBookmarks=true`);
  t.is((await watch.next()).type, 'ADDED');
  const event = await watch.next();
  t.is(event.type, 'BOOKMARK');
  t.deepEqual(event.object, { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '101' } });
  await watch.ended();
  t.is(await watch.next(), undefined);
});

test('a watch that ends while what is there is told has no bookmark at its end, and one that ends after that says how far it came', async (t) => {
  const engine = createFakeEngine();
  for (const name of ['a', 'b', 'a']) engine.put('default', name, {});
  const reported = { objects: 1 };
  const beginning: EnginePort = {
    ...engine,
    async *watch(query) {
      for await (const batch of engine.watch(query)) {
        yield batch.slice(0, reported.objects);
        await once(query.signal, 'abort');
        return;
      }
    },
  };
  const { port } = await startServer(t, { engines: () => new Map([['platform', beginning]]) });
  const follow = async (query: string) => {
    const watch = await openWatch(port, `${path}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true${query}`);
    const events = [];
    for (let event = await watch.next(); event !== undefined; event = await watch.next()) events.push(event);
    return events.map(({ type, object: { metadata } }) => [type, metadata.name, metadata.resourceVersion]);
  };
  const first = ['ADDED', 'a', '103'];
  t.deepEqual(await follow(''), [first]);
  t.deepEqual(await follow('&resourceVersion=102&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'), [first]);
  reported.objects = 2;
  t.deepEqual(await follow(''), [first, ['ADDED', 'b', '102'], ['BOOKMARK', undefined, '103']]);
});

test('a watch that does not request bookmarks gets none', async (t) => {
  const { port } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100&timeoutSeconds=1`);
  t.is(await watch.next(), undefined);
});

test('initial events need NotOlderThan beside them', async (t) => {
  const { engine, ask, port } = await startServer(t);
  t.is((await ask(`${path}?watch=1&sendInitialEvents=true`)).status, 400);
  t.is((await ask(`${path}?watch=1&resourceVersionMatch=NotOlderThan`)).status, 400);
  engine.put('default', 'a', {});
  const watch = await openWatch(port, `${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`);
  t.is((await watch.next()).object.metadata.name, 'a');
  watch.close();
});

test('a watch without initial events gets only later changes', async (t) => {
  const { engine, port } = await startServer(t);
  engine.put('default', 'a', {});
  for (const version of ['', '&resourceVersion=0']) {
    const query = `watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan${version}`;
    const watch = await openWatch(port, `${path}?${query}`);
    engine.put('default', 'b', {});
    t.is((await watch.next()).object.metadata.name, 'b');
    watch.close();
  }
});

test('when the client leaves, the watch of the engine ends too', async (t) => {
  const { engine, port } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100`);
  t.is(engine.watchers, 1);
  watch.close();
  while (engine.watchers > 0) await delay(5);
  t.is(engine.watchers, 0);
});

test('a client that does not read is cut off, and takes nothing from the engine meanwhile', async (t) => {
  const { engine, port, audited } = await startServer(t, { limits: { drainMsMax: 300 } });
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path}?watch=1&resourceVersion=100 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  socket.pause();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  t.is(engine.watchers, 1);
  for (let index = 0; index < 200; index += 1) engine.put('default', `a${index}`, { x: 'x'.repeat(100_000) });
  while (engine.watchers > 0) await delay(5);
  while (audited.length === 0) await delay(5);
  t.is(audited[0]?.outcome?.errorCode, 'TAP_REQUEST_SLOW_READER');
  socket.resume();
  await closed;
});

test('a client that reads in fits and starts is told everything, and leaves no listener behind', async (t) => {
  const warnings: string[] = [];
  const received = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', received);
  t.teardown(() => process.off('warning', received));
  const { engine, port } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100`);
  const text = 'x'.repeat(3_000_000);
  for (let index = 0; index < 30; index += 1) {
    engine.put('default', 'a', { x: text, index: String(index) });
    t.is((await watch.next()).object.data.index, String(index));
  }
  watch.close();
  t.deepEqual(warnings, []);
});

test('a stream of a credential that is no longer good is ended', async (t) => {
  const { server, port } = await startServer(t);
  const mine = await openWatch(port, `${path}?watch=1&resourceVersion=100`);
  const other = await openWatch(port, `${path}?watch=1&resourceVersion=100`, { authorization: 'Bearer viewer' });
  server.endStreams('admin');
  await mine.ended();
  server.endStreams('viewer');
  await other.ended();
  t.pass();
});

test('a stream ends when the credential expires', async (t) => {
  const { port } = await startServer(t, {
    authenticate: () => ({ caller: { name: 'admin', groups: [] }, credentialId: 'x', expiresAtMs: Date.now() + 200 }),
  });
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100&allowWatchBookmarks=1`);
  t.is((await watch.next()).type, 'BOOKMARK');
  await watch.ended();
});

test('stopping ends watches with a bookmark, finishes what runs, and takes nothing new', async (t) => {
  const { engine, server, port, ask } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100&allowWatchBookmarks=1`);
  let finish = (): void => {};
  const held = new Promise<void>((resolve) => (finish = resolve));
  engine.intercept = (verb) => (verb === 'create' ? held : Promise.resolve());
  const running = ask(path, { method: 'POST', body: { metadata: { name: 'a' } } });
  while (engine.writes.length === 0) await delay(5);
  const closing = server.close();
  t.is((await watch.next()).type, 'BOOKMARK');
  await watch.ended();
  await t.throwsAsync(ask('/livez'), { code: 'ECONNREFUSED' });
  finish();
  t.is((await running).status, 201);
  await closing;
});

test('many watchers of the same change are sent the same bytes', async (t) => {
  const { engine, port } = await startServer(t);
  const watches = await Promise.all(Array.from({ length: 20 }, () => openWatch(port, `${path}?watch=1&resourceVersion=100`)));
  t.is(engine.watchers, 20);
  const served = engine.put('default', 'a', { x: '1' });
  const { bytes } = served;
  let made = 0;
  // Whoever makes a line of the change reads its bytes.
  Object.defineProperty(served, 'bytes', { get: () => ((made += 1), bytes) });
  const events = await Promise.all(watches.map((watch) => watch.next()));
  t.is(new Set(events.map((event) => JSON.stringify(event))).size, 1);
  t.is(made, 1);
  for (const watch of watches) watch.close();
});

/** All that comes on a connection until the other side ends it. */
async function received(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => void (text += chunk.toString('latin1')));
  socket.write(bytes);
  await new Promise((resolve) => void socket.once('close', resolve));
  return text;
}

const headers = 'Host: localhost\r\nAuthorization: Bearer admin\r\n';
const watchOf = (version: string, query: string) => `GET ${path}?watch=1&timeoutSeconds=1&${query} HTTP/${version}\r\n${headers}\r\n`;
const list = `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
const lastList = `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;

/** Takes the chunks of a body apart; throws when they are not what HTTP/1.1 says. */
function unchunked(body: string): { readonly lines: readonly string[]; readonly rest: string } {
  let text = '';
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, end), 16);
    if (!(size >= 0) || body.slice(end + 2 + size, end + 4 + size) !== '\r\n')
      throw new Error(`no chunk at ${at}: ${body.slice(at, at + 20)}`);
    text += body.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
    if (size === 0) return { lines: text.trimEnd().split('\n'), rest: body.slice(at) };
  }
}

const typesOf = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { type: string }).type);

test('a client of HTTP/1.1 gets chunks, from the first event to the bookmark and the end; what was asked for next follows', async (t) => {
  const { engine, port } = await startServer(t);
  for (const name of ['a', 'ü', 'c']) engine.put('default', name, {});
  const text = await received(port, watchOf('1.1', 'allowWatchBookmarks=true') + lastList);
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  t.regex(text.slice(0, bodyAt), /Transfer-Encoding: chunked/);
  const { lines, rest } = unchunked(text.slice(bodyAt));
  t.deepEqual(typesOf(lines), ['ADDED', 'ADDED', 'ADDED', 'BOOKMARK']);
  t.regex(rest, /^HTTP\/1.1 200 .*ConfigMapList/s);
});

test('a client of HTTP/1.0 gets lines, until the connection ends', async (t) => {
  const { engine, port } = await startServer(t);
  engine.put('default', 'a', {});
  const text = await received(port, watchOf('1.0', ''));
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  t.notRegex(text.slice(0, bodyAt), /Transfer-Encoding/);
  t.deepEqual(typesOf(text.slice(bodyAt).trimEnd().split('\n')), ['ADDED']);
});

test('a watch that was asked for behind another request begins when that is answered, and is whole', async (t) => {
  const { engine, port } = await startServer(t);
  engine.put('default', 'a', {});
  const text = await received(port, list + watchOf('1.1', '') + lastList);
  const watchAt = text.indexOf('HTTP/1.1 200', 1);
  const { lines, rest } = unchunked(text.slice(text.indexOf('\r\n\r\n', watchAt) + 4));
  t.deepEqual(typesOf(lines), ['ADDED']);
  t.regex(rest, /^HTTP\/1.1 200 .*ConfigMapList/s);
});
