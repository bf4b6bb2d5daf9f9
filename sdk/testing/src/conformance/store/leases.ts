import assert from 'node:assert/strict';
import { storeLimits } from '@tappaas/sdk';
import { bytes, contents, everything, failure, line, put, readUntil, storeCases, text, type MakeStore } from './harness.js';

const ttlMs = 600;

/** Leases: they never end early, end in one transaction, and survive restarts. */
export const leases = (make: MakeStore) =>
  storeCases(make, {
    'a lease that is not renewed ends with all its keys in one transaction': async ({ store, pass }) => {
      const lease = await store.grantLease(ttlMs);
      assert.equal(lease.ttlMs, ttlMs);
      await put(store, { a: '1', b: '1', c: '1' }, lease.id);
      await put(store, { d: '1' });
      const received = readUntil(store.watch({ ...everything, fromRevision: 3 }), 3);
      await pass(ttlMs + 50);
      assert.deepEqual((await received).map(line).toSorted(), ['3 a deleted', '3 b deleted', '3 c deleted']);
      assert.deepEqual(await contents(store), ['d=1']);
      await failure(store.keepLeaseAlive(lease.id), 'TAP_STORE_LEASE_GONE');
      assert.equal(await put(store, { e: '1' }), 4);
    },
    'a lease never ends early': async ({ store, pass }) => {
      const lease = await store.grantLease(ttlMs);
      await put(store, { a: '1' }, lease.id);
      await pass(ttlMs / 2);
      assert.equal(text(await store.get('a')), '1');
      await store.keepLeaseAlive(lease.id);
      await pass(ttlMs / 2 + 100);
      assert.equal(text(await store.get('a')), '1', 'renewing starts the time anew');
      assert((await store.transact({ guards: [{ lease: lease.id }], changes: [] })).ok);
    },
    'a lease that is renewed in time lives on': async ({ store, pass }) => {
      const lease = await store.grantLease(ttlMs);
      await put(store, { a: '1' }, lease.id);
      for (let round = 0; round < 6; round++) {
        await pass(ttlMs / 2);
        await store.keepLeaseAlive(lease.id);
      }
      assert.equal(text(await store.get('a')), '1');
    },
    'revoking a lease deletes its keys in one transaction at once': async ({ store }) => {
      const lease = await store.grantLease(ttlMs);
      await put(store, { a: '1', b: '1' }, lease.id);
      await store.revokeLease(lease.id);
      assert.deepEqual((await readUntil(store.watch({ ...everything, fromRevision: 2 }), 2)).map(line).toSorted(), [
        '2 a deleted',
        '2 b deleted',
      ]);
      await failure(store.revokeLease(lease.id), 'TAP_STORE_LEASE_GONE');
      await failure(store.keepLeaseAlive(lease.id), 'TAP_STORE_LEASE_GONE');
    },
    'the end of a lease without keys uses no revision': async ({ store, pass }) => {
      const newest = await put(store, { a: '1' });
      const [one, other] = [await store.grantLease(ttlMs), await store.grantLease(ttlMs)];
      assert.notEqual(one.id, other.id);
      await store.revokeLease(one.id);
      await pass(ttlMs + 50);
      assert.equal(await put(store, { b: '1' }), newest + 1);
    },
    'a guard on a lease holds while it lives': async ({ store }) => {
      const lease = await store.grantLease(ttlMs);
      const write = (value: string) => store.transact({ guards: [{ lease: lease.id }], changes: [{ put: 'a', value: bytes(value) }] });
      assert((await write('1')).ok);
      await store.revokeLease(lease.id);
      const refused = await write('2');
      assert(!refused.ok && 'failedGuard' in refused);
      assert.deepEqual([refused.failedGuard, refused.current], [0, undefined]);
      assert.equal(text(await store.get('a')), '1');
    },
    'a put that names a dead lease is refused and changes nothing': async ({ store }) => {
      const lease = await store.grantLease(ttlMs);
      await store.revokeLease(lease.id);
      await failure(put(store, { a: '1' }, lease.id), 'TAP_STORE_LEASE_GONE');
      await failure(put(store, { a: '1' }, 'never'), 'TAP_STORE_LEASE_GONE');
      assert.equal(await store.currentRevision(), 0);
    },
    'a key follows the lease of its last put only': async ({ store }) => {
      const [one, other] = [await store.grantLease(ttlMs), await store.grantLease(ttlMs)];
      await put(store, { a: '1', b: '1', c: '1' }, one.id);
      await put(store, { a: '2' }, other.id);
      await put(store, { b: '2' });
      assert.deepEqual(
        [(await store.get('a'))?.lease, (await store.get('b'))?.lease, (await store.get('c'))?.lease],
        [other.id, undefined, one.id],
      );
      await store.revokeLease(one.id);
      assert.deepEqual(await contents(store), ['a=2', 'b=2']);
      await store.revokeLease(other.id);
      assert.deepEqual(await contents(store), ['b=2']);
    },
    'a lease takes as many keys as one transaction can delete': async ({ store }) => {
      const lease = await store.grantLease(60_000);
      const keys = Array.from({ length: storeLimits.leaseKeysMax }, (_, index) => [`k${index}`, 'v'] as const);
      await put(store, Object.fromEntries(keys), lease.id);
      await put(store, { k0: 'again' }, lease.id);
      await failure(put(store, { more: '1' }, lease.id), 'TAP_STORE_TOO_LARGE');
      await store.revokeLease(lease.id);
      assert.deepEqual([await contents(store), await store.currentRevision()], [[], 3]);
    },
    'a time to live out of bounds is refused': async ({ store }) => {
      for (const bad of [0, storeLimits.leaseTtlMsMin - 1, storeLimits.leaseTtlMsMax + 1, 1_000.5]) {
        await failure(store.grantLease(bad), 'TAP_STORE_INVALID');
      }
    },
  });
