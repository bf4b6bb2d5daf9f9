import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const script = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  await import(process.argv[1]);
  process.stdout.write(JSON.stringify(loaded));
`;

async function loadedBy(url: string): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script, url]);
  return JSON.parse(stdout) as string[];
}

test('the entry for the inside of stores loads a handful of modules, and no schema library', async (t) => {
  const loaded = await loadedBy(import.meta.resolve('@tappaas/sdk/store'));
  t.deepEqual(
    loaded.filter((url) => url.includes('typebox')),
    [],
  );
  t.true(loaded.length <= 12, loaded.join('\n'));
});

test('it gives the same classes and tables as the root', async (t) => {
  const [entry, root] = await Promise.all([import('@tappaas/sdk/store'), import('@tappaas/sdk')]);
  for (const [name, value] of Object.entries(entry)) t.is<unknown, unknown>(value, (root as Readonly<Record<string, unknown>>)[name], name);
});
