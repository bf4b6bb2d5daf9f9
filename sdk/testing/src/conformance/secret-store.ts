import assert from 'node:assert/strict';
import { families, isTapError, type Awaitable, type Context, type SecretRef, type SecretStore, type TapError } from '@tappaas/sdk';
import type { Loaded } from '../load.js';
import { startMemoryKernel, type MemoryTestKernel } from '../memory-test-kernel.js';
import type { Case } from './case.js';

/** A loaded store, an existing secret, and a path that holds no secret and can be written. */
export interface SecretStoreHarness {
  readonly plugin: Loaded;
  readonly existing: SecretRef;
  readonly absent: SecretRef;
}

export type MakeSecretStore = () => Awaitable<SecretStoreHarness>;

/** The input of a case: the store behind the kernel's guard. */
interface StoreUnderTest extends SecretStoreHarness {
  readonly store: SecretStore;
  readonly context: (signal?: AbortSignal) => Context;
  readonly kernel: MemoryTestKernel;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const marked = 'conformance-value-that-must-not-be-printed';
const hostilePaths = ['', '/', '../escape', 'a/../../escape', '/etc/passwd', 'a\u0000b', 'a//b', '.', 'x'.repeat(5_000), '__proto__'];
const writers = 20;

/**
 * The conformance cases of secret stores, for any test runner. Cases about writing pass for stores that cannot be written.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.secretStore(make)) test(title, run);
 * ```
 */
export function secretStoreConformance(make: MakeSecretStore): readonly Case[] {
  const bodies: Readonly<Record<string, (given: StoreUnderTest) => Promise<void>>> = { ...reads, ...writes };
  return Object.entries(bodies).map(([title, body]) => ({ title, run: () => runCase(make, body) }));
}

const reads: Readonly<Record<string, (given: StoreUnderTest) => Promise<void>>> = {
  'a secret that exists has values and a version, the same as long as nobody writes it': async ({ store, existing, context }) => {
    const first = await store.resolve(existing, context());
    const second = await store.resolve(existing, context());
    assert(Object.keys(first.values).length > 0, 'it has no values');
    assert(
      Object.values(first.values).every((value) => value instanceof Uint8Array),
      'a value is not bytes',
    );
    assert.notEqual(first.version, '');
    assert.deepEqual(second, first);
  },
  'asking for the version gives that of the secret': async ({ store, existing, context }) => {
    const { version } = await store.resolve(existing, context());
    assert.equal(await store.version(existing, context()), version);
  },
  'what is not there is not found, whichever way it is asked': async ({ store, absent, context }) => {
    await refused(store.resolve(absent, context()), 'TAP_SECRET_NOT_FOUND');
    await refused(store.version(absent, context()), 'TAP_SECRET_NOT_FOUND');
  },
  'a version is answered as that version or not at all': async ({ store, existing, context }) => {
    const { version, values } = await store.resolve(existing, context());
    assert.deepEqual((await store.resolve({ ...existing, version }, context())).values, values);
    await refused(store.resolve({ ...existing, version: `${version}-of-another-time` }, context()), 'TAP_SECRET_NOT_FOUND');
  },
  'whoever changes the bytes he was given changes nobody else’s': async ({ store, existing, context }) => {
    const first = await store.resolve(existing, context());
    const before = structuredClone(first.values);
    for (const value of Object.values(first.values)) value.fill(0);
    assert.deepEqual((await store.resolve(existing, context())).values, before);
  },
  'a hostile path is refused or not found, and never a fault of the plugin': async ({ store, existing, context }) => {
    for (const path of hostilePaths) {
      const error = await failure(store.resolve({ store: existing.store, path }, context()));
      assert(
        isTapError(error) && /^TAP_SECRET_(?:NOT_FOUND|FORBIDDEN)$/.test(error.code),
        `path ${JSON.stringify(path.slice(0, 40))}: ${error.message}`,
      );
    }
  },
  'a request that was given up ends': async ({ store, existing, context }) => {
    const over = new AbortController();
    over.abort(new Error('given up'));
    await store.resolve(existing, context(over.signal)).catch(() => {});
  },
  'it has the same secrets after a new start': async ({ plugin, store, existing, context, kernel }) => {
    const before = await store.resolve(existing, context());
    await kernel.stop();
    await using again = await startMemoryKernel({ plugins: [plugin] });
    const found = await storeOf(again, plugin).resolve(existing, again.platform.kernel.platformContext());
    assert.deepEqual(found, before);
  },
};

const writes: Readonly<Record<string, (given: StoreUnderTest) => Promise<void>>> = {
  'what is written is read byte for byte, under a new version': async ({ store, absent, context }) => {
    if (store.write === undefined) return;
    const values = { empty: new Uint8Array(), text: bytes('välue\n'), binary: Uint8Array.from({ length: 10_000 }, (_, i) => i % 256) };
    const version = await store.write(absent, values, undefined, context());
    assert.deepEqual(await store.resolve(absent, context()), { values, version });
    const next = await store.write(absent, { text: bytes('other') }, version, context());
    assert.notEqual(next, version);
    assert.deepEqual(await store.resolve(absent, context()), { values: { text: bytes('other') }, version: next });
  },
  'a write on another version is a conflict and changes nothing': async ({ store, existing, absent, context }) => {
    if (store.write === undefined) return;
    const before = await store.resolve(existing, context());
    for (const expected of [undefined, `${before.version}-of-another-time`]) {
      await refused(store.write(existing, { other: bytes('x') }, expected, context()), 'TAP_SECRET_CONFLICT');
    }
    assert.deepEqual(await store.resolve(existing, context()), before);
    await refused(store.write(absent, { other: bytes('x') }, 'a-version', context()), 'TAP_SECRET_CONFLICT');
    await refused(store.resolve(absent, context()), 'TAP_SECRET_NOT_FOUND');
  },
  'of many that write the same version, one succeeds': async ({ store, absent, context }) => {
    if (store.write === undefined) return;
    const race = Array.from({ length: writers }, async (_, n) => store.write?.(absent, { writer: bytes(`${n}`) }, undefined, context()));
    const ends = await Promise.allSettled(race);
    const won = ends.flatMap((end, n) => (end.status === 'fulfilled' ? [n] : []));
    assert.equal(won.length, 1);
    const lost = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    assert(
      lost.every((error) => isTapError(error, 'TAP_SECRET_CONFLICT')),
      'a lost race is not told as a conflict',
    );
    assert.deepEqual((await store.resolve(absent, context())).values, { writer: bytes(`${won[0]}`) });
  },
  'a hostile path is not written': async ({ store, existing, context }) => {
    if (store.write === undefined) return;
    for (const path of hostilePaths.filter((each) => each !== '__proto__')) {
      const error = await failure(store.write({ store: existing.store, path }, { a: bytes('x') }, undefined, context()));
      assert(isTapError(error, 'TAP_SECRET_FORBIDDEN'), `path ${JSON.stringify(path.slice(0, 40))}: ${error.message}`);
    }
  },
  'rotation gives a new version of the secret': async ({ store, existing, context }) => {
    if (store.rotate === undefined) return;
    const before = await store.resolve(existing, context());
    const version = await store.rotate(existing, context());
    assert.notEqual(version, before.version);
    const after = await store.resolve(existing, context());
    assert.equal(after.version, version);
    assert.deepEqual(Object.keys(after.values), Object.keys(before.values));
  },
  'no value stands in an error or in a line of the log': async ({ store, absent, context, kernel }) => {
    if (store.write === undefined) return;
    const values = { value: bytes(marked) };
    await store.write(absent, values, undefined, context());
    await store.resolve(absent, context());
    const error = await failure(store.write(absent, values, undefined, context()));
    const printed = [error.message, error.stack ?? '', JSON.stringify(error), ...kernel.log.map((line) => JSON.stringify(line))].join('\n');
    assert(!printed.includes(marked), 'a value was printed');
    assert(!printed.includes(Buffer.from(marked).toString('base64')), 'a value was printed in base64');
  },
};

async function runCase(make: MakeSecretStore, body: (given: StoreUnderTest) => Promise<void>): Promise<void> {
  const harness = await make();
  await using kernel = await startMemoryKernel({ plugins: [harness.plugin] });
  const context = (signal?: AbortSignal) => kernel.platform.kernel.platformContext(signal === undefined ? {} : { signal });
  await body({ ...harness, store: storeOf(kernel, harness.plugin), context, kernel });
}

function storeOf({ platform }: MemoryTestKernel, { id }: Loaded): SecretStore {
  const store = platform.kernel.services.family(families.secretStore).get(id);
  assert(store !== undefined, `${id} provides no secret store`);
  return store;
}

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => assert.fail('expected a failure, found success'),
    (error: unknown) => error as Error,
  );
}

async function refused(work: Promise<unknown>, code: string): Promise<TapError> {
  const error = await failure(work);
  assert(isTapError(error, code), `expected ${code}, found ${error.message}`);
  return error;
}
