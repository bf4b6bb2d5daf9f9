/** A copied example contains everything that it uses. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';

const examples = resolve(import.meta.dirname, '../examples');

interface Written {
  readonly kind?: string;
  readonly plugins?: Readonly<Record<string, { readonly use: string }>>;
}

/** The configuration next to a plugin's package shows how to load it. */
test('the package of an installation depends on every plugin that its configuration loads, and on the command that runs it', async (t) => {
  const paths = (await readdir(examples, { recursive: true })).filter((path) => /^[^/]+\/tappaas\.yaml$/.test(path));
  const written = await Promise.all(
    paths.map(async (path) => ({ path, ...(parse(await readFile(join(examples, path), 'utf8')) as Written) })),
  );
  const platforms = written.filter(({ kind, path }) => kind === 'Platform' && !dirname(path).startsWith('plugin-'));
  t.true(platforms.length > 0);
  for (const { path, plugins = {} } of platforms) {
    const manifest = await readFile(join(examples, path, '../package.json'), 'utf8');
    const { dependencies } = JSON.parse(manifest) as { dependencies: Readonly<Record<string, string>> };
    const used = Object.values(plugins).flatMap(({ use }) => (use.startsWith('.') ? [] : [use]));
    const missing = ['@tappaas/core', ...used].filter((name) => !(name in dependencies));
    t.deepEqual(missing, [], path);
  }
});
