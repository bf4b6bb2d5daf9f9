/** Loaded before each test file. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const file = fileURLToPath(test.meta.file);

// Notes for `run.ts` that the file has begun and, when its process or thread exits by itself, that it has ended.
const directory = process.env['TAPPAAS_RUN'];
if (directory !== undefined) {
  const name = encodeURIComponent(relative(process.cwd(), file));
  writeFileSync(join(directory, 'running', name), '');
  process.once('exit', () => renameSync(join(directory, 'running', name), join(directory, 'ended', name)));
}

// Of a failed assertion within a property, ava prints only where it failed: fast-check's own message, with the drawn values, the seed and the
// path to them, is printed beside it.
if (readFileSync(file, 'utf8').includes("from 'fast-check'")) {
  const { configureGlobal, defaultReportMessage } = await import('fast-check');
  const report = (details: Parameters<typeof defaultReportMessage>[0]): void => {
    const message = defaultReportMessage(details);
    if (message === undefined) return;
    process.stderr.write(`${message}\n`);
    throw new Error(message, { cause: details.errorInstance });
  };
  const { seed } = await import('./seed.ts');
  configureGlobal({ seed, reporter: report });
}
