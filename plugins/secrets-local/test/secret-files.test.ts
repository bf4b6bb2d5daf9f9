import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isTapError, type Context } from '@tappaas/sdk';
import test from 'ava';
import { openSecretFiles } from '../dist/secret-files.js';

const scratch = await mkdtemp(join(tmpdir(), 'secret-files-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

const context = { signal: new AbortController().signal } as Context;
const bytes = (text: string) => new TextEncoder().encode(text);
const at = (path: string) => ({ store: 'secrets', path });
const marked = 'a-value-that-nobody-should-see';

async function place() {
  const folder = await mkdtemp(join(scratch, 'case-'));
  return { directory: join(folder, 'secrets'), keyFile: join(folder, 'keys/secrets.key'), secretBytesMax: 1_000 };
}

async function writtenStore(paths: readonly string[]) {
  const options = await place();
  const store = await openSecretFiles(options);
  for (const path of paths) await store.write?.(at(path), { key: bytes(`${marked} of ${path}`) }, undefined, context);
  return { options, store };
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const code = (error: unknown) => (isTapError(error) ? error.code : String(error));
const failureOf = (work: Promise<unknown>) => work.then(() => 'success', code);

test('neither a value nor a path stands in the files, which only their owner may read', async (t) => {
  const { options } = await writtenStore(['shop/database']);
  const names = await readdir(options.directory);
  t.is(names.length, 1);
  const [name = ''] = names;
  const text = await readFile(join(options.directory, name), 'utf8');
  t.notRegex(name + text, /shop|database/);
  t.false(text.includes(marked) || text.includes(Buffer.from(marked).toString('base64')));
  t.is(await modeOf(join(options.directory, name)), '600');
  t.is(await modeOf(options.directory), '700');
  t.is(await modeOf(options.keyFile), '600');
});

test('a key file among the secrets is refused, also behind a link', async (t) => {
  const options = await place();
  t.is(await failureOf(openSecretFiles({ ...options, keyFile: join(options.directory, 'secrets.key') })), 'SECRETS_LOCAL_KEY_INSIDE');
  await symlink(options.directory, `${options.directory}-link`);
  t.is(await failureOf(openSecretFiles({ ...options, keyFile: `${options.directory}-link/a/secrets.key` })), 'SECRETS_LOCAL_KEY_INSIDE');
});

test('a key file that others may read is refused, and so is one without a key', async (t) => {
  const { options } = await writtenStore(['a']);
  await chmod(options.keyFile, 0o640);
  t.is(await failureOf(openSecretFiles(options)), 'SECRETS_LOCAL_KEY_EXPOSED');
  await chmod(options.keyFile, 0o600);
  await writeFile(options.keyFile, 'too short\n');
  t.is(await failureOf(openSecretFiles(options)), 'SECRETS_LOCAL_KEY_UNREADABLE');
});

test('two starts at once agree on one key', async (t) => {
  const options = await place();
  await mkdir(options.directory, { recursive: true });
  const [first, second] = await Promise.all([openSecretFiles(options), openSecretFiles(options)]);
  await first.write?.(at('a'), { key: bytes('x') }, undefined, context);
  t.deepEqual((await second.resolve(at('a'), context)).values, { key: bytes('x') });
});

test('a file that was moved to another path does not open', async (t) => {
  const { options, store } = await writtenStore(['a', 'b']);
  const [first = '', second = ''] = await readdir(options.directory);
  await rename(join(options.directory, first), join(options.directory, second));
  const failures = await Promise.all(['a', 'b'].map((path) => failureOf(store.resolve(at(path), context))));
  t.deepEqual(failures.toSorted(), ['SECRETS_LOCAL_DAMAGED', 'TAP_SECRET_NOT_FOUND']);
});

test('no changed byte of a file is taken for a secret', async (t) => {
  const { options, store } = await writtenStore(['a']);
  const [name = ''] = await readdir(options.directory);
  const file = join(options.directory, name);
  const original = await readFile(file);
  const envelope = JSON.parse(original.toString()) as { version: string; data: string };
  const data = Buffer.from(envelope.data, 'base64');
  for (let n = 0; n < data.length; n += 1) {
    const changed = Buffer.from(data);
    changed.writeUInt8(changed.readUInt8(n) ^ 1, n);
    await writeFile(file, JSON.stringify({ ...envelope, data: changed.toString('base64') }));
    t.is(await failureOf(store.resolve(at('a'), context)), 'SECRETS_LOCAL_DAMAGED', `byte ${n}`);
  }
  await writeFile(file, JSON.stringify({ ...envelope, version: '9-00000000' }));
  t.is(await failureOf(store.resolve(at('a'), context)), 'SECRETS_LOCAL_DAMAGED', 'the version');
  for (const garbage of ['', '{', 'null', '[]', '{"format":2}']) {
    await writeFile(file, garbage);
    t.is(await failureOf(store.resolve(at('a'), context)), 'SECRETS_LOCAL_DAMAGED', garbage);
  }
  await writeFile(file, original);
  t.is(await failureOf(store.resolve(at('a'), context)), 'success');
});

test('another key opens nothing', async (t) => {
  const { options } = await writtenStore(['a']);
  const other = await openSecretFiles({ ...options, keyFile: `${options.keyFile}-other` });
  t.is(await failureOf(other.resolve(at('a'), context)), 'SECRETS_LOCAL_DAMAGED');
});

test('what is larger than the limit is refused and changes nothing; what reaches it is taken', async (t) => {
  const { store, options } = await writtenStore([]);
  const values = (length: number) => ({ key: new Uint8Array(length) });
  const room = options.secretBytesMax - 'key'.length;
  t.is(await failureOf(store.write?.(at('a'), values(room + 1), undefined, context) ?? Promise.resolve()), 'SECRETS_LOCAL_TOO_LARGE');
  t.deepEqual(await readdir(options.directory), []);
  t.is(await failureOf(store.write?.(at('a'), values(room), undefined, context) ?? Promise.resolve()), 'success');
});

test('a write that is cut off leaves the secret as it was, and nothing beside it is taken for one', async (t) => {
  const { store, options } = await writtenStore(['a']);
  const before = await store.resolve(at('a'), context);
  const [name = ''] = await readdir(options.directory);
  await writeFile(join(options.directory, `${name}.0123456789ab.new`), 'half a fi');
  const again = await openSecretFiles(options);
  t.deepEqual(await again.resolve(at('a'), context), before);
});

test('the version a write answers is never that of another write', async (t) => {
  const { store } = await writtenStore([]);
  const versions = new Set<string>();
  let version: string | undefined;
  for (let n = 0; n < 50; n += 1) {
    version = await store.write?.(at('a'), { n: bytes(`${n}`) }, version, context);
    versions.add(version ?? '');
  }
  t.is(versions.size, 50);
});
