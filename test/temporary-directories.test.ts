/** Tests leave nothing behind: machines that run them for months have a full disk otherwise. */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test from 'ava';

const root = resolve(import.meta.dirname, '..');

test('whatever makes a temporary directory for tests removes it', async (t) => {
  const plugins = (await readdir(join(root, 'plugins'))).map((name) => `plugins/${name}/test`);
  const folders = ['test', 'core/test', 'sdk/test', 'sdk/client/test', 'sdk/testing/src', 'sdk/testing/test', ...plugins];
  const left: string[] = [];
  let making = 0;
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    for (const name of names.filter((each) => each.endsWith('.ts'))) {
      const text = await readFile(join(root, folder, name), 'utf8');
      if (!/\bmkdtemp(Sync)?\(/.test(text)) continue;
      making += 1;
      if (!/\brm(Sync)?\(/.test(text)) left.push(`${folder}/${name}`);
    }
  }
  t.true(making > 30, `${making} files`);
  t.deepEqual(left, []);
});
