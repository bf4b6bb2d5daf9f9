import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { packSource } from '../../dist/cli/source-archive.js';

const made: string[] = [];

test.after.always('what was written is removed', async () => {
  for (const directory of made) await rm(directory, { recursive: true });
});

async function empty(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-pack-'));
  made.push(directory);
  return directory;
}

async function source(): Promise<string> {
  const directory = await empty();
  await mkdir(join(directory, '.git'));
  await writeFile(join(directory, '.git', 'HEAD'), 'ref');
  await mkdir(join(directory, 'build'));
  await writeFile(join(directory, 'build', 'big.bin'), 'canary-build');
  await writeFile(join(directory, 'server.js'), 'console.log(1)');
  return directory;
}

test('the digest depends on the files alone, not on their times', async (t) => {
  const [one, other] = [await source(), await source()];
  await utimes(join(other, 'server.js'), 1, 1);
  t.is((await packSource(one)).digest, (await packSource(other)).digest);
});

test('.git is never packed, and .tappaasignore leaves out what it names', async (t) => {
  const directory = await source();
  t.is((await packSource(directory)).files, 2);
  await writeFile(join(directory, '.tappaasignore'), '# products\nbuild/\n');
  const packed = await packSource(directory);
  t.is(packed.files, 1);
  t.false(gunzipSync(packed.bytes).includes('canary-build'));
});

test('an empty directory is refused', async (t) => {
  await t.throwsAsync(packSource(await empty()), { name: 'CliError', message: /has no files/ });
});
