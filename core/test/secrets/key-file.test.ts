import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { KeyFile, keysMax } from '../../dist/secrets/key-file.js';

const scratch = await mkdtemp(join(tmpdir(), 'keys-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));
const path = async (): Promise<string> => join(await mkdtemp(join(scratch, 'case-')), 'key.json');
const binding = Buffer.from('a');

test('a first start makes the file for its owner only, and later ones read it', async (t) => {
  const file = await path();
  const first = await KeyFile.open(file);
  t.is((await stat(file)).mode & 0o777, 0o600);
  const wrapped = first.wrap(Buffer.alloc(32, 7), binding);
  const second = await KeyFile.open(file);
  t.is(second.currentKeyId, first.currentKeyId);
  t.deepEqual(Buffer.from(second.unwrap(wrapped, binding)), Buffer.alloc(32, 7));
});

test('platforms that start at once agree on one file and leave nothing else', async (t) => {
  const file = await path();
  const opened = await Promise.all(Array.from({ length: 10 }, () => KeyFile.open(file)));
  t.is(new Set(opened.map((keys) => keys.currentKeyId)).size, 1);
  t.deepEqual(await readdir(join(file, '..')), ['key.json']);
});

test('a file that others may read is refused', async (t) => {
  const file = await path();
  await KeyFile.open(file);
  await chmod(file, 0o640);
  await t.throwsAsync(KeyFile.open(file), { code: 'TAP_SEAL_KEY_EXPOSED', message: /found 640/ });
});

test('what is not a key file is refused without being shown', async (t) => {
  for (const text of ['', 'sesame', '{"current":"a","keys":{}}', '{"current":"a","keys":{"a":"c2hvcnQ="}}']) {
    const file = await path();
    await writeFile(file, text, { mode: 0o600 });
    const error = await t.throwsAsync(KeyFile.open(file), { code: 'TAP_SEAL_KEY_FILE' });
    t.false(error.message.includes('sesame'));
  }
});

test('after a rotation the old key still opens, and after its retirement no more', async (t) => {
  const file = await path();
  const keys = await KeyFile.open(file);
  const old = keys.currentKeyId;
  const wrapped = keys.wrap(Buffer.alloc(32, 1), binding);
  const current = await keys.rotate();
  t.not(current, old);
  t.is(keys.wrap(Buffer.alloc(32), binding).keyId, current);
  t.deepEqual(Buffer.from(keys.unwrap(wrapped, binding)), Buffer.alloc(32, 1));
  await t.throwsAsync(keys.retire(current), { code: 'TAP_SEAL_KEY_UNKNOWN' });
  await keys.retire(old);
  t.throws(() => keys.unwrap(wrapped, binding), { code: 'TAP_SEAL_KEY_UNKNOWN' });
  t.deepEqual((await KeyFile.open(file)).keyIds, [current]);
  t.false((await readFile(file, 'utf8')).includes(old));
});

test('a key file holds so many keys and no more', async (t) => {
  const keys = await KeyFile.open(await path());
  for (let count = 1; count < keysMax; count += 1) await keys.rotate();
  await t.throwsAsync(keys.rotate(), { code: 'TAP_SEAL_KEY_FILE' });
});

test('an unknown key id that is a name of every object is unknown all the same', async (t) => {
  const keys = await KeyFile.open(await path());
  t.throws(() => keys.unwrap({ keyId: 'constructor', bytes: Buffer.alloc(60) }, binding), { code: 'TAP_SEAL_KEY_UNKNOWN' });
});
