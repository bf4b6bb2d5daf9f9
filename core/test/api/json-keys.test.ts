import test from 'ava';
import { assert, jsonValue, property } from 'fast-check';
import { keysInJson } from '../../dist/api/request/json-keys.js';

const blank = ' '.repeat(1024);

function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  return (Array.isArray(value) ? 0 : members.length) + members.reduce<number>((sum, member) => sum + keysOf(member), 0);
}

test('the keys of any JSON are counted as a parser finds them', (t) => {
  assert(
    property(jsonValue({ maxDepth: 4 }), (value) => {
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
        t.is(keysInJson(Buffer.from(blank + text)), keysOf(value), text);
    }),
  );
});

test('what looks like keys within a text, and escapes at its end, deceive nobody', (t) => {
  const tricky = { 'a\\': 1, 'b"': 2, 'c:': '{"d":{"e":1}}', f: '":":":', 'g\\\\"': '\\":' };
  t.is(keysInJson(Buffer.from(blank + JSON.stringify(tricky))), 5);
  t.is(keysInJson(Buffer.from(`${blank}{"a" \n\t : 1}`)), 1);
});

test('a text is counted in linear time, whatever it is', (t) => {
  const start = process.threadCpuUsage();
  for (const part of [':', '":', '\\', ' ', '" :', '\\":']) keysInJson(Buffer.from(part.repeat(1_048_576 / part.length)));
  const used = process.threadCpuUsage(start);
  t.true(used.user + used.system < 1_000_000, `${used.user + used.system} µs`);
});
