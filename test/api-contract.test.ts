/** The page of promises names tests: each must exist, and a promise without one must say why. */
import { readFile } from 'node:fs/promises';
import { join, normalize, resolve } from 'node:path';
import test from 'ava';
import { selectedTestFiles } from './test-files.ts';

const root = resolve(import.meta.dirname, '..');
const page = 'docs/contributing/api-contract.md';

interface Row {
  readonly promise: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly reason: string;
}

/** `file` “title” “title”, once per file. */
function testsIn(cell: string): Row['tests'] {
  return [...cell.matchAll(/`([^`]+)`((?: “[^”]+”)+)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  );
}

async function rows(): Promise<readonly Row[]> {
  const lines = (await readFile(join(root, page), 'utf8')).split('\n').filter((line) => /^\| (?!promise \|)/.test(line));
  return lines.map((line) => {
    const [promise = '', held = '', reason = ''] = line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    return { promise, tests: testsIn(held), reason };
  });
}

/** Whether a source has a test of that title: `test('…'` or another runner's name before the bracket, in any quotes. */
function hasTest(source: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) =>
    new RegExp(`\\b(?:test(?:\\.serial)?|session)\\(\\s*${RegExp.escape(quote + title + quote)}`).test(source),
  );
}

test('every test that a promise of the API names exists, in a file that npm test runs', async (t) => {
  const missing: string[] = [];
  const selected = new Set(selectedTestFiles(root));
  let seen = 0;
  for (const { promise, tests } of await rows()) {
    for (const { file, title } of tests) {
      seen += 1;
      const source = await readFile(join(root, file), 'utf8').catch(() => '');
      if (!hasTest(source, title)) missing.push(`${promise}: ${file} has no test “${title}”`);
      else if (!selected.has(normalize(file))) missing.push(`${promise}: npm test does not run ${file}`);
    }
  }
  t.true(seen > 150, `${seen} tests are named`);
  t.deepEqual(missing, []);
});

test('every promise of the API has a test, or says why it has none', async (t) => {
  const all = await rows();
  t.true(all.length > 100, `${all.length} promises`);
  t.deepEqual(
    all.filter(({ tests, reason }) => tests.length === 0 && !/[.)]$/.test(reason)).map(({ promise }) => promise),
    [],
  );
});
