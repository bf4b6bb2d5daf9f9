import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { assert, jsonValue, oneof, property, string } from 'fast-check';
import test from 'ava';
import { ManagedText, TextPatterns } from '../../dist/resources/managed-text.js';
import { textOf } from '../../dist/resources/object-text.js';
import { fromStore, toStore, type Body } from '../../dist/resources/stored-object.js';

const uidOf = (index: number) => `4a4f78af-4a01-44d3-a823-${String(index).padStart(12, '0')}`;
const entries = (index: number, fields = 'label') => [
  {
    manager: 'tappaas',
    operation: 'Update',
    apiVersion: 'things.example/v1',
    time: `2026-11-30T16:${String(10 + (index % 50))}:19Z`,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:ownerReferences': { '.': {}, [`k:{"uid":"${uidOf(index)}"}`]: {} }, [`f:${fields}`]: {} } },
  },
];

test('managed fields are read as they were kept, whatever stands in them', (t) => {
  const patterns = new TextPatterns();
  const odd = string({ unit: 'binary' }).map((text) => [{ time: text, 'k:{"uid":"': text }, { time: `2026-11-30T16:12:19Z${text}` }]);
  assert(
    property(oneof(jsonValue(), odd), (value) => {
      const text = JSON.stringify(value);
      t.is(new ManagedText(text, patterns).toString(), text);
    }),
  );
  for (const cut of ['"time":"', '"time":"2026', 'k:{\\"uid\\":\\"', '[{"time":""}]']) t.is(new ManagedText(cut, patterns).toString(), cut);
});

test('managed fields that differ in times and uids only share all the rest', (t) => {
  const patterns = new TextPatterns();
  const texts = [1, 2, 3].map((index) => JSON.stringify(entries(index)));
  const kept = texts.map((text) => new ManagedText(text, patterns));
  t.is(patterns.size, 1);
  t.deepEqual(kept.map(String), texts);
});

test('what is shared is bounded in number and in characters, and what was kept before is read all the same', (t) => {
  const texts = ['a', 'b', 'c', 'd'].map((fields) => JSON.stringify(entries(1, fields)));
  for (const limits of [
    { patternsMax: 2, charactersMax: 10_000 },
    { patternsMax: 100, charactersMax: 2 * (texts[0]?.length ?? 0) },
  ]) {
    const patterns = new TextPatterns(limits);
    const kept = texts.map((text) => {
      const made = new ManagedText(text, patterns);
      t.true(patterns.size <= 2);
      return made;
    });
    t.deepEqual(kept.map(String), texts);
  }
});

test('a thousand like objects take little more memory than they would without their managed fields', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const usedBytes = async (): Promise<number> => {
    await new Promise((later) => setTimeout(later, 10));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const fields = 'long'.repeat(1_000);
  const objectOf = (index: number): Body => ({
    apiVersion: 'things.example/v1',
    kind: 'Thing',
    metadata: { name: 'a', uid: uidOf(index), creationTimestamp: 'now', managedFields: entries(index, fields) },
  });
  const read = (index: number) => fromStore(toStore(textOf(objectOf(index)), { claims: [], attribution: [] }), { modRevision: index }, 1);
  read(0);
  const before = await usedBytes();
  const kept = Array.from({ length: 1_000 }, (_, index) => read(index));
  const each = ((await usedBytes()) - before) / kept.length;
  t.true(each < 1_000, `${Math.round(each)} bytes each`);
  t.deepEqual(JSON.parse(JSON.stringify(kept[7]?.object.metadata.managedFields)), entries(7, fields));
});
