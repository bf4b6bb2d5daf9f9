import { assert, property, string } from 'fast-check';
import test from 'ava';
import { parseRequestPath } from '../../dist/api/request/request-path.js';

const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0');
const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));

test('an escape is refused for every character that needs none, in either case, and for no other one that names may hold', (t) => {
  for (const each of printable) {
    const isRefused = /[A-Za-z0-9._~\\/%-]/.test(each);
    for (const escape of [`%${hex(each)}`, `%${hex(each).toUpperCase()}`]) {
      const read = (): unknown => parseRequestPath(`/a/b${escape}c`).segments;
      if (isRefused) t.throws(read, { code: 'TAP_REQUEST_PATH_INVALID' }, escape);
      else t.deepEqual(read(), ['a', `b${each}c`], escape);
    }
  }
});

test('paths with the same segments have the same text, and the text reads as these segments again', (t) => {
  const segment = string({ minLength: 1, unit: 'grapheme' }).filter((each) => !/[\\/%]|\p{Cc}|^\.\.?$/u.test(each));
  assert(
    property(segment, (name) => {
      const escaped = encodeURIComponent(name);
      const { path, segments } = parseRequestPath(`/x/${escaped}/`);
      t.deepEqual(segments, ['x', name]);
      t.is(parseRequestPath(`/x/${encodeURI(name).replaceAll(/[?#]/g, encodeURIComponent)}/`).path, path);
      t.is(parseRequestPath(`/x/${escaped.replaceAll(/%../g, (each) => each.toLowerCase())}/`).path, path);
      t.deepEqual(parseRequestPath(path), { path, query: '', segments: ['x', name] });
    }),
  );
});
