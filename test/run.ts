/** Runs every test of the repository and closes with one line that sums all suites: `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { existingTestFiles } from './test-files.ts';

/** What a suite counted. */
interface Count {
  passed: number;
  failed: number;
}

/** What `before-file.ts` has noted of the files of a run. */
interface Marks {
  readonly running: readonly string[];
  readonly ended: readonly string[];
}

/**
 * When no test has ended for so long, the run ends. Ava has a limit of its own, but while a test may take longer than that (`t.timeout`), ava
 * drops the limit and does not take it up again: a file that never ends would hold up the run for good.
 */
const silentMsMax = Number(process.env['TAPPAAS_SILENT_MS'] ?? (process.env['TAPPAAS_LONG'] === '1' ? 240 : 10) * 60_000);

/** Runs ava with its TAP reporter: readable for people line by line, and countable. */
async function runAva(files: readonly string[]): Promise<Count> {
  const count: Count = { passed: 0, failed: 0 };
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-run-'));
  for (const mark of ['running', 'ended']) await mkdir(join(directory, mark));
  const env = { ...process.env, TAPPAAS_RUN: directory };
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
  const marks = { running: await namesIn(join(directory, 'running')), ended: await namesIn(join(directory, 'ended')) };
  await rm(directory, { recursive: true, force: true });
  for (const problem of problemsOf(marks, silentMs, files.length === 0)) {
    process.stdout.write(`not ok - ${problem}\n`);
    count.failed += 1;
  }
  if (code !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).map(decodeURIComponent).toSorted();
}

/** What is wrong with a run though no test has failed. `silentMs` is above 0 when the run was cut short because no test ended for so long. */
function problemsOf({ running, ended }: Marks, silentMs: number, isWhole: boolean): readonly string[] {
  const problems: string[] = [];
  if (running.length > 0) {
    const why = silentMs > 0 ? `no test has ended for ${silentMs / 1000} s` : 'ava has cut them off';
    problems.push(`files that have not come to their end, as ${why}: ${running.join(', ')}`);
  }
  const begun = new Set([...running, ...ended]);
  const missed = isWhole && silentMs === 0 ? existingTestFiles(process.cwd()).filter((file) => !begun.has(file)) : [];
  if (missed.length > 0) problems.push(`files that never ran: ${missed.join(', ')}`);
  return problems;
}

const count = await runAva(process.argv.slice(2));
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
