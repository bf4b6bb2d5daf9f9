import { join } from 'node:path';
import type { ResourceStore } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { Failpoints } from '../dist/failpoints.js';
import { openSqliteStore } from '../dist/store.js';
import { withSmallDisk, resizeDisk, smallDisk } from '../../../test/small-disk.ts';
import { sqliteHarness, type SqliteHarness } from './sqlite-harness.ts';

const put = (store: ResourceStore, key: string, value: string | Uint8Array = 'v') =>
  store.transact({ changes: [{ put: key, value: Buffer.from(value) }] });
const keys = async (store: ResourceStore) =>
  (await store.range({ start: ' ', end: '~', itemsMax: 1_000 })).items.map(({ key }) => key).join(' ');

/** Advances the clock until the store has noticed that the disk accepts writes again. */
async function mended({ store, advance }: SqliteHarness): Promise<void> {
  while (store.health().state !== 'ok') {
    await advance(1_000);
    await store.get('a').catch(() => undefined);
  }
}

test('a full disk makes the store read-only: reads and watches go on, writes resume by themselves', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  const { store } = harness;
  await put(store, 'a');
  failpoints.arm('batch.written', 'full');
  const refused = await Promise.all(['b', 'c'].map((key) => t.throwsAsync(put(store, key), { code: 'TAP_STORE_READ_ONLY' })));
  t.regex(refused[0]?.message ?? '', /store\.sqlite is full/);
  t.like(store.health(), { state: 'read-only', revision: 1 });
  await t.throwsAsync(put(store, 'd'), { code: 'TAP_STORE_READ_ONLY' });
  await t.throwsAsync(store.grantLease(1_000), { code: 'TAP_STORE_READ_ONLY' });
  t.is(await keys(store), 'a');
  t.is(await store.currentRevision(), 1);
  await harness.advance(3_000);
  t.is(store.health().state, 'read-only', 'the disk is still full');
  failpoints.arm('batch.written', 'none');
  await mended(harness);
  t.like(await put(store, 'e'), { ok: true, revision: 2 });
  t.is(await keys(await harness.reopen()), 'a e');
  await harness.dispose();
});

test('of a batch that the disk refused nothing stays in memory: guards, claims, leases and revisions are as before', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  const { store } = harness;
  const lease = await store.grantLease(60_000);
  await store.transact({
    claims: [
      { counter: 'n', amount: 3 },
      { unique: 'u', holder: 'me' },
    ],
    changes: [{ put: 'a', value: Buffer.from('1'), lease: lease.id }],
  });
  failpoints.arm('batch.written', 'full');
  const lost = [
    put(store, 'a', '2'),
    put(store, 'b'),
    store.transact({ changes: [{ delete: 'a' }] }),
    store.transact({
      claims: [
        { counter: 'n', amount: 4 },
        { release: 'u', holder: 'me' },
        { unique: 'v', holder: 'x' },
      ],
      changes: [],
    }),
    store.transact({ guards: [{ key: 'b', modRevision: 1 }], changes: [] }),
    store.revokeLease(lease.id),
    store.grantLease(1_000),
    store.compact(1),
  ];
  for (const work of lost) await t.throwsAsync(work, { code: 'TAP_STORE_READ_ONLY' });
  failpoints.arm('batch.written', 'none');
  await mended(harness);
  t.like(await store.get('a'), { createRevision: 1, modRevision: 1, version: 1, lease: lease.id });
  t.is(await store.get('b'), undefined);
  t.like(await store.transact({ claims: [{ counter: 'n', amount: 1, max: 3 }], changes: [] }), { ok: false, sum: 3 });
  t.like(await store.transact({ claims: [{ unique: 'u', holder: 'you' }], changes: [] }), { ok: false, holder: 'me' });
  t.like(await store.transact({ claims: [{ unique: 'v', holder: 'you' }], guards: [{ lease: lease.id }], changes: [] }), {
    ok: true,
    revision: 2,
  });
  t.is(store.health().compactedRevision, 0);
  await store.revokeLease(lease.id);
  t.is(await keys(store), '');
  t.is(await keys(await harness.reopen()), '');
  await harness.dispose();
});

test('an I/O error while a batch is made durable leaves its outcome unknown, one before that does not', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  const { store } = harness;
  failpoints.arm('batch.begun', 'io');
  await t.throwsAsync(put(store, 'a'), { code: 'TAP_STORE_READ_ONLY' });
  failpoints.arm('batch.begun', 'none');
  await mended(harness);
  failpoints.arm('batch.written', 'io');
  await t.throwsAsync(put(store, 'a'), { code: 'TAP_STORE_OUTCOME_UNKNOWN' });
  await t.throwsAsync(put(store, 'a'), { code: 'TAP_STORE_READ_ONLY' }, 'what was never sent has a certain outcome');
  failpoints.arm('batch.written', 'none');
  await mended(harness);
  t.is(await keys(store), '');
  t.like(await put(store, 'b'), { ok: true, revision: 1 });
  await harness.dispose();
});

test('a disk that fails while the log is copied makes the store read-only until it works again', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints, checkpointBytes: 1 });
  failpoints.arm('checkpoint.begun', 'full');
  t.true((await put(harness.store, 'a')).ok);
  while (harness.store.health().state === 'ok') await harness.store.get('a');
  t.is(harness.store.health().state, 'read-only');
  t.is(await keys(harness.store), 'a');
  failpoints.arm('checkpoint.begun', 'none');
  await mended(harness);
  t.true((await put(harness.store, 'b')).ok);
  await harness.dispose();
});

test('a file that may not grow is read-only when full, and compaction gives the space back', async (t) => {
  const harness = await sqliteHarness({ sizeBytesMax: 2_000_000, checkpointBytes: 200_000 });
  await fillUp(t, harness);
  const { store } = harness;
  const newest = await store.currentRevision();
  t.true(newest > 50);
  t.is((await store.range({ start: 'a', end: 'b', itemsMax: 10 })).count, 7);
  await store.compact(newest);
  await mended(harness);
  t.like(await put(store, 'a0', 'x'.repeat(20_000)), { ok: true, revision: newest + 1 });
  t.true(store.health().sizeBytes <= 2_000_000);
  await harness.dispose();
});

/** Overwrites seven keys until the disk refuses. */
async function fillUp(t: ExecutionContext, { store }: SqliteHarness): Promise<void> {
  for (let round = 0; round < 10_000; round++) {
    try {
      await put(store, `a${round % 7}`, 'x'.repeat(20_000));
    } catch (error) {
      t.like(error, { code: 'TAP_STORE_READ_ONLY' });
      return;
    }
  }
  t.fail('the disk was never full');
}

/** Where mounting is not allowed, only the failpoint tests above cover full disks. */

withSmallDisk('a really full file system makes the store read-only, and room made by others brings writes back', async (t) => {
  const directory = smallDisk(t, 2);
  const harness = await sqliteHarness({ directory: join(directory, 'data') });
  try {
    await fillUp(t, harness);
    const { store } = harness;
    const newest = await store.currentRevision();
    t.is((await store.range({ start: 'a', end: 'b', itemsMax: 10 })).count, 7);
    resizeDisk(directory, 8);
    await mended(harness);
    t.like(await put(store, 'b'), { ok: true, revision: newest + 1 });
    const again = await harness.reopen();
    t.is(await again.currentRevision(), newest + 1);
    t.is((await again.range({ start: 'a', end: 'b', itemsMax: 10 })).count, 7);
  } finally {
    await harness.dispose();
  }
});

test('a lease that ends while the disk is full ends as soon as the disk takes writes', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  const { store } = harness;
  const lease = await store.grantLease(1_000);
  await store.transact({ changes: [{ put: 'a', value: Buffer.from('v'), lease: lease.id }] });
  failpoints.arm('batch.written', 'full');
  await t.throwsAsync(put(store, 'b'), { code: 'TAP_STORE_READ_ONLY' });
  await harness.advance(2_500);
  await t.throwsAsync(store.keepLeaseAlive(lease.id), { code: 'TAP_STORE_LEASE_GONE' });
  t.is(await keys(store), 'a');
  failpoints.arm('batch.written', 'none');
  await mended(harness);
  while ((await keys(store)) !== '') await harness.advance(1_000);
  t.is(await store.currentRevision(), 2);
  await harness.dispose();
});

test('too many writes at once are refused, not kept without bound', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  failpoints.arm('batch.begun', 'pause');
  const taken = Array.from({ length: 10_000 }, (_, index) => put(harness.store, `k${index}`));
  const error = await t.throwsAsync(put(harness.store, 'more'), { code: 'TAP_STORE_UNAVAILABLE' });
  t.like(error, { retryAfterMs: 200 });
  failpoints.arm('batch.begun', 'none');
  t.true((await Promise.all(taken)).every(({ ok }) => ok));
  t.is(await harness.store.currentRevision(), 10_000);
  const bytes = Buffer.alloc(7 * 1_024 * 1_024);
  failpoints.arm('batch.begun', 'pause');
  const large = Array.from({ length: 9 }, (_, index) => put(harness.store, `l${index}`, bytes));
  await t.throwsAsync(put(harness.store, 'l', bytes), { code: 'TAP_STORE_UNAVAILABLE' });
  failpoints.arm('batch.begun', 'none');
  t.true((await Promise.all(large)).every(({ ok }) => ok));
  await harness.dispose();
});

test('what was sent to a writer that dies has an unknown outcome, what was not has none', async (t) => {
  const failpoints = new Failpoints();
  const harness = await sqliteHarness({ failpoints });
  const { store } = harness;
  const watch = store.watch({ start: 'a', end: 'b', fromRevision: 1 })[Symbol.asyncIterator]();
  const watching = t.throwsAsync(watch.next(), { code: 'TAP_STORE_UNAVAILABLE' });
  failpoints.arm('batch.answered', 'full');
  await put(store, 'z').catch(() => undefined);
  await watching;
  t.is(store.health().state, 'unavailable');
  await t.throwsAsync(put(store, 'c'), { code: 'TAP_STORE_UNAVAILABLE' });
  await t.throwsAsync(store.get('c'), { code: 'TAP_STORE_UNAVAILABLE' });
  await t.throwsAsync(async () => store.currentRevision(), { code: 'TAP_STORE_UNAVAILABLE' });
  await harness.dispose();
});

test('a directory that cannot be made is named', async (t) => {
  const opening = openSqliteStore({ directory: '/dev/null/data', clock: new VirtualClock() });
  await t.throwsAsync(opening, { code: 'TAP_STORE_DIRECTORY', message: /\/dev\/null\/data/ });
});
