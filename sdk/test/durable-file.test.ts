import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createFile, replaceFile } from '@tappaas/sdk/durable-file';

async function scratch(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'durable-file-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('a file is replaced with its content and mode, and leaves nothing beside it', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'file');
  await writeFile(path, 'old', { mode: 0o644 });
  await replaceFile(path, 'new');
  t.is(await readFile(path, 'utf8'), 'new');
  t.is(await modeOf(path), 0o600);
  await replaceFile(path, Buffer.from('bytes'), 0o640);
  t.is(await readFile(path, 'utf8'), 'bytes');
  t.is(await modeOf(path), 0o640);
  t.deepEqual(await readdir(folder), ['file']);
});

test('drafts that a crash has left an hour ago are removed with the next write in their folder, and nothing else', async (t) => {
  const folder = await scratch(t);
  const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const name of [`keys.${uuid}.new`, `other.${uuid}.new`, 'something.new', `keys.${uuid}`]) {
    await writeFile(join(folder, name), 'x');
    await utimes(join(folder, name), old, old);
  }
  await writeFile(join(folder, `young.${uuid}.new`), 'somebody writes it');
  await replaceFile(join(folder, 'file'), 'new');
  t.deepEqual((await readdir(folder)).toSorted(), ['file', `keys.${uuid}`, 'something.new', `young.${uuid}.new`]);
  await utimes(join(folder, `young.${uuid}.new`), old, old);
  await replaceFile(join(folder, 'file'), 'newer');
  t.deepEqual((await readdir(folder)).toSorted(), ['file', `keys.${uuid}`, 'something.new'], 'it has become old');
});

test('a write that fails leaves what was there and no draft', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'taken');
  await mkdir(join(path, 'inside'), { recursive: true });
  await t.throwsAsync(replaceFile(path, 'new'));
  t.deepEqual(await readdir(folder), ['taken']);
  await t.throwsAsync(replaceFile(join(folder, 'absent', 'file'), 'new'), { code: 'ENOENT' });
});

test('of many that create a file at once one does, and what it wrote stays', async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'file');
  const made = await Promise.all(Array.from({ length: 8 }, (_, index) => createFile(path, `${index}`)));
  t.is(made.filter(Boolean).length, 1);
  t.is(await readFile(path, 'utf8'), `${made.indexOf(true)}`);
  t.false(await createFile(path, 'later'));
  t.deepEqual(await readdir(folder), ['file']);
});

test('whoever reads while a file is replaced sees the whole of one version', async (t) => {
  const path = join(await scratch(t), 'file');
  const versions = ['a', 'b'].map((letter) => letter.repeat(200_000));
  await replaceFile(path, versions[0] ?? '');
  const writers = Promise.all(versions.map((version) => replaceFile(path, version)));
  for (let reads = 0; reads < 20; reads += 1) t.true(versions.includes(await readFile(path, 'utf8')));
  await writers;
});
