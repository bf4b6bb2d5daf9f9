import assert from 'node:assert/strict';
import type { ClaimChange, ResourceStore } from '@tappaas/sdk';
import { bytes, contents, put, storeCases, type MakeStore } from './harness.js';

/** Claims: quotas and unique names, exact within the transaction that writes. */
export const claims = (make: MakeStore) =>
  storeCases(make, {
    'a counter takes what fits and says how much is taken when it does not': async ({ store }) => {
      assert((await claim(store, { counter: 'cpu', amount: 6, max: 10 })).ok);
      assert.deepEqual(await claim(store, { counter: 'cpu', amount: 5, max: 10 }), { ok: false, revision: 1, failedClaim: 0, sum: 6 });
      assert((await claim(store, { counter: 'cpu', amount: 4, max: 10 })).ok);
      assert.equal((await claim(store, { counter: 'cpu', amount: 1, max: 10 })).ok, false);
      assert((await claim(store, { counter: 'memory', amount: 99 })).ok);
    },
    'giving back never fails and never leaves less than nothing': async ({ store }) => {
      await claim(store, { counter: 'cpu', amount: 8, max: 10 });
      assert((await claim(store, { counter: 'cpu', amount: -2, max: 3 })).ok, 'the quota was lowered meanwhile');
      assert((await claim(store, { counter: 'cpu', amount: -50 })).ok);
      assert.equal((await claim(store, { counter: 'cpu', amount: 11, max: 10 })).ok, false);
      assert((await claim(store, { counter: 'cpu', amount: 10, max: 10 })).ok);
    },
    'a counter is exact under concurrent writers': async ({ store }) => {
      const tries = Array.from({ length: 60 }, (_, index) =>
        store.transact({ claims: [{ counter: 'n', amount: 3, max: 100 }], changes: [{ put: `k${index}`, value: bytes('v') }] }),
      );
      assert.equal((await Promise.all(tries)).filter(({ ok }) => ok).length, 33);
      assert.equal((await contents(store)).length, 33);
    },
    'claims of one transaction add up in their order': async ({ store }) => {
      const twice = [
        { counter: 'n', amount: 3, max: 5 },
        { counter: 'n', amount: 3, max: 5 },
      ];
      assert.deepEqual(await claim(store, ...twice), { ok: false, revision: 0, failedClaim: 1, sum: 3 });
      assert(
        (await claim(store, { counter: 'n', amount: 5, max: 5 }, { counter: 'n', amount: -2 }, { counter: 'n', amount: 2, max: 5 })).ok,
      );
      assert((await claim(store, { unique: 'a', holder: '1' }, { release: 'a', holder: '1' }, { unique: 'a', holder: '2' })).ok);
      const mine = await claim(store, { unique: 'a', holder: '1' });
      assert(!mine.ok && 'failedClaim' in mine && mine.holder === '2');
    },
    'a unique name has one holder, who may take it again': async ({ store }) => {
      assert((await claim(store, { unique: 'shop.example.com', holder: 'a' })).ok);
      assert((await claim(store, { unique: 'shop.example.com', holder: 'a' })).ok);
      assert.deepEqual(await claim(store, { unique: 'x', holder: 'b' }, { unique: 'shop.example.com', holder: 'b' }), {
        ok: false,
        revision: 1,
        failedClaim: 1,
        holder: 'a',
      });
      assert((await claim(store, { unique: 'x', holder: 'c' })).ok, 'nothing of the failed transaction stayed');
    },
    'only its holder gives a name back': async ({ store }) => {
      await claim(store, { unique: 'host', holder: 'a' });
      assert((await claim(store, { release: 'host', holder: 'b' })).ok);
      assert.equal((await claim(store, { unique: 'host', holder: 'b' })).ok, false);
      await claim(store, { release: 'host', holder: 'a' });
      assert((await claim(store, { unique: 'host', holder: 'b' })).ok);
    },
    'a claim alone uses a revision, a claim that changes nothing does not': async ({ store }) => {
      const revisions = [];
      for (const change of [
        { unique: 'host', holder: 'a' },
        { unique: 'host', holder: 'a' },
        { counter: 'n', amount: 0 },
        { counter: 'n', amount: -1 },
        { counter: 'n', amount: 1 },
        { release: 'host', holder: 'b' },
        { release: 'host', holder: 'a' },
      ]) {
        revisions.push((await claim(store, change)).revision);
      }
      assert.deepEqual(revisions, [1, 1, 1, 1, 2, 2, 3]);
      const undone = await claim(
        store,
        { unique: 'x', holder: 'a' },
        { release: 'x', holder: 'a' },
        { counter: 'n', amount: 1 },
        { counter: 'n', amount: -1 },
      );
      assert.deepEqual(undone, { ok: true, revision: 3 });
    },
    'claims are no keys': async ({ store }) => {
      await claim(store, { unique: 'a', holder: 'b' }, { counter: 'c', amount: 1 });
      await put(store, { z: '1' });
      assert.deepEqual(await contents(store), ['z=1']);
    },
    'guards are checked before claims': async ({ store }) => {
      const result = await store.transact({
        guards: [{ key: 'missing', modRevision: 1 }],
        claims: [{ counter: 'n', amount: 2, max: 1 }],
        changes: [],
      });
      assert(!result.ok && 'failedGuard' in result);
    },
  });

function claim(store: ResourceStore, ...claims: readonly ClaimChange[]) {
  return store.transact({ claims, changes: [] });
}
