/** A run of all tests leaves out none of them, and ends also when one of them does not. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { RunRecord } from './run-record.ts';
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

test('a file that never ends is named, and the run fails instead of waiting for it, or for what it has begun', async (t) => {
  t.timeout(180_000);
  const project = await projectOf(t, {
    'ends.test.js': passing,
    'stays.test.js': `import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      import { createServer } from 'node:net';
      ${passing}
      createServer().listen(0, '127.0.0.1');
      writeFileSync('pid', String(spawn('sleep', ['600'], { stdio: 'inherit' }).pid));\n`,
  });
  const { status, stdout } = runIn(project, [], { TAPPAAS_SILENT_MS: '20000' });
  process.kill(Number(await readFile(join(project, 'pid'), 'utf8')));
  t.is(status, 1, stdout);
  t.regex(stdout, /^not ok - files that have not come to their end, as no test has ended for 20 s: stays\.test\.js$/m);
  t.regex(stdout, /^# ended in stays\.test\.js:\n {2}ok \d+ - stays › it passes\n2 passed, 1 failed\n$/m);
});

test('a test that is skipped does not count as passed, and is named', async (t) => {
  t.timeout(180_000);
  const skipping = "import test from 'ava';\ntest.skip('it needs a server', (t) => t.fail());\ntest('it runs', (t) => t.pass());\n";
  const { status, stdout } = runIn(await projectOf(t, { 'skips.test.js': skipping }));
  t.is(status, 0, stdout);
  t.regex(stdout, /^# skipped, neither passed nor failed:\n {2}it needs a server\n1 passed, 0 failed\n$/m);
});

test('what has failed is told again at the end, however long the run', async (t) => {
  t.timeout(180_000);
  const long = `import test from 'ava';
    test('it is long', (t) => t.deepEqual([], Array.from({ length: 90 }, (_, index) => index)));
    for (let index = 1; index < 30; index += 1) test(\`it fails \${index}\`, (t) => t.fail());\n`;
  const project = await projectOf(t, {
    'fails.test.js': "import test from 'ava';\ntest('it says why', (t) => t.is(1, 2, 'one is not two'));\n",
    'long.test.js': long,
  });
  const { stdout } = runIn(project, ['long.test.js']);
  const [, end = ''] = stdout.split(/^# what failed:$/m);
  t.notRegex(end, /^(not )?ok /m, 'told again, and not counted again');
  t.is([...end.matchAll(/^ {2}not ok \d+ - /gm)].length, 20);
  t.regex(end, /^ {2}… and \d+ more lines$/m);
  t.regex(end, /^ {2}… and 10 more tests\n0 passed, 30 failed\n$/m);
  const { stdout: short } = runIn(project, ['fails.test.js']);
  t.regex(
    short,
    /^# what failed:\n {2}not ok 1 - it says why\n[^]*message: one is not two[^]* {4}\.\.\.\n# failed:\n {2}it says why\n0 passed, 1 failed\n$/m,
  );
});

test('with a failed test stands what was printed just before, and with no other', (t) => {
  const record = new RunRecord();
  record.output('of another');
  record.report('ok 1 - it passes');
  for (let line = 1; line <= 12; line += 1) record.output(`line ${line}`);
  record.report('not ok 2 - it fails');
  t.deepEqual(record.failures(), ['  not ok 2 - it fails', ...Array.from({ length: 10 }, (_, index) => `  # line ${index + 3}`)]);
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
