/** A run of all tests leaves out none of them, and ends also when one of them does not. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { existingTestFiles, selectedTestFiles } from './test-files.ts';

const root = join(import.meta.dirname, '..');
const passing = "import test from 'ava';\ntest('it passes', (t) => t.pass());\n";

/** A project with these test files; the patterns of its package.json select the ones at its top. */
async function projectOf(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'tappaas-run-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
  const ava = { files: ['*.test.js'], require: [join(root, 'test/before-file.ts')], timeout: '1h' };
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', ava }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(project, dirname(name)), { recursive: true });
    await writeFile(join(project, name), text);
  }
  return project;
}

function runIn(project: string, words: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [join(root, 'test/run.ts'), ...words], {
    cwd: project,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
}

test('a file that never ends is named, and the run fails instead of waiting for it', async (t) => {
  t.timeout(180_000);
  const project = await projectOf(t, {
    'ends.test.js': passing,
    'stays.test.js': `import { createServer } from 'node:net';\n${passing}createServer().listen(0, '127.0.0.1');\n`,
  });
  const { status, stdout } = runIn(project, [], { TAPPAAS_SILENT_MS: '20000' });
  t.is(status, 1, stdout);
  t.regex(stdout, /^not ok - files that have not come to their end, as no test has ended for 20 s: stays\.test\.js$/m);
  t.regex(stdout, /^2 passed, 1 failed$/m);
});

test('a run of everything fails when a test file never ran, and names it', async (t) => {
  t.timeout(180_000);
  const project = await projectOf(t, { 'ends.test.js': passing, 'deep/down/missed.test.ts': passing });
  const whole = runIn(project);
  t.is(whole.status, 1, whole.stdout);
  t.regex(whole.stdout, /^not ok - files that never ran: deep[/\\]down[/\\]missed\.test\.ts$/m);
  t.regex(whole.stdout, /^1 passed, 1 failed$/m);
  const named = runIn(project, ['ends.test.js']);
  t.is(named.status, 0, named.stdout);
  t.regex(named.stdout, /^1 passed, 0 failed$/m);
});

test('the patterns of package.json select every test file of the repository', (t) => {
  const existing = existingTestFiles(root);
  t.true(existing.length > 400, `${existing.length} files`);
  const selected = selectedTestFiles(root);
  t.deepEqual(
    existing.filter((file) => !selected.includes(file)),
    [],
  );
  t.deepEqual(
    selected.filter((file) => !existing.includes(file)),
    [],
  );
});
