import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { createSealer } from '../../dist/secrets/envelope.js';
import { KeyFile } from '../../dist/secrets/key-file.js';
import { reencrypt } from '../../dist/secrets/reencryption.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { VirtualClock } from '../virtual-clock.ts';

const scratch = await mkdtemp(join(tmpdir(), 'seal-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const keyFile = async (): Promise<KeyFile> => KeyFile.open(join(await mkdtemp(join(scratch, 'case-')), 'key.json'));
const never = new AbortController().signal;

test('whatever is sealed opens again, and only at its place', async (t) => {
  const sealer = createSealer(await keyFile());
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), fc.string(), fc.uuid(), async (plain, key, uid) => {
      const sealed = await sealer.seal(plain, { key, uid });
      t.deepEqual(Buffer.from(await sealer.open(sealed, key)), Buffer.from(plain));
      await t.throwsAsync(async () => sealer.open(sealed, `${key}x`), { code: 'TAP_SEAL_BROKEN' });
    }),
    { numRuns: 50 },
  );
});

test('an envelope with any byte changed does not open', async (t) => {
  const sealer = createSealer(await keyFile());
  const sealed = Buffer.from(await sealer.seal(Buffer.from('canary-value'), { key: 'k', uid: 'u' }));
  const envelope = JSON.parse(sealed.toString()) as Record<string, string>;
  for (const [name, text] of Object.entries(envelope)) {
    if (typeof text !== 'string') continue;
    const changed = Buffer.from(JSON.stringify({ ...envelope, [name]: `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}` }));
    const error = await t.throwsAsync(async () => sealer.open(changed, 'k'));
    t.regex((error as unknown as { code: string }).code, /^TAP_SEAL_(BROKEN|KEY_UNKNOWN)$/, name);
    t.false(error.message.includes('canary'));
  }
});

test('plain bytes are not taken for an envelope, and are not shown', async (t) => {
  const sealer = createSealer(await keyFile());
  for (const text of ['canary-value', '{"data":"canary"}', 'null', '']) {
    const error = await t.throwsAsync(async () => sealer.open(Buffer.from(text), 'k'), { code: 'TAP_SEAL_BROKEN' });
    t.false(error.message.includes('canary'));
  }
});

test('reencryption brings everything under the current key, and a second run finds nothing to do', async (t) => {
  const keys = await keyFile();
  const sealer = createSealer(keys);
  const store = createMemoryStore({ clock: new VirtualClock() });
  const old = keys.currentKeyId;
  for (let index = 0; index < 250; index += 1) {
    const key = `/secrets/${index}`;
    await store.transact({ changes: [{ put: key, value: await sealer.seal(Buffer.from(`value-${index}`), { key, uid: `u${index}` }) }] });
  }
  await keys.rotate();
  t.deepEqual(await reencrypt(store, sealer, never), { examined: 250, resealed: 250, isComplete: true });
  t.deepEqual(await reencrypt(store, sealer, never), { examined: 250, resealed: 0, isComplete: true });
  await keys.retire(old);
  const stored = await store.get('/secrets/42');
  t.is(Buffer.from(await sealer.open(stored?.value ?? Buffer.alloc(0), '/secrets/42')).toString(), 'value-42');
});

test('a value that is written while it is reencrypted stays as it was written', async (t) => {
  const keys = await keyFile();
  const sealer = createSealer(keys);
  const store = createMemoryStore({ clock: new VirtualClock() });
  const binding = { key: '/secrets/a', uid: 'u' };
  const put = async (text: string): Promise<unknown> =>
    store.transact({ changes: [{ put: binding.key, value: await sealer.seal(Buffer.from(text), binding) }] });
  await put('old');
  await keys.rotate();
  const racing = {
    ...sealer,
    reseal: async (sealed: Uint8Array, key: string): Promise<Uint8Array> => {
      await put('new');
      return sealer.reseal(sealed, key);
    },
  };
  t.deepEqual(await reencrypt(store, racing, never), { examined: 1, resealed: 0, isComplete: true });
  const stored = await store.get(binding.key);
  t.is(Buffer.from(await sealer.open(stored?.value ?? Buffer.alloc(0), binding.key)).toString(), 'new');
});
