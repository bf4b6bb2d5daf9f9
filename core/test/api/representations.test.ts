import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { createFakeEngine, configMaps } from './fake-engine.ts';
import { openWatch, startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

test('a list is a Table for who asks for one, with as much of each object as was asked for', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', { x: '1' });
  const list = await ask(path, { headers: { accept: table } });
  t.is(list.json.kind, 'Table');
  t.is(list.json.columnDefinitions[0].name, 'Name');
  t.deepEqual(list.json.rows[0].cells, ['a']);
  t.is(list.json.rows[0].object.kind, 'PartialObjectMetadata');
  t.is(list.json.metadata.resourceVersion, '101');
  t.is((await ask(`${path}?includeObject=None`, { headers: { accept: table } })).json.rows[0].object, undefined);
  t.deepEqual((await ask(`${path}?includeObject=Object`, { headers: { accept: table } })).json.rows[0].object.data, { x: '1' });
  const one = await ask(`${path}/a`, { headers: { accept: table } });
  t.deepEqual(one.json.rows[0].cells, ['a']);
  t.is(one.headers['etag'], 'W/"101"');
});

test('a watch in Table form tells a table a change', async (t) => {
  const { engine, port } = await startServer(t);
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=100`, { accept: table });
  engine.put('default', 'a', {});
  const event = await watch.next();
  t.is(event.object.kind, 'Table');
  t.deepEqual(event.object.rows[0].cells, ['a']);
  watch.close();
});

test('metadata alone is answered as PartialObjectMetadata', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', { x: '1' });
  const one = await ask(`${path}/a`, { headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' } });
  t.deepEqual(Object.keys(one.json), ['kind', 'apiVersion', 'metadata']);
  const list = await ask(path, { headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } });
  t.is(list.json.kind, 'PartialObjectMetadataList');
  t.is(list.json.items[0].metadata.name, 'a');
});

test('YAML is answered to who accepts it, objects, lists and failures', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', { x: '1' });
  const headers = { accept: 'application/yaml' };
  t.deepEqual(parse((await ask(`${path}/a`, { headers })).text).data, { x: '1' });
  t.is(parse((await ask(path, { headers })).text).items.length, 1);
  t.is(parse((await ask(`${path}/b`, { headers })).text).reason, 'NotFound');
});

test('protobuf first and JSON second gets JSON; protobuf alone is refused with 406', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  t.is((await ask(`${path}/a`, { headers: { accept: 'application/vnd.kubernetes.protobuf,application/json' } })).status, 200);
  const refused = await ask(`${path}/a`, { headers: { accept: 'application/vnd.kubernetes.protobuf' } });
  t.is(refused.status, 406);
  t.is(refused.json.reason, 'NotAcceptable');
  t.is((await ask(`${path}/a`, { headers: { accept: 'application/json;q=0' } })).status, 406);
  t.is((await ask(`${path}/a`, { headers: { accept: 'constructor' } })).status, 406, 'a word that every object of JavaScript knows');
});

test('a large list is compressed for who takes that, a small one is not', async (t) => {
  const { ask, engine } = await startServer(t);
  const headers = { 'accept-encoding': 'gzip' };
  engine.put('default', 'a', {});
  t.is((await ask(path, { headers })).headers['content-encoding'], undefined);
  engine.put('default', 'b', { x: 'x'.repeat(200_000) });
  const large = await ask(path, { headers });
  t.is(large.headers['content-encoding'], 'gzip');
  t.is(JSON.parse(gunzipSync(large.bytes).toString()).items.length, 2);
  t.is((await ask(path, { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
  t.is((await ask(path)).headers['content-encoding'], undefined);
});

test('an object that the client has is not sent again', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const first = await ask(`${path}/a`);
  const again = await ask(`${path}/a`, { headers: { 'if-none-match': String(first.headers['etag']) } });
  t.is(again.status, 304);
  t.is(again.text, '');
  engine.put('default', 'a', { x: '2' });
  t.is((await ask(`${path}/a`, { headers: { 'if-none-match': String(first.headers['etag']) } })).status, 200);
});

test('HEAD is GET without the body', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const got = await ask(`${path}/a`);
  const head = await ask(`${path}/a`, { method: 'HEAD' });
  t.is(head.status, 200);
  t.is(head.text, '');
  t.is(head.headers['content-length'], got.headers['content-length']);
});

test('pages carry the token of the next one', async (t) => {
  const { ask, engine } = await startServer(t);
  for (const name of ['a', 'b', 'c']) engine.put('default', name, {});
  const first = await ask(`${path}?limit=2`);
  t.is(first.json.items.length, 2);
  t.is(first.json.metadata.remainingItemCount, 1);
  const second = await ask(`${path}?limit=2&continue=${encodeURIComponent(first.json.metadata.continue)}`);
  t.is(second.json.items[0].metadata.name, 'c');
  t.is(second.json.metadata.continue, undefined);
});

test('a failure is a problem document for who accepts that', async (t) => {
  const { ask } = await startServer(t);
  const answer = await ask(`${path}/a`, { headers: { accept: 'application/problem+json' } });
  t.is(answer.headers['content-type'], 'application/problem+json');
  t.is(answer.json.status, 404);
  t.is(answer.json.title, 'NotFound');
  t.is(answer.json.code, 'TAP_OBJECT_NOT_FOUND');
});

test('a version deprecated since a release, not a date, has no Deprecation header, whose value is a date', async (t) => {
  const engine = createFakeEngine([configMaps({ deprecated: { since: '1.2', removedAfter: '1.4', instead: 'v2' } })]);
  const { headers } = await (await startServer(t, { engines: () => new Map([['platform', engine]]) })).ask(path);
  t.is(headers['deprecation'], undefined);
  t.is(headers['sunset'], undefined);
  t.regex(String(headers['warning']), /deprecated since 1\.2; use v2/);
});

test('a deprecated version says so in three headers with whatever is answered, and is counted once each time', async (t) => {
  const deprecated = { since: '2026-12-01', removedAfter: '2027-06-01T00:00:00Z', instead: 'v2' };
  const subresources = [{ name: 'restart', verbs: ['create'] }];
  const engine = createFakeEngine([configMaps({ deprecated, subresources })]);
  const restart = { engine: 'platform', group: '', plural: 'configmaps', name: 'restart', description: '', input: {}, output: {} };
  const used: string[] = [];
  const { ask, port } = await startServer(t, {
    engines: () => new Map([['platform', engine]]),
    actions: () => [{ ...restart, isLong: false, handle: async () => ({ output: {} }) }],
    deprecatedUse: (kind, caller) => void used.push(`${caller.name} ${kind.version} ${kind.plural}`),
  });
  const create = { method: 'POST', body: { metadata: { name: 'a' } } };
  const watching = `${path}?watch=true`;
  const answers = [
    await ask(path),
    await ask(path),
    await ask(path, create),
    await ask(path, create),
    await ask(`${path}/none`),
    await ask(`${path}/a/restart`, { method: 'POST' }),
    await ask(path, { method: 'PUT' }),
    await headersOf(`http://127.0.0.1:${port}${watching}`),
    await upgradeHeadersOf(`ws://127.0.0.1:${port}${watching}`),
  ];
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 201, 409, 404, 200, 405, 200, 101],
  );
  for (const answer of answers) {
    t.is(answer.headers['deprecation'], `@${Date.UTC(2026, 11, 1) / 1000}`);
    t.is(answer.headers['sunset'], 'Tue, 01 Jun 2027 00:00:00 GMT');
    t.regex(String(answer.headers['warning']), /^299 - "ConfigMap v1 is deprecated since 2026-12-01; use v2"$/);
  }
  t.deepEqual(
    used,
    answers.map(() => 'admin v1 configmaps'),
  );
});

const authorization = 'Bearer admin';

/** The head of an answer that goes on. */
async function headersOf(url: string) {
  const leaving = new AbortController();
  const { status, headers } = await fetch(url, { headers: { authorization }, signal: leaving.signal });
  leaving.abort();
  return { status, headers: Object.fromEntries(headers) };
}

async function upgradeHeadersOf(url: string) {
  const socket = new WebSocket(url, { headers: { authorization } });
  const [{ statusCode: status, headers }] = (await once(socket, 'upgrade')) as [IncomingMessage];
  socket.once('open', () => socket.terminate());
  return { status, headers };
}
