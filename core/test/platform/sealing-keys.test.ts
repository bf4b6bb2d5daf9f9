import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { SealingKeys } from '../../dist/platform/sealing/sealing-keys.js';
import { createSealer } from '../../dist/secrets/envelope.js';
import { KeyFile } from '../../dist/secrets/key-file.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { VirtualClock } from '../virtual-clock.ts';

const scratch = await mkdtemp(join(tmpdir(), 'sealing-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

async function withKeys(spread: () => Promise<void> = async () => {}) {
  const path = join(await mkdtemp(join(scratch, 'case-')), 'key.json');
  const file = await KeyFile.open(path);
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  const sealer = createSealer(file);
  const put = async (key: string, text: string) =>
    store.transact({ changes: [{ put: key, value: await sealer.seal(Buffer.from(text), { key, uid: 'u' }) }] });
  /** As a process reads it that starts now. */
  const read = async (key: string) => {
    const found = await store.get(key);
    return Buffer.from(await createSealer(await KeyFile.open(path)).open(found?.value ?? Buffer.alloc(0), key)).toString();
  };
  return { file, path, store, put, read, keys: new SealingKeys({ file, store, spread, clock }) };
}

test('changes that come at once lose no key and nothing that is sealed', async (t) => {
  const { file, keys, put, read, path } = await withKeys();
  const [first = ''] = file.keyIds;
  await put('/registry/platform/core/secrets/default/a', 'a');
  const rotated = [keys.change('rotate', ''), keys.change('rotate', ''), keys.change('retire', first), keys.change('rotate', '')];
  await put('/registry/platform/core/secrets/default/b', 'b');
  await Promise.all(rotated);
  t.deepEqual((await KeyFile.open(path)).keyIds, file.keyIds);
  t.deepEqual([file.keyIds.length, file.keyIds.includes(first)], [3, false]);
  for (const name of ['a', 'b']) t.is(await read(`/registry/platform/core/secrets/default/${name}`), name);
});

test('a retired key leaves nothing behind, whosever it was: engines that are not loaded, kept answers, the platform’s own', async (t) => {
  const { file, keys, put, read, store } = await withKeys();
  const places = ['/registry/gone/core/secrets/default/a', '/answers/platform/x', 'identity/signing-keys'];
  for (const place of places) await put(place, place);
  await store.transact({ changes: [{ put: '/registry/platform/core/configmaps/default/open', value: Buffer.from('{"plain":1}') }] });
  const [first = ''] = file.keyIds;
  t.like(await keys.change('rotate', ''), { examined: 3, resealed: 3, isComplete: true });
  await keys.change('retire', first);
  for (const place of places) t.is(await read(place), place);
});

test('while another process has not read the new key nothing is sealed anew, and no key goes', async (t) => {
  let isDeaf = true;
  const { file, keys, put, read } = await withKeys(async () => {
    if (isDeaf) throw new Error('worker w2 does not answer');
  });
  const place = '/registry/platform/core/secrets/default/a';
  await put(place, 'a');
  const [first = ''] = file.keyIds;
  await t.throwsAsync(keys.change('rotate', ''), { message: /w2 does not answer/ });
  await t.throwsAsync(keys.change('retire', first), { message: /w2 does not answer/ });
  t.true(file.keyIds.includes(first));
  isDeaf = false;
  t.like(await keys.change('reencrypt', ''), { resealed: 1, isComplete: true });
  await keys.change('retire', first);
  t.is(await read(place), 'a');
});
