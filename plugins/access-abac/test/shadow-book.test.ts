import type { AccessRequest, State } from '@tappaas/sdk';
import test from 'ava';
import { ShadowBook } from '../dist/shadow-book.js';

/** The platform-wide `State`; `before` is called in the middle of each read. */
function shared(before: () => Promise<void> = async () => {}) {
  const values = new Map<string, string>();
  const state: State = {
    async get(key) {
      const value = values.get(key);
      await before();
      return value === undefined ? undefined : JSON.parse(value);
    },
    set: async (key, value) => void values.set(key, JSON.stringify(value)),
    delete: async (key) => void values.delete(key),
  };
  return { state, values };
}

const about = (name: string): AccessRequest => ({
  caller: { name: 'ann', groups: [] },
  engine: 'platform',
  verb: 'get',
  resource: { group: '', version: 'v1', plural: 'secrets', namespace: 'default', name },
});
const byTry = { by: ['try'], errors: [], failed: [] };
const recorded = async (book: ShadowBook, state: State) => (await book.records(state, ['try'], undefined)).map((record) => record.about);

test('what two processes record at the same moment both of them tell in the end', async (t) => {
  const both = Promise.withResolvers<void>();
  let reads = 0;
  const { state } = shared(async () => {
    reads += 1;
    if (reads === 2) both.resolve();
    if (reads <= 2) await both.promise;
  });
  const [one, other] = [new ShadowBook(), new ShadowBook()];
  one.add(byTry, about('one'), 1_000);
  other.add(byTry, about('other'), 2_000);
  // Both read before either writes: one of the writes is overwritten, and repeated by the next `share`.
  await Promise.all([one.share(state), other.share(state)]);
  await one.share(state);
  await other.share(state);
  for (const book of [one, other, new ShadowBook()])
    t.deepEqual(await recorded(book, state), ['secrets default/one', 'secrets default/other']);
});

test('what is recorded while two shares of one process end is told all the same', async (t) => {
  let arrived: (() => void) | undefined;
  let held: Promise<void> | undefined;
  const { state } = shared(async () => {
    const wait = held;
    held = undefined;
    arrived?.();
    await wait;
  });
  const book = new ShadowBook();
  book.add(byTry, about('a'), 1_000);
  await book.share(state);
  const slow = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  [held, arrived] = [slow.promise, reading.resolve];
  const late = book.share(state);
  await reading.promise;
  await book.share(state);
  book.add(byTry, about('b'), 2_000);
  slow.resolve();
  await late;
  t.deepEqual(await recorded(book, state), ['secrets default/a', 'secrets default/b']);
});

test('a process that has told everything asks nobody any more', async (t) => {
  let reads = 0;
  const { state } = shared(async () => void (reads += 1));
  const book = new ShadowBook();
  book.add(byTry, about('a'), 1_000);
  await book.share(state);
  await book.share(state);
  const settled = reads;
  await book.share(state);
  t.is(reads, settled);
});

test('of each policy so many records are kept, the newest, however long their names are', async (t) => {
  const { state, values } = shared();
  const [one, other] = [new ShadowBook(), new ShadowBook()];
  const long = '\u{1f512}'.repeat(2_000);
  for (let index = 0; index < 300; index += 1) {
    const book = index % 2 === 0 ? one : other;
    book.add(byTry, about(`${index}${long}`), index * 1_000);
    book.add({ by: ['other'], errors: [], failed: [] }, about(`${index}`), index * 1_000);
    if (index % 50 === 0) await book.share(state);
  }
  for (let round = 0; round < 3; round += 1) for (const book of [one, other]) await book.share(state);
  const before = structuredClone(values);
  for (const book of [one, other]) await book.share(state);
  t.deepEqual(values, before);
  for (const value of values.values()) t.true(Buffer.byteLength(value) <= 64 * 1024);
  const records = await one.records(state, ['other'], undefined);
  t.deepEqual(
    records.map((record) => record.about),
    Array.from({ length: 100 }, (_, index) => `secrets default/${index + 200}`),
  );
});
