/** Runs every test of the repository and closes with one line that sums all suites: `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What a suite counted. */
interface Count {
  passed: number;
  failed: number;
}

/** Runs ava with its TAP reporter: readable for people line by line, and countable. */
async function runAva(files: readonly string[]): Promise<Count> {
  const count: Count = { passed: 0, failed: 0 };
  const child = spawn('ava', ['--tap', ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const result = /^(not )?ok \d+/.exec(line);
    if (result) count[result[1] ? 'failed' : 'passed'] += 1;
    const noise = /^(TAP version|1\.\.|# (tests|pass|fail|skip))/.test(line);
    if (!noise) process.stdout.write(`${line}\n`);
  }
  if ((await exited) !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

const count = await runAva(process.argv.slice(2));
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
