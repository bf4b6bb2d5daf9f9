/** Runs every test of the repository and closes with one line that sums all suites: `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RunRecord } from './run-record.ts';
import { existingTestFiles } from './test-files.ts';

/** What `before-file.ts` has noted of the files of a run. */
interface Marks {
  readonly running: readonly string[];
  readonly ended: readonly string[];
}

/**
 * The run ends when no test has ended for this long, and names the files that were running. Ava's own limit in package.json is longer, since
 * ava 8's TAP reporter fails on it and the run ends without a word; ava also drops that limit for good once a test sets one (`t.timeout`).
 */
const silentMsMax = Number(process.env['TAPPAAS_SILENT_MS'] ?? (process.env['TAPPAAS_LONG'] === '1' ? 240 : 10) * 60_000);

/** How long after the end of ava what it has printed may still be under way. */
const lastWordsMsMax = 5_000;

/** How a run went. */
interface Outcome {
  readonly record: RunRecord;
  readonly marks: Marks;
  readonly code: number;
  /** Above 0 when the run was cut short because no test ended for so long. */
  readonly silentMs: number;
}

/** Runs ava with its TAP reporter: readable for people line by line, and countable. */
async function runAva(files: readonly string[]): Promise<Outcome> {
  const record = new RunRecord();
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-run-'));
  for (const mark of ['running', 'ended']) await mkdir(join(directory, mark));
  const env = { ...process.env, TAPPAAS_RUN: directory };
  const child = spawn('ava', ['--tap', ...files], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  let silentMs = 0;
  const silence = setTimeout(() => {
    silentMs = silentMsMax;
    child.kill('SIGKILL');
  }, silentMsMax);
  const report = createInterface({ input: child.stdout });
  createInterface({ input: child.stderr }).on('line', (line) => {
    record.output(line);
    process.stderr.write(`${line}\n`);
  });
  // What a test has begun and not ended may hold the other ends of the pipes.
  const letGo = (): void => {
    report.close();
    for (const stream of child.stdio) stream?.destroy();
  };
  child.once('exit', () => setTimeout(letGo, lastWordsMsMax).unref());
  for await (const line of report) {
    silence.refresh();
    if (/^(TAP version|1\.\.|# (tests|pass|fail|skip))/.test(line)) continue;
    record.report(line);
    process.stdout.write(`${line}\n`);
  }
  clearTimeout(silence);
  const code = await exited;
  const marks = { running: await namesIn(join(directory, 'running')), ended: await namesIn(join(directory, 'ended')) };
  await rm(directory, { recursive: true, force: true });
  return { record, marks, code, silentMs };
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).map(decodeURIComponent).toSorted();
}

/** What is wrong with a run though no test has failed: lines that begin with `not ok`, each followed by what belongs to it. */
function problemsOf({ record, marks: { running, ended }, silentMs }: Outcome, isWhole: boolean): readonly string[] {
  const problems: string[] = [];
  const begun = new Set([...running, ...ended]);
  if (running.length > 0) {
    const why = silentMs > 0 ? `no test has ended for ${silentMs / 1000} s` : 'ava has cut them off';
    problems.push(`not ok - files that have not come to their end, as ${why}: ${running.join(', ')}`);
    for (const file of running) problems.push(`# ended in ${file}:`, ...record.resultsOf(file, begun.size === 1));
  }
  const missed = isWhole && silentMs === 0 ? existingTestFiles(process.cwd()).filter((file) => !begun.has(file)) : [];
  if (missed.length > 0) problems.push(`not ok - files that never ran: ${missed.join(', ')}`);
  return problems;
}

const files = process.argv.slice(2);
const outcome = await runAva(files);
const { record, code } = outcome;
const problems = problemsOf(outcome, files.length === 0);
const counted = record.failed + problems.filter((line) => line.startsWith('not ok')).length;
const failed = code !== 0 && counted === 0 ? 1 : counted;
if (record.failed > 0) process.stdout.write(['# what failed:', ...record.failures(), '# failed:', ...record.failedTitles(), ''].join('\n'));
if (record.skipped > 0) process.stdout.write(['# skipped, neither passed nor failed:', ...record.skippedTitles(), ''].join('\n'));
process.stdout.write([...problems, `${record.passed} passed, ${failed} failed`, ''].join('\n'));
process.exitCode = failed > 0 || record.passed + record.skipped === 0 ? 1 : 0;
