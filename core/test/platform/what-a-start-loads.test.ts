import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);

const script = (entry: string) => `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
  await import(${JSON.stringify(entry)});
  console.log(JSON.stringify(loaded));
`;

async function loadedBy(file: string): Promise<readonly string[]> {
  const entry = new URL(`../../dist/${file}`, import.meta.url).href;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script(entry)], { timeout: 60_000 });
  return JSON.parse(stdout) as readonly string[];
}

/** Libraries that only some requests, plugins or first starts want. */
const requested =
  /node_modules\/(express|undici|jose|graphql|graphql-jit|graphql-ws|socket\.io|engine\.io|ws|@apollo|@peculiar|@kubernetes|dataloader)\//;

test('a start loads no library before somebody asks for what it does', async (t) => {
  const loaded = await loadedBy('platform/up.js');
  t.deepEqual(
    loaded.filter((url) => requested.test(url)),
    [],
  );
  t.false(
    loaded.includes('node:http'),
    'the namespace of node:http loads an HTTP client: import its types, take its values from process.getBuiltinModule',
  );
  t.true(loaded.length < 1_500, `${loaded.length} modules`);
});

test('a command loads nothing of the platform', async (t) => {
  const loaded = await loadedBy('cli/connect.js');
  t.deepEqual(
    loaded.filter((url) => /node_modules|dist\/(platform|kernel|resources|api)\//.test(url)),
    [],
  );
  t.false(loaded.includes('node:http'), 'the namespace of node:http loads an HTTP client');
});
