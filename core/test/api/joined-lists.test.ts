import test from 'ava';
import { createJoinedLists } from '../../dist/api/joined-lists.js';
import { startServer } from './running-server.ts';

const served = (resourceVersion: string, text = `{"v":${resourceVersion}}`) => ({ object: {}, bytes: Buffer.from(text), resourceVersion });
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test('items are joined by commas, and the same items are joined once', (t) => {
  const lists = createJoinedLists();
  const items = [served('1'), served('2'), served('3')];
  t.is(textOf(lists.of(items)), '{"v":1},{"v":2},{"v":3}');
  t.is(lists.of([...items]), lists.of(items));
  t.is(textOf(lists.of([])), '');
  t.is(textOf(lists.of(items.slice(0, 1))), '{"v":1}');
});

test('a list of which one item in the middle has changed is another list', (t) => {
  const lists = createJoinedLists();
  const [first, last] = [served('1'), served('3')];
  t.is(textOf(lists.of([first, served('2'), last])), '{"v":1},{"v":2},{"v":3}');
  t.is(textOf(lists.of([first, served('4'), last])), '{"v":1},{"v":4},{"v":3}');
  t.is(textOf(lists.of([first, served('2', '{"v":"again"}'), last])), '{"v":1},{"v":"again"},{"v":3}');
});

test('what is kept is bounded: long lists never are, and old ones go', (t) => {
  const lists = createJoinedLists();
  const long = [served('1', `"${'x'.repeat(300_000)}"`)];
  t.not(lists.of(long), lists.of(long));
  const first = [served('2')];
  const kept = lists.of(first);
  t.is(lists.of(first), kept);
  for (let index = 10; index < 74; index += 1) lists.of([served(String(index))]);
  t.not(lists.of(first), kept);
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
