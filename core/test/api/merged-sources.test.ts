import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { MergedSources } from '../../dist/api/watch/merged-sources.js';
import { heapBytes } from '../heap-bytes.ts';

type Source = AsyncGenerator<string, void, void>;

function mergedSources(sources: readonly Source[]): Source {
  const merged = new MergedSources<string>();
  for (const source of sources) merged.add(source);
  return merged.values();
}

async function* telling(...values: readonly string[]): Source {
  yield* values;
}

test.serial('what silent sources owe grows by nothing with each value of another', async (t) => {
  let returned = 0;
  const silent = (): Source => {
    const owed = new Promise<IteratorResult<string, void>>(() => {});
    return { next: () => owed, return: async () => void (returned += 1) } as unknown as Source;
  };
  const values = Array.from({ length: 3_000 }, (_, index) => String(index));
  const received: string[] = [];
  let before = 0;
  for await (const value of mergedSources([...Array.from({ length: 99 }, silent), telling(...values)])) {
    received.push(value);
    if (received.length === 1_000) before = heapBytes();
    if (received.length === 3_000) break;
  }
  t.true(heapBytes() - before < 2_000_000, `${heapBytes() - before} bytes`);
  t.deepEqual(received, values);
  t.is(returned, 99);
});

test.serial('sources that tell at once take turns, each in its order, until all have ended', async (t) => {
  const received: string[] = [];
  for await (const value of mergedSources([telling('a1', 'a2', 'a3'), telling('b1'), telling(), telling('c1', 'c2')])) received.push(value);
  t.deepEqual(received, ['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
});

test.serial('one value of each waits at most, and the failure of one is the failure of all', async (t) => {
  let made = 0;
  async function* eager(): Source {
    for (;;) yield String((made += 1));
  }
  async function* failing(): Source {
    await setImmediate();
    if (made > 0) throw new Error('broken');
    yield 'never';
  }
  const merged = mergedSources([eager(), failing()]);
  t.is((await merged.next()).value, '1');
  for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  t.is(made, 2);
  await t.throwsAsync(
    async () => {
      for await (const _ of merged) await setImmediate();
    },
    { message: 'broken' },
  );
});

test.serial('a source that is added while others are read takes its turns with them', async (t) => {
  const received: string[] = [];
  const merged = new MergedSources<string>();
  merged.add(telling('a1', 'a2'));
  for await (const value of merged.values()) {
    received.push(value);
    if (value === 'a1') merged.add(telling('b1', 'b2'));
  }
  t.deepEqual(received, ['a1', 'a2', 'b1', 'b2']);
});
