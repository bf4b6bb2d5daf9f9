/** Loaded before each test file. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const file = fileURLToPath(test.meta.file);

// A file of its name, for as long as it runs: `run.ts` can say which have not come to their end.
const directory = process.env['TAPPAAS_BEGUN'];
if (directory !== undefined) {
  const begun = join(directory, encodeURIComponent(relative(process.cwd(), file)));
  writeFileSync(begun, '');
  process.once('exit', () => rmSync(begun, { force: true }));
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
