import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { offeredBytesMax, offersMax, WriteHandoff } from '../../dist/resources/write-handoff.js';
import { textOf } from '../../dist/resources/object-text.js';
import { toStore } from '../../dist/resources/stored-object.js';
import { configMap, configMaps, never, startEngine, targetOf } from './engine-fixture.ts';

const side = { claims: [], attribution: [] };
const body = (name: string) => configMap(name, {}, { uid: name, creationTimestamp: 'now' }) as Parameters<typeof textOf>[0];
const bytesOf = (object: Parameters<typeof textOf>[0]) => toStore(textOf(object), side);
const written = (object: Parameters<typeof textOf>[0]) => ({ object, text: textOf(object), side });
const kept = (key: string, value: Uint8Array, modRevision = 5) => ({ key, value, modRevision, createRevision: 1, version: 1 });

test('a writer and the cache share one object and its bytes', async (t) => {
  const { create, engine } = await startEngine();
  const { served } = await create(configMaps, configMap('a'));
  const read = await engine.get(targetOf(configMaps, 'default/a'), { signal: never });
  t.is(read.object, served.object);
  t.is(read.bytes, served.bytes);
});

test('only the very bytes that were sent stand for the object', (t) => {
  const handoff = new WriteHandoff();
  const object = body('a');
  const value = bytesOf(object);
  handoff.offer('k', value, written(object));
  t.is(handoff.take(kept('k', bytesOf(body('b'))), 1), undefined);
  t.is(handoff.take(kept('other', value), 1), undefined);
  const taken = handoff.take(kept('k', Uint8Array.from(value)), 1);
  t.is(taken?.revision, 5);
  t.is(handoff.take(kept('k', value, 6), 1), undefined, 'at one revision only');
  t.is(taken, handoff.written('k', object, side, 5, 1));
});

test('writes that wait for a cache are bounded in number and in bytes', (t) => {
  const many = new WriteHandoff();
  for (let index = 0; index <= offersMax; index += 1) many.offer(`k${index}`, bytesOf(body('a')), written(body('a')));
  t.is(many.take(kept('k0', bytesOf(body('a'))), 1), undefined);
  t.truthy(many.take(kept('k1', bytesOf(body('a'))), 1));
  const large = new WriteHandoff();
  const value = new Uint8Array(offeredBytesMax / 4 + 1);
  for (let index = 0; index < 4; index += 1) large.offer(`k${index}`, value, written(body('a')));
  t.is(large.take(kept('k0', value), 1), undefined);
  t.truthy(large.take(kept('k3', value), 1));
});

test('what was written is known before a cache shows it, and no longer than that', (t) => {
  const handoff = new WriteHandoff();
  const object = body('a');
  handoff.offer('k', bytesOf(object), written(object));
  t.is(handoff.after(1, 'k'), undefined, 'it may not have been written');
  const stored = handoff.written('k', object, side, 5, 1);
  t.is(handoff.after(4, 'k'), stored);
  t.is(handoff.after(5, 'k'), undefined);
});

test('what the writer and the cache both have is not kept any longer', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const handoff = new WriteHandoff();
  const passed = (): readonly WeakRef<object>[] => {
    const object = body('a');
    const value = bytesOf(object);
    handoff.offer('k', value, written(object));
    handoff.take(kept('k', Uint8Array.from(value)), 1);
    return [new WeakRef(object), new WeakRef(value), new WeakRef(handoff.written('k', object, side, 5, 1).object)];
  };
  const seen = passed();
  await new Promise((later) => setImmediate(later));
  collect();
  t.deepEqual(
    seen.map((each) => each.deref()),
    [undefined, undefined, undefined],
  );
  t.truthy(handoff.after(4, 'k'), 'a cache may not show it yet');
});
