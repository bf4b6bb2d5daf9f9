import assert from 'node:assert/strict';
import { storeLimits } from '@tappaas/sdk';
import { bytes, contents, everything, failure, put, remove, storeCases, text, type MakeStore } from './harness.js';

/** Transactions: guards, revisions, limits and linearizability. */
export const writes = (make: MakeStore) =>
  storeCases(make, {
    'a key carries the revisions of its making and of its last change, and counts its puts': async ({ store }) => {
      const made = await put(store, { a: '1' });
      await put(store, { b: '1' });
      const changed = await put(store, { a: '2' });
      const found = await store.get('a');
      assert.equal(text(found), '2');
      assert.deepEqual([found?.createRevision, found?.modRevision, found?.version], [made, changed, 2]);
    },
    'a key that is made again after its deletion begins anew': async ({ store }) => {
      await put(store, { a: '1' });
      await remove(store, 'a');
      assert.equal(await store.get('a'), undefined);
      const again = await put(store, { a: '2' });
      const found = await store.get('a');
      assert.deepEqual([found?.createRevision, found?.modRevision, found?.version], [again, again, 1]);
    },
    'revisions are dense: each successful transaction uses one, however many changes it has': async ({ store }) => {
      const first = await store.currentRevision();
      assert.equal(await put(store, { a: '1', b: '1', c: '1' }), first + 1);
      assert.equal(await remove(store, 'a', 'b'), first + 2);
      const results = await Promise.all(Array.from({ length: 50 }, (_, index) => put(store, { [`k${index}`]: 'x' })));
      assert.deepEqual(
        results.toSorted((a, b) => a - b),
        Array.from({ length: 50 }, (_, index) => first + 3 + index),
      );
      assert.equal(await store.currentRevision(), first + 52);
    },
    'a failed guard is an answer that names the guard and what stands there, and uses no revision': async ({ store }) => {
      const made = await put(store, { a: '1' });
      const result = await store.transact({
        guards: [
          { key: 'a', modRevision: made },
          { key: 'a', modRevision: made + 7 },
        ],
        changes: [{ put: 'a', value: bytes('2') }],
      });
      assert(!result.ok && 'failedGuard' in result);
      assert.deepEqual([result.revision, result.failedGuard, text(result.current)], [made, 1, '1']);
      assert.equal(await store.currentRevision(), made);
      assert.equal(await put(store, { b: '1' }), made + 1);
    },
    'a guard on revision 0 holds only where the key does not exist': async ({ store }) => {
      const create = (key: string) => store.transact({ guards: [{ key, modRevision: 0 }], changes: [{ put: key, value: bytes('mine') }] });
      assert((await create('a')).ok);
      const second = await create('a');
      assert(!second.ok && 'failedGuard' in second && text(second.current) === 'mine');
      await remove(store, 'a');
      assert((await create('a')).ok);
      const absent = await store.transact({ guards: [{ key: 'a', createRevision: 0 }], changes: [{ delete: 'a' }] });
      assert.equal(absent.ok, false);
    },
    'a guard on the create revision outlives changes and ends with the key': async ({ store }) => {
      const made = await put(store, { leader: 'me' });
      const guarded = (value: string) =>
        store.transact({ guards: [{ key: 'leader', createRevision: made }], changes: [{ put: 'a', value: bytes(value) }] });
      await put(store, { leader: 'me still' });
      assert((await guarded('1')).ok);
      await remove(store, 'leader');
      await put(store, { leader: 'another' });
      assert.equal((await guarded('2')).ok, false);
      assert.equal(text(await store.get('a')), '1');
    },
    'a transaction is all or nothing': async ({ store }) => {
      await put(store, { a: '1', b: '1' });
      const before = await contents(store);
      const result = await store.transact({
        guards: [{ key: 'missing', modRevision: 3 }],
        claims: [{ unique: 'host', holder: 'x' }],
        changes: [{ put: 'a', value: bytes('2') }, { delete: 'b' }, { put: 'c', value: bytes('3') }],
      });
      assert.equal(result.ok, false);
      assert.deepEqual(await contents(store), before);
      assert((await store.transact({ claims: [{ unique: 'host', holder: 'y' }], changes: [] })).ok, 'the claim was not made');
    },
    'a transaction without effect succeeds and uses no revision': async ({ store }) => {
      const made = await put(store, { a: '1' });
      const result = await store.transact({ guards: [{ key: 'a', modRevision: made }], changes: [{ delete: 'missing' }] });
      assert.deepEqual(result, { ok: true, revision: made });
    },
    'only one of many that guard the same revision succeeds': async ({ store }) => {
      const made = await put(store, { a: '0' });
      const race = Array.from({ length: 40 }, (_, index) =>
        store.transact({ guards: [{ key: 'a', modRevision: made }], changes: [{ put: 'a', value: bytes(`${index}`) }] }),
      );
      const winners = (await Promise.all(race)).filter(({ ok }) => ok);
      assert.equal(winners.length, 1);
      assert.equal(await store.currentRevision(), made + 1);
    },
    'reads and writes of many clients seem to happen one after the other, in an order that real time allows': async ({ store }) => {
      const history = await runClients(store, 16, 25);
      for (const earlier of history) {
        for (const later of history) {
          if (earlier.returned < later.called) assert(earlier.revision <= later.revision, 'an operation took effect in the past');
          if (earlier.returned < later.called && later.wrote) assert(earlier.revision < later.revision, 'a write shares a revision');
        }
      }
      const values = new Map<string, string>();
      for (const { reads, writes, revision } of history.toSorted((a, b) => a.revision - b.revision || Number(b.wrote) - Number(a.wrote))) {
        for (const [key, value] of writes) values.set(key, value);
        for (const [key, value] of reads) assert.equal(values.get(key), value, `${key} at revision ${revision}`);
      }
    },
    'a value handed in may be changed by the caller afterwards': async ({ store }) => {
      for (const value of [bytes('before'), Buffer.from('before')]) {
        const written = store.transact({ changes: [{ put: 'a', value }] });
        value.fill(0x21);
        await written;
        value.fill(0x3f);
        assert.equal(text(await store.get('a')), 'before');
      }
    },
    'empty and large values come back byte for byte': async ({ store }) => {
      const large = Uint8Array.from({ length: 1_500_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
      await store.transact({
        changes: [
          { put: 'empty', value: new Uint8Array(0) },
          { put: 'large', value: large },
        ],
      });
      assert.equal((await store.get('empty'))?.value.byteLength, 0);
      assert.equal(Buffer.compare((await store.get('large'))?.value ?? new Uint8Array(0), large), 0);
    },
    'limits are refused with their own codes, and what reaches them is taken': async ({ store }) => {
      const changes = Array.from({ length: storeLimits.operationsMax }, (_, index) => ({ put: `k${index}`, value: bytes('v') }));
      assert((await store.transact({ changes })).ok);
      await failure(store.transact({ changes: [...changes, { delete: 'more' }] }), 'TAP_STORE_TOO_LARGE');
      const half = new Uint8Array(storeLimits.valuesBytesMax / 2);
      assert(
        (
          await store.transact({
            changes: [
              { put: 'a', value: half },
              { put: 'b', value: half },
            ],
          })
        ).ok,
      );
      await failure(
        store.transact({
          changes: [
            { put: 'a', value: half },
            { put: 'b', value: half },
            { put: 'c', value: bytes('1') },
          ],
        }),
        'TAP_STORE_TOO_LARGE',
      );
      assert.equal(await put(store, { ['k'.repeat(storeLimits.keyBytesMax)]: 'v' }), await store.currentRevision());
      await failure(put(store, { ['ü'.repeat(storeLimits.keyBytesMax / 2 + 1)]: 'v' }), 'TAP_STORE_TOO_LARGE');
    },
    'a transaction that no store can take is refused': async ({ store }) => {
      await failure(store.transact({ changes: [{ put: 'a', value: bytes('1') }, { delete: 'a' }] }), 'TAP_STORE_INVALID');
      for (const key of ['', 'a\0b', 'a\ud800', 'a\u{10ffff}']) await failure(put(store, { [key]: 'v' }), 'TAP_STORE_INVALID');
      await failure(store.range({ ...everything, itemsMax: 0 }), 'TAP_STORE_INVALID');
      await failure(store.range({ ...everything, itemsMax: storeLimits.itemsMax + 1 }), 'TAP_STORE_INVALID');
      assert.equal(await store.currentRevision(), 0);
    },
    'a closed store refuses every call and says so': async ({ store }) => {
      const pending = put(store, { a: '1' });
      const closing = store.close();
      await pending;
      await closing;
      await failure(put(store, { a: '1' }), 'TAP_STORE_UNAVAILABLE');
      await failure(store.get('a'), 'TAP_STORE_UNAVAILABLE');
      await failure(
        Promise.resolve().then(() => store.currentRevision()),
        'TAP_STORE_UNAVAILABLE',
      );
      assert.equal(store.health().state, 'unavailable');
      await store.close();
    },
  });

interface Operation {
  readonly called: number;
  readonly returned: number;
  readonly revision: number;
  readonly wrote: boolean;
  readonly reads: ReadonlyMap<string, string>;
  readonly writes: ReadonlyMap<string, string>;
}

type Store = Parameters<typeof put>[0];

/** Runs clients that read three keys at one revision and write two of them if nothing has changed since. */
async function runClients(store: Store, clients: number, rounds: number): Promise<readonly Operation[]> {
  const keys = ['x', 'y', 'z'];
  const history: Operation[] = [];
  let clock = 0;
  await put(store, { x: '0', y: '0', z: '0' }).then((revision) =>
    history.push({
      called: clock++,
      returned: clock++,
      revision,
      wrote: true,
      reads: new Map(),
      writes: new Map(keys.map((key) => [key, '0'])),
    }),
  );
  const client = async (name: number) => {
    for (let round = 0; round < rounds; round++) {
      const readAt = clock++;
      const { items, revision } = await store.range({ start: 'x', end: 'zz', itemsMax: 10 });
      const reads = new Map(items.map((item) => [item.key, text(item) ?? '']));
      history.push({ called: readAt, returned: clock++, revision, wrote: false, reads, writes: new Map() });
      const writes = new Map([...keys].filter((_, index) => (name + round + index) % 3 !== 0).map((key) => [key, `${name}.${round}`]));
      const called = clock++;
      const result = await store.transact({
        guards: items.map(({ key, modRevision }) => ({ key, modRevision })),
        changes: [...writes].map(([key, value]) => ({ put: key, value: bytes(value) })),
      });
      history.push({
        called,
        returned: clock++,
        revision: result.revision,
        wrote: result.ok,
        reads: new Map(),
        writes: result.ok ? writes : new Map(),
      });
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
  return history;
}
