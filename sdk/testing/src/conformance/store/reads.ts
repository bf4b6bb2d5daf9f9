import assert from 'node:assert/strict';
import { compareKeys, storeLimits, type RangeResult, type ResourceStore } from '@tappaas/sdk';
import { contents, everything, failure, put, remove, storeCases, text, type MakeStore } from './harness.js';

/** Ranges, pages and reads at earlier revisions. */
export const reads = (make: MakeStore) =>
  storeCases(make, {
    'a range holds its start, not its end, in the order of UTF-8 bytes': async ({ store }) => {
      const keys = ['a', 'a/b', 'a0', 'b', 'B', 'z', 'é', '\u{1f600}', '\ue000', '\uffee'];
      for (const key of keys) await put(store, { [key]: 'v' });
      const all = await store.range({ ...everything, itemsMax: 100 });
      const order = keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
      assert.deepEqual(
        all.items.map(({ key }) => key),
        order,
      );
      assert.deepEqual(keys.toSorted(compareKeys), order);
      const some = await store.range({ start: 'a/b', end: 'z', itemsMax: 100 });
      assert.deepEqual(
        some.items.map(({ key }) => key),
        ['a/b', 'a0', 'b'],
      );
      assert.deepEqual(await store.range({ start: 'b', end: 'a', itemsMax: 1 }), {
        revision: keys.length,
        items: [],
        more: false,
        count: 0,
      });
    },
    'pages at a fixed revision show that revision, whatever is written meanwhile': async ({ store }) => {
      for (let index = 0; index < 25; index++) await put(store, { [`k${String(index).padStart(2, '0')}`]: 'old' });
      const before = await contents(store);
      const pages = await readPages(store, 7, async (page) => {
        await put(store, { [`k${String(page * 7 + 8).padStart(2, '0')}`]: 'new', [`k${page}x`]: 'added' });
        await remove(store, 'k24', `k${String(page * 7 + 9).padStart(2, '0')}`);
      });
      assert.deepEqual(
        pages.flatMap(({ items }) => items.map((item) => `${item.key}=${text(item)}`)),
        before,
      );
      assert.deepEqual(
        pages.map(({ items, more, count }) => [items.length, more, count]),
        [
          [7, true, 25],
          [7, true, 18],
          [7, true, 11],
          [4, false, 4],
        ],
      );
    },
    'a page ends early when its values are many bytes': async ({ store }) => {
      const value = new Uint8Array(storeLimits.pageBytesMax / 4);
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await store.transact({ changes: [{ put: key, value }] });
      const page = await store.range({ ...everything, itemsMax: 100 });
      assert(page.items.length >= 1 && page.items.length < 6);
      assert.deepEqual([page.more, page.count], [true, 6]);
    },
    'every revision since the last compaction can be read': async ({ store }) => {
      const received: (readonly string[])[] = [[]];
      for (let step = 1; step <= 12; step++) {
        if (step % 4 === 0) await remove(store, `k${step % 3}`);
        else await put(store, { [`k${step % 3}`]: `${step}` });
        received.push(await contents(store));
      }
      for (const [revision, expected] of received.entries()) {
        assert.deepEqual(await contents(store, revision), expected, `range at ${revision}`);
        for (const key of ['k0', 'k1', 'k2']) {
          const found = text(await store.get(key, revision));
          assert.equal(found, expected.find((entry) => entry.startsWith(key))?.slice(3), `${key} at ${revision}`);
        }
      }
    },
    'a revision that does not exist yet is refused': async ({ store }) => {
      const newest = await put(store, { a: '1' });
      await failure(store.get('a', newest + 1), 'TAP_STORE_FUTURE_REVISION');
      await failure(store.range({ ...everything, itemsMax: 1, revision: newest + 1 }), 'TAP_STORE_FUTURE_REVISION');
    },
    'a read after a write sees it': async ({ store }) => {
      for (let index = 0; index < 20; index++) {
        const revision = await put(store, { a: `${index}` });
        assert((await store.currentRevision()) >= revision);
        assert.equal(text(await store.get('a')), `${index}`);
        assert.equal((await store.range({ ...everything, itemsMax: 1 })).revision, revision);
      }
    },
  });

/** All pages of a list at the revision of its first page. */
async function readPages(
  store: ResourceStore,
  itemsMax: number,
  between: (page: number) => Promise<void>,
): Promise<readonly RangeResult[]> {
  const pages = [await store.range({ ...everything, itemsMax })];
  for (let last = pages[0]; last?.more === true; last = pages.at(-1)) {
    await between(pages.length - 1);
    pages.push(await store.range({ start: `${last.items.at(-1)?.key}\0`, end: everything.end, itemsMax, revision: last.revision }));
  }
  return pages;
}
