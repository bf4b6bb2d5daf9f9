import { isTapError, type ClaimChange, type Guard, type ResourceStore, type StoreEvent } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import { createMemoryStore } from '../../../core/dist/store/memory-store.js';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { rounds, sqliteHarness } from './sqlite-harness.ts';

/** A step refers to keys, leases and revisions by small numbers, so that it means the same for both stores. */
type Step =
  | {
      readonly do: 'transact';
      readonly guards: readonly GuardStep[];
      readonly claims: readonly ClaimChange[];
      readonly changes: readonly ChangeStep[];
    }
  | { readonly do: 'read'; readonly back: number; readonly key: string; readonly itemsMax: number }
  | { readonly do: 'compact'; readonly back: number }
  | { readonly do: 'grant' | 'restart' | 'restore' }
  | { readonly do: 'renew' | 'revoke'; readonly lease: number }
  | { readonly do: 'pass'; readonly ms: number };
type GuardStep = { readonly on: 'mod' | 'create' | 'lease'; readonly key: string; readonly off: number };
type ChangeStep = { readonly key: string; readonly value: string | undefined; readonly lease: number };

const numRuns = rounds(40, 2_000);
/** Minimum number of transactions of each run. */
const transactionsMin = 6;

const key = fc.constantFrom('a', 'b', 'c', 'b/x', 'b/y', 'é', '\u{1f600}', '\uff5e');
const small = fc.integer({ min: 0, max: 4 });
const guard = fc.record({ on: fc.constantFrom('mod', 'mod', 'create', 'lease'), key, off: fc.constantFrom(0, 0, 0, 1) });
const claim: fc.Arbitrary<ClaimChange> = fc.oneof(
  fc.record({ counter: fc.constantFrom('n', 'm'), amount: fc.integer({ min: -3, max: 4 }), max: fc.constantFrom(5, 8) }),
  fc.record({ unique: fc.constantFrom('u', 'v'), holder: fc.constantFrom('1', '2') }),
  fc.record({ release: fc.constantFrom('u', 'v'), holder: fc.constantFrom('1', '2') }),
);
const change = fc.record({ key, value: fc.option(fc.constantFrom('', 'x', 'y'.repeat(3_000)), { nil: undefined, freq: 3 }), lease: small });
const transaction = fc.record({
  do: fc.constant('transact' as const),
  guards: fc.array(guard, { maxLength: 1 }),
  claims: fc.array(claim, { maxLength: 2 }),
  changes: fc.uniqueArray(change, { maxLength: 4, selector: ({ key }) => key }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: transaction },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read'), back: small, key, itemsMax: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact'), back: fc.integer({ min: -1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('grant', 'grant', 'restart', 'restore') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('renew', 'revoke'), lease: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(100, 400, 700) }) },
);

const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.array(transaction, { minLength: transactionsMin, maxLength: transactionsMin }), fc.array(step, { minLength: 5, maxLength: 60 }))
  .map((parts) => parts.flat());

/** A store, with what the interpreter must remember about it. */
interface Player {
  store: ResourceStore;
  readonly leases: string[];
  readonly advance: (ms: number) => Promise<void>;
  readonly restart: () => Promise<ResourceStore>;
}

/** Converts a result to a comparable form, with bytes as text. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.byteLength} ${new TextDecoder().decode(value.subarray(0, 4))}`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(item)]));
}

/** Performs a step; returns its result or error in a comparable form. */
async function play(player: Player, step: Step): Promise<unknown> {
  try {
    return shown(await perform(player, step));
  } catch (error) {
    if (isTapError(error)) return { code: error.code, data: error.data };
    throw error;
  }
}

async function perform(player: Player, step: Step): Promise<unknown> {
  const { store, leases } = player;
  const now = await store.currentRevision();
  switch (step.do) {
    case 'transact': {
      const guards: Guard[] = [];
      for (const { on, key, off } of step.guards) {
        const found = await store.get(key);
        if (on === 'lease') guards.push({ lease: leases[off] ?? 'none' });
        else if (on === 'create') guards.push({ key, createRevision: (found?.createRevision ?? 0) + off });
        else guards.push({ key, modRevision: (found?.modRevision ?? 0) + off });
      }
      const changes = step.changes.map(({ key, value, lease }) =>
        value === undefined
          ? { delete: key }
          : { put: key, value: Buffer.from(value), ...(lease > 2 && { lease: leases[lease - 3] ?? 'none' }) },
      );
      return store.transact({ guards, claims: step.claims, changes });
    }
    case 'read': {
      const revision = Math.max(0, now - step.back * 2);
      const found = await store.get(step.key, revision);
      const first = await store.range({ start: 'a', end: 'c', itemsMax: step.itemsMax, revision });
      return [found, first, await store.range({ start: 'b/', end: '\u{10ffff}', itemsMax: step.itemsMax, revision })];
    }
    case 'compact':
      return store.compact(now - step.back);
    case 'grant': {
      const lease = await store.grantLease(500);
      leases.push(lease.id);
      return lease;
    }
    case 'renew':
      return store.keepLeaseAlive(leases[step.lease] ?? 'none');
    case 'revoke':
      return store.revokeLease(leases[step.lease] ?? 'none');
    case 'pass':
      await player.advance(step.ms);
      return store.range({ start: 'zz', end: 'zzz', itemsMax: 1 });
    case 'restart':
      player.store = await player.restart();
      return player.store.epoch;
    case 'restore': {
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.snapshot()) chunks.push(chunk);
      await store.restore(
        (async function* () {
          yield* chunks;
        })(),
      );
      return [store.epoch, await store.currentRevision()];
    }
  }
}

/** Every event since the last compaction, with previous states, as one list. */
async function eventsOf(store: ResourceStore, fromRevision: number): Promise<unknown> {
  const newest = await store.currentRevision();
  const watch = store.watch({ start: ' ', end: '\u{10ffff}', fromRevision, previous: true });
  const events: StoreEvent[] = [];
  watch.requestProgress();
  try {
    for await (const batch of watch) {
      events.push(...batch.events);
      if (batch.revision >= newest) break;
    }
  } catch (error) {
    if (isTapError(error)) return { code: error.code, data: error.data };
    throw error;
  }
  return shown(events);
}

test('under random operations the store does exactly what the reference does', async (t) => {
  let transactions = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (drawn) => {
      const clock = new VirtualClock();
      const memory = createMemoryStore({ clock });
      const harness = await sqliteHarness({ checkpointBytes: 60_000 });
      // The reference store cannot restart, so it renews its leases, which has the same effect.
      const model: Player = { store: memory, leases: [], advance: (ms) => clock.advance(ms), restart: async () => memory };
      const tested: Player = { store: harness.store, leases: [], advance: harness.advance, restart: harness.reopen };
      try {
        for (const step of drawn) {
          if (step.do === 'restart') await renewAll(model);
          const expected = await play(model, step);
          t.deepEqual(await play(tested, step), expected, JSON.stringify(step));
          if (step.do === 'transact') transactions++;
        }
        t.deepEqual(
          await play(tested, { do: 'read', back: 0, key: 'a', itemsMax: 5 }),
          await play(model, { do: 'read', back: 0, key: 'a', itemsMax: 5 }),
        );
        const oldest = memory.health().compactedRevision + 1;
        t.is(tested.store.health().compactedRevision + 1, oldest);
        const last = (await memory.currentRevision()) + 1;
        for (const from of [oldest - 1, oldest, Math.min(oldest + 3, last)])
          t.deepEqual(await eventsOf(tested.store, from), await eventsOf(memory, from));
      } finally {
        await harness.dispose();
      }
    }),
    { numRuns, endOnFailure: true },
  );
  t.true(transactions >= numRuns * transactionsMin, `${transactions}`);
});

async function renewAll({ store, leases }: Player): Promise<void> {
  for (const lease of leases) await store.keepLeaseAlive(lease).catch(() => undefined);
}
