import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { isTapError, type KeyValue, type ResourceStore, type StoreEvent, type TapError, type Watch, type WatchBatch } from '@tappaas/sdk';
import type { Case } from '../case.js';

/** A store under test, empty and at its first epoch. */
export interface StoreHarness {
  readonly store: ResourceStore;
  /** Advances the store's clock. Absent: the suite waits in real time. */
  advance?(ms: number): Promise<void>;
  /** Closes the store and opens it again on the same data; required unless the store is declared as not durable. */
  reopen?(): Promise<ResourceStore>;
  dispose(): Promise<void>;
}

/** Creates a new store for one case. */
export type MakeStore = () => Promise<StoreHarness>;

/** The input of a case. */
export interface StoreUnderTest {
  readonly store: ResourceStore;
  readonly pass: (ms: number) => Promise<void>;
  readonly reopen: () => Promise<ResourceStore>;
}

type Body = (given: StoreUnderTest) => Promise<void>;

/** Creates cases from titles and bodies, each with a new store. */
export function storeCases(make: MakeStore, bodies: Readonly<Record<string, Body>>): readonly Case[] {
  return Object.entries(bodies).map(([title, body]) => ({ title, run: () => runCase(make, body) }));
}

async function runCase(make: MakeStore, body: Body): Promise<void> {
  const harness = await make();
  try {
    await body({
      store: harness.store,
      pass: (ms) => harness.advance?.(ms) ?? wait(ms),
      reopen: () => {
        assert(harness.reopen !== undefined, 'a durable store needs a harness that reopens it');
        return harness.reopen();
      },
    });
  } finally {
    await harness.dispose();
  }
}

/** Compacts, and gives the store time for its background cleanup, which must not be visible. */
export async function compactAndClear(store: ResourceStore, revision: number): Promise<void> {
  await store.compact(revision);
  await wait(30);
}

/** The interval of all keys. */
export const everything = { start: ' ', end: '\u{10ffff}' } as const;

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(found: KeyValue | undefined): string | undefined {
  return found === undefined ? undefined : new TextDecoder().decode(found.value);
}

/** Puts keys and values in one transaction; returns its revision. */
export async function put(store: ResourceStore, values: Readonly<Record<string, string>>, lease?: string): Promise<number> {
  const changes = Object.entries(values).map(([key, value]) => ({ put: key, value: bytes(value), ...(lease !== undefined && { lease }) }));
  const result = await store.transact({ changes });
  assert(result.ok);
  return result.revision;
}

/** Deletes keys in one transaction; returns its revision. */
export async function remove(store: ResourceStore, ...keys: readonly string[]): Promise<number> {
  const result = await store.transact({ changes: keys.map((key) => ({ delete: key })) });
  assert(result.ok);
  return result.revision;
}

/** All stored pairs, as `key=value`. */
export async function contents(store: ResourceStore, revision?: number): Promise<readonly string[]> {
  const { items, more } = await store.range({ ...everything, itemsMax: 10_000, ...(revision !== undefined && { revision }) });
  assert(!more);
  return items.map((item) => `${item.key}=${text(item)}`);
}

/** An event in one line: `7 key=value` or `7 key deleted`. */
export function line({ revision, key, current }: StoreEvent): string {
  return current === undefined ? `${revision} ${key} deleted` : `${revision} ${key}=${text(current)}`;
}

/** Reads a watch until everything up to `revision` was delivered, and returns its events. */
export async function readUntil(watch: Watch, revision: number): Promise<readonly StoreEvent[]> {
  const events: StoreEvent[] = [];
  for await (const batch of batchesUntil(watch, revision)) events.push(...batch.events);
  return events;
}

/** Yields the batches of a watch until everything up to `revision` was delivered, then closes it. */
export async function* batchesUntil(watch: Watch, revision: number): AsyncGenerator<WatchBatch, void, undefined> {
  const asking = setInterval(() => watch.requestProgress(), 5);
  try {
    for await (const batch of watch) {
      yield batch;
      if (batch.revision >= revision) return;
    }
  } finally {
    clearInterval(asking);
  }
  assert.fail(`the watch ended before revision ${revision}`);
}

/** Waits for a failure with this code. */
export async function failure(work: Promise<unknown>, code: string): Promise<TapError> {
  try {
    await work;
  } catch (error) {
    if (isTapError(error, code)) return error;
    throw error;
  }
  assert.fail(`expected ${code}, found success`);
}

/** Returns the first batch of a watch, or fails with its error. */
export async function firstOf(watch: Watch): Promise<WatchBatch> {
  for await (const batch of watch) return batch;
  assert.fail('the watch ended without a batch');
}
