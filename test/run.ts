/** Runs every test of the repository and closes with one line that sums all suites: `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a suite counted. */
interface Count {
  passed: number;
  failed: number;
}

/**
 * When no test has ended for so long, the run ends. Ava has a bound of its own, which it passes over while a test may take longer than that,
 * and does not come back to: a file that never ends would hold up the run for good.
 */
const silentMsMax = Number(process.env['TAPPAAS_SILENT_MS'] ?? (process.env['TAPPAAS_LONG'] === '1' ? 240 : 10) * 60_000);

/** Runs ava with its TAP reporter: readable for people line by line, and countable. */
async function runAva(files: readonly string[]): Promise<Count> {
  const count: Count = { passed: 0, failed: 0 };
  const begun = await mkdtemp(join(tmpdir(), 'tappaas-begun-'));
  const env = { ...process.env, TAPPAAS_BEGUN: begun };
  const child = spawn('ava', ['--tap', ...files], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  let silentMs = 0;
  const silence = setTimeout(() => {
    silentMs = silentMsMax;
    child.kill('SIGKILL');
  }, silentMsMax);
  for await (const line of createInterface({ input: child.stdout })) {
    silence.refresh();
    const result = /^(not )?ok \d+/.exec(line);
    if (result) count[result[1] ? 'failed' : 'passed'] += 1;
    const noise = /^(TAP version|1\.\.|# (tests|pass|fail|skip))/.test(line);
    if (!noise) process.stdout.write(`${line}\n`);
  }
  clearTimeout(silence);
  const code = await exited;
  const left = (await readdir(begun)).map(decodeURIComponent).toSorted();
  await rm(begun, { recursive: true, force: true });
  if (left.length > 0) {
    const why = silentMs > 0 ? `no test has ended for ${silentMs / 1000} s` : 'ava has cut them off';
    process.stdout.write(`not ok - files that have not come to their end, as ${why}: ${left.join(', ')}\n`);
    count.failed += 1;
  }
  if (code !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

const count = await runAva(process.argv.slice(2));
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
