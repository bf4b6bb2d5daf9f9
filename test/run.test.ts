/** How the run of all tests ends when one of them does not. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const root = join(import.meta.dirname, '..');

test('a file that never ends is named, and the run fails instead of waiting for it', async (t) => {
  t.timeout(180_000);
  const project = await mkdtemp(join(tmpdir(), 'tappaas-run-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
  const ava = { files: ['*.test.js'], require: [join(root, 'test/before-file.ts')], timeout: '1h' };
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', ava }));
  const passing = "import test from 'ava';\ntest('it passes', (t) => t.pass());\n";
  await writeFile(join(project, 'ends.test.js'), passing);
  await writeFile(
    join(project, 'stays.test.js'),
    `import { createServer } from 'node:net';\n${passing}createServer().listen(0, '127.0.0.1');\n`,
  );
  const env = { ...process.env, TAPPAAS_SILENT_MS: '20000' };
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'test/run.ts')], { cwd: project, env, encoding: 'utf8' });
  t.is(status, 1, stdout);
  t.regex(stdout, /^not ok - files that have not come to their end, as no test has ended for 20 s: stays\.test\.js$/m);
  t.regex(stdout, /^2 passed, 1 failed$/m);
});
