import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { untilAborted } from '../../dist/api/watch/stream-pace.js';
import { heapBytes } from '../heap-bytes.ts';

test.serial('a stream holds nothing of the chunks that have passed', async (t) => {
  async function* source(): AsyncGenerator<number> {
    for (let index = 0; index < 60_000; index += 1) yield index;
  }
  let passed = 0;
  let before = 0;
  for await (const _ of untilAborted(source(), new AbortController().signal)) {
    passed += 1;
    if (passed === 10_000) before = heapBytes();
    if (passed === 60_000) t.true(heapBytes() - before < 2_000_000, `${heapBytes() - before} bytes`);
  }
  t.is(passed, 60_000);
});

test.serial('an abort ends it beside a source that never answers, which is told to return', async (t) => {
  let returned = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<number>>(() => {}),
      return: async () => ({ done: true as const, value: (returned += 1) }),
    }),
  };
  const over = new AbortController();
  const reading = untilAborted(source, over.signal).next();
  await setImmediate();
  over.abort();
  t.true((await reading).done);
  t.true((await untilAborted(source, over.signal).next()).done, 'nor does one begin');
  t.is(returned, 2);
});

test.serial('what a source frees at its end is freed, also when all was over before it was asked', async (t) => {
  let freed = 0;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
    } finally {
      freed += 1;
    }
  }
  for await (const _ of untilAborted(source(), AbortSignal.abort())) t.fail('it is over');
  await setImmediate();
  t.is(freed, 1);
});
