import test from 'ava';
import { growthPercent } from '../../dist/platform/heap-growth.js';

const mebibyte = 1024 * 1024;

test('a small heap is collected once 64 MiB of garbage have accumulated', (t) => {
  t.is(growthPercent(40 * mebibyte), 160);
  t.is(growthPercent(64 * mebibyte), 100);
});

test('a large heap is collected once its garbage is half of its live data', (t) => {
  t.is(growthPercent(128 * mebibyte), 50);
  t.is(growthPercent(600 * mebibyte), 50);
});

test('a heap that holds next to nothing grows as V8 lets it', (t) => {
  t.is(growthPercent(5 * mebibyte), 300);
  t.is(growthPercent(0), 300);
});
