import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { bytes, contents, everything, failure, line, put, readUntil, remove, storeCases, text, type MakeStore } from './harness.js';

const ttlMs = 600;

/** What a restart leaves unchanged. */
export const restarts = (make: MakeStore) =>
  storeCases(make, {
    'what was acknowledged is there after the store was opened anew': async ({ store, reopen }) => {
      for (let index = 0; index < 30; index++) await put(store, { [`k${index % 7}`]: `${index}` });
      await remove(store, 'k3');
      await store.transact({
        claims: [
          { counter: 'n', amount: 2 },
          { unique: 'host', holder: 'me' },
        ],
        changes: [],
      });
      const [before, revision, past] = [await contents(store), await store.currentRevision(), await contents(store, 20)];
      const again = await reopen();
      assert.deepEqual([await contents(again), await again.currentRevision(), await contents(again, 20)], [before, revision, past]);
      assert.equal((await again.transact({ claims: [{ counter: 'n', amount: 1, max: 2 }], changes: [] })).ok, false);
      assert.equal(
        (await again.transact({ claims: [{ unique: 'host', holder: 'you' }], changes: [{ put: 'a', value: bytes('1') }] })).ok,
        false,
      );
      assert.equal(await put(again, { a: '1' }), revision + 1);
    },
    'revisions go on densely when the newest ones were compacted away': async ({ store, reopen }) => {
      await put(store, { a: '1' });
      await remove(store, 'a');
      await store.transact({ claims: [{ counter: 'n', amount: 1 }], changes: [] });
      await store.compact(3);
      const again = await reopen();
      assert.equal(await again.currentRevision(), 3);
      await failure(again.get('a', 2), 'TAP_STORE_COMPACTED');
      assert.equal(await put(again, { a: '2' }), 4);
    },
    'a lease survives a restart with its keys, and ends after a whole time to live': async ({ store, reopen, pass }) => {
      const lease = await store.grantLease(ttlMs);
      const ended = await store.grantLease(ttlMs);
      await put(store, { a: '1' }, lease.id);
      await store.revokeLease(ended.id);
      await pass(ttlMs / 2);
      const again = await reopen();
      await pass(ttlMs / 2);
      assert.equal(text(await again.get('a')), '1', 'a restart never shortens a lease');
      await failure(again.keepLeaseAlive(ended.id), 'TAP_STORE_LEASE_GONE');
      await again.keepLeaseAlive(lease.id);
      const received = readUntil(again.watch({ ...everything, fromRevision: 2 }), 2);
      await pass(ttlMs + 50);
      assert.deepEqual((await received).map(line), ['2 a deleted']);
      const third = await again.grantLease(ttlMs);
      assert(third.id !== lease.id && third.id !== ended.id, 'an id is never used twice');
    },
    'a restore survives a restart with its epoch and revision': async ({ store, reopen }) => {
      await put(store, { a: '1' });
      const snapshot: Uint8Array[] = [];
      for await (const chunk of store.snapshot()) snapshot.push(chunk);
      await put(store, { a: '2' });
      await store.restore(Readable.from(snapshot));
      const [epoch, revision] = [store.epoch, await store.currentRevision()];
      const again = await reopen();
      assert.deepEqual([again.epoch, await again.currentRevision(), text(await again.get('a'))], [epoch, revision, '1']);
      await failure(again.get('a', revision - 1), 'TAP_STORE_COMPACTED');
    },
  });
