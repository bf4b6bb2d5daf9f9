import test from 'ava';
import type { ServedKind } from '../../dist/ports/engine.js';
import type { AuditedOutcome } from '../../dist/ports/audit.js';
import { createPreparedAnswers } from '../../dist/api/answer/prepared-answers.js';
import { configMaps } from './fake-engine.ts';
import { startServer } from './running-server.ts';

const kind: ServedKind = configMaps();
const served = (resourceVersion: string, text = `{"v":${resourceVersion}}`) => ({ object: {}, bytes: Buffer.from(text), resourceVersion });
const textOf = (body: string | Buffer): string => (typeof body === 'string' ? Buffer.from(body, 'latin1') : body).toString();

test('an object is prepared once, byte for byte', (t) => {
  const answers = createPreparedAnswers();
  const object = served('1', '{"text":"grün €"}');
  const answer = answers.object(object);
  t.is(textOf(answer.body), '{"text":"grün €"}');
  t.is(answer.bodyBytes, object.bytes.byteLength);
  t.deepEqual(answer.headers.slice(0, 6), [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(object.bytes.byteLength),
    'ETag',
    '"1"',
  ]);
  t.is(answers.object(object), answer);
  t.not(answers.object(served('1')), answer);
});

const tokenAfter = (): string => '';

test('a page is prepared once, and the same items at another version get another head', (t) => {
  const answers = createPreparedAnswers();
  const items = [served('1'), served('2')];
  const page = { items, resourceVersion: '7', tokenAfter };
  const answer = answers.list(kind, page);
  t.is(textOf(answer.body), '{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"v":1},{"v":2}]}');
  t.is(answers.list(kind, page), answer);
  const later = answers.list(kind, { items, resourceVersion: '1000', tokenAfter, continueToken: 'c', remainingItemCount: 3 });
  t.is(
    textOf(later.body),
    '{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1000","continue":"c","remainingItemCount":3},"items":[{"v":1},{"v":2}]}',
  );
  t.is(textOf(answers.list(kind, { items: [], resourceVersion: '8', tokenAfter }).body).slice(-13), '"},"items":[]}'.slice(-13));
});

test('the cache of prepared answers is bounded: large answers are never cached, and the oldest are evicted', (t) => {
  const answers = createPreparedAnswers();
  const large = served('1', `"${'x'.repeat(3_000_000)}"`);
  t.not(answers.object(large), answers.object(large));
  const first = served('2');
  const kept = answers.object(first);
  t.is(answers.object(first), kept);
  for (let index = 0; index < 100; index += 1) answers.object(served(String(index), `"${'x'.repeat(200_000)}"`));
  t.not(answers.object(first), kept);
});

test('a page of a megabyte is joined once for as long as its items stay', (t) => {
  const answers = createPreparedAnswers();
  const page = {
    items: Array.from({ length: 100 }, (_, index) => served(String(index), `"${'x'.repeat(10_000)}"`)),
    resourceVersion: '7',
    tokenAfter,
  };
  const answer = answers.list(kind, page);
  t.true(answer.bodyBytes > 1_000_000);
  t.is(answers.list(kind, page), answer);
});

test('a list that is asked for twice shows what has changed in between', async (t) => {
  const { ask, engine } = await startServer(t);
  for (const name of ['a', 'b', 'c']) engine.put('default', name, { x: 'x'.repeat(10_000) });
  const path = '/api/v1/namespaces/default/configmaps';
  const first = await ask(path);
  t.deepEqual((await ask(path)).json, first.json);
  engine.put('default', 'b', { x: 'changed' });
  const second = await ask(path);
  t.is(second.json.items[1].data.x, 'changed');
  t.is(second.json.items[2].data.x, first.json.items[2].data.x);
  t.is((await ask(path, { method: 'HEAD' })).headers['content-length'], second.headers['content-length']);
});

test('an object that is asked for twice shows what has changed in between', async (t) => {
  const { ask, engine } = await startServer(t);
  const path = '/api/v1/namespaces/default/configmaps/a';
  engine.put('default', 'a', { x: '1' });
  const first = await ask(path);
  engine.put('default', 'a', { x: '2' });
  const second = await ask(path);
  t.deepEqual([first.json.data.x, second.json.data.x], ['1', '2']);
  t.not(first.headers['etag'], second.headers['etag']);
  t.is((await ask(path, { headers: { 'if-none-match': String(second.headers['etag']) } })).status, 304);
});

test('audit is told the body of a prepared answer where it wants bodies', async (t) => {
  const reported: (Uint8Array | string | undefined)[] = [];
  const audit = () => ({ wants: 'both', end: ({ responseBody }: AuditedOutcome) => void reported.push(responseBody) }) as const;
  const { ask, engine } = await startServer(t, { audit });
  engine.put('default', 'a', { text: 'grün' });
  for (const path of ['/a', '', '/a']) await ask(`/api/v1/namespaces/default/configmaps${path}`);
  t.deepEqual(
    reported.map((body) => Buffer.from(body ?? '').includes('"grün"')),
    [true, true, true],
  );
});
