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

// The usual run and CI draw the same every time: a failure stands for what has changed, and what is new is for the long run to find. Of an
// assertion of ava within a property ava tells only where it failed: with what, and how to see it again, is told beside it.
if (readFileSync(file, 'utf8').includes("from 'fast-check'")) {
  const { configureGlobal, defaultReportMessage } = await import('fast-check');
  const report = (details: Parameters<typeof defaultReportMessage>[0]): void => {
    const message = defaultReportMessage(details);
    if (message === undefined) return;
    process.stderr.write(`${message}\n`);
    throw new Error(message, { cause: details.errorInstance });
  };
  const given = process.env['TAPPAAS_SEED'] ?? (process.env['TAPPAAS_LONG'] === '1' ? undefined : '1');
  configureGlobal({ ...(given !== undefined && { seed: Number(given) }), reporter: report });
}
