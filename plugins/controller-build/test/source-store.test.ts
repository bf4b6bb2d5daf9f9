import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { createSourceStore } from '../dist/source-store.js';

type Store = ReturnType<typeof createSourceStore>;
type Sent = readonly [digest: string, archive: Uint8Array, claimant: Parameters<Store['has']>[1]];

const sentMax = 3;
const ann = { name: 'ann' };
const bob = { name: 'bob' };

async function prepared(t: ExecutionContext, sentBytesMax = 1_000_000_000) {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-shelf-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const stored = createSourceStore({ directory, unpackedBytesMax: 10_000_000, entriesMax: 100, sentMax, sentBytesMax });
  const needed = new Set<string>();
  const isNeeded = async ({ digest }: { readonly digest: string }) => needed.has(digest);
  const store = { ...stored, put: (...[digest, archive, claimant]: Sent) => stored.put(digest, archive, claimant, isNeeded) };
  const below = (folder: string) => readdir(join(directory, folder), { recursive: true });
  return {
    directory,
    store,
    /** Digests of sources that open builds need. */
    needed,
    entries: async () => (await Promise.all(['holders', 'sent', 'sources'].map(below))).flat().length,
    packed: async (content: string | Uint8Array) => {
      const from = await mkdtemp(join(directory, 'from-'));
      await writeFile(join(from, 'server.js'), content);
      await promisify(execFile)('tar', ['-czf', 'source.tar.gz', 'server.js'], { cwd: from });
      const archive = await readFile(join(from, 'source.tar.gz'));
      const hash = createHash('sha256').update(archive).digest('hex');
      return { archive, digest: `sha256:${hash}`, path: join(directory, 'sources', `${hash}.tar.gz`) };
    },
    /** Makes all uploads so far older than later ones. */
    ageAll: async (): Promise<void> => {
      const sent = await readdir(join(directory, 'sent'), { recursive: true, withFileTypes: true });
      for (const { parentPath, name } of sent.filter((entry) => entry.isFile())) await utimes(join(parentPath, name), 1, 1);
    },
  };
}

test('however many namespaces somebody makes up for one archive, no more than the bound is kept of it, the newest', async (t) => {
  const { store, packed, entries, ageAll } = await prepared(t);
  const { digest, archive } = await packed('console.log(1)');
  for (const namespace of ['first', 'second', 'third']) await store.put(digest, archive, { namespace, caller: ann });
  const full = await entries();
  for (let index = 0; index < 10; index += 1) {
    await ageAll();
    await store.put(digest, archive, { namespace: `made-up-${index}`, caller: ann });
    t.true(await store.has(digest, { namespace: `made-up-${index}`, caller: ann }));
  }
  t.is(await entries(), full);
  t.false(await store.has(digest, { namespace: 'first', caller: ann }));
  await store.put(digest, archive, { namespace: 'made-up-9', caller: ann });
  t.is(await entries(), full, 'to send the same again needs no room');
});

test('many uploads at once keep within the bound too', async (t) => {
  const { store, packed, entries } = await prepared(t);
  const { digest, archive } = await packed('console.log(1)');
  for (const namespace of ['first', 'second', 'third']) await store.put(digest, archive, { namespace, caller: ann });
  const full = await entries();
  await Promise.all(Array.from({ length: 20 }, (_, index) => store.put(digest, archive, { namespace: `at-once-${index}`, caller: ann })));
  t.is(await entries(), full);
});

test('an archive goes when the last who had sent it has it no more, and what others have sent is theirs', async (t) => {
  const { store, packed, directory, ageAll } = await prepared(t);
  const [lone, shared] = [await packed('of ann alone'), await packed('of both')];
  await store.put(lone.digest, lone.archive, { namespace: 'team', caller: ann });
  await store.put(shared.digest, shared.archive, { namespace: 'team', caller: ann });
  await store.put(shared.digest, shared.archive, { namespace: 'team', caller: bob });
  await ageAll();
  for (const content of ['1', '2', '3']) {
    const newer = await packed(content);
    await store.put(newer.digest, newer.archive, { namespace: 'team', caller: ann });
  }
  t.is((await readdir(join(directory, 'sources'))).length, 4, 'three of ann’s and the one of bob’s');
  t.false(await store.has(shared.digest, { namespace: 'team', caller: ann }));
  t.true(await store.has(shared.digest, { namespace: 'team', caller: bob }));
  const build = (digest: string) => store.unpacked({ digest, namespace: 'team' }, (at) => readdir(at), new AbortController().signal);
  t.deepEqual(await build(shared.digest), ['server.js']);
  await t.throwsAsync(build(lone.digest), { code: 'CONTROLLER_BUILD_SOURCE_UNKNOWN' });
});

test('bytes are bounded: the oldest archives make way that no build needs, and what all is needed refuses more', async (t) => {
  const { store, needed, packed, directory, ageAll } = await prepared(t, 250_000);
  const claimant = { namespace: 'team', caller: ann };
  const [first, second, third, fourth] = await Promise.all([1, 2, 3, 4].map(() => packed(randomBytes(100_000))));
  if (!first || !second || !third || !fourth) return t.fail();
  needed.add(first.digest);
  await store.put(first.digest, first.archive, claimant);
  await ageAll();
  await store.put(second.digest, second.archive, claimant);
  await store.put(second.digest, second.archive, { ...claimant, namespace: 'other' });
  t.is((await readdir(join(directory, 'sources'))).length, 2, 'an archive counts once, for however many namespaces it was sent');
  await store.put(third.digest, third.archive, claimant);
  t.true(await store.has(first.digest, claimant), 'an older one that is needed stays');
  t.false(await store.has(second.digest, claimant));
  needed.add(third.digest);
  const refused = await t.throwsAsync(store.put(fourth.digest, fourth.archive, claimant), { code: 'CONTROLLER_BUILD_SOURCES_FULL' });
  t.regex(refused?.message ?? '', /no room for 100\d{3} bytes more .* need 2 sources of 200\d{3} bytes, and sentBytesMax is 250000/);
  await store.put(fourth.digest, fourth.archive, { ...claimant, caller: bob });
  t.is((await readdir(join(directory, 'sources'))).length, 3, 'others have room of their own');
  const large = await packed(randomBytes(300_000));
  await t.throwsAsync(store.put(large.digest, large.archive, claimant), { code: 'CONTROLLER_BUILD_ARCHIVE_TOO_LARGE' });
  needed.clear();
  await store.put(fourth.digest, fourth.archive, claimant);
  t.true(await store.has(fourth.digest, claimant));
});

test('where builds need as many sources as are kept, another one is refused', async (t) => {
  const { store, needed, packed } = await prepared(t);
  for (const content of ['1', '2', '3', '4']) {
    const { digest, archive } = await packed(content);
    needed.add(digest);
    const put = store.put(digest, archive, { namespace: 'team', caller: ann });
    if (content === '4') await t.throwsAsync(put, { code: 'CONTROLLER_BUILD_SOURCES_FULL', message: /sentMax is 3$/ });
    else await put;
  }
});

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;

test('kept source that cannot be unpacked is the archive’s fault, and not tried again', async (t) => {
  const { store, packed } = await prepared(t);
  const { digest, archive, path } = await packed('console.log(1)');
  await store.put(digest, archive, { namespace: 'team', caller: ann });
  await writeFile(path, 'no archive');
  const error = await t.throwsAsync(
    store.unpacked({ digest, namespace: 'team' }, async () => t.fail(), new AbortController().signal),
    {
      code: 'CONTROLLER_BUILD_ARCHIVE_REFUSED',
    },
  );
  t.regex(error.message, /cannot be unpacked/);
});

onLinux('an archive that cannot be unpacked is not left open', async (t) => {
  const { store, packed } = await prepared(t);
  const { digest, archive, path } = await packed(randomBytes(2_000_000));
  await store.put(digest, archive, { namespace: 'team', caller: ann });
  await writeFile(path, randomBytes(2_000_000));
  const openFiles = async () => {
    const links = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    return links.filter((link) => link === path);
  };
  await t.throwsAsync(store.unpacked({ digest, namespace: 'team' }, async () => t.fail(), new AbortController().signal));
  t.deepEqual(await openFiles(), []);
});
