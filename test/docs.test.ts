/** What the documentation says is true: links lead somewhere, code compiles, commands exist, reference pages are as generated. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import test from 'ava';
import { buildSchema, parse, validate } from 'graphql';
import { parseDocument } from 'yaml';
import { allErrors, declaredErrors, referencePages } from '../.ci/reference.ts';
import { examplesOf, examplesOfFile, pagesOf, ran, ranOutside } from './page-examples.ts';

const root = resolve(import.meta.dirname, '..');

async function pages(): Promise<readonly string[]> {
  const below = async (folder: string) => {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    return entries
      .filter(({ name, parentPath }) => name.endsWith('.md') && !parentPath.includes('node_modules'))
      .map(({ name, parentPath }) => join(parentPath, name));
  };
  const top = (await readdir(root)).filter((name) => name.endsWith('.md')).map((name) => join(root, name));
  return [...top, ...(await Promise.all(['docs', 'examples', 'plugins', 'core', 'sdk'].map(below))).flat()];
}

/** Every source file below the folders, with its text. */
async function sourcesBelow(...folders: readonly string[]): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const below = async (folder: string) => {
    const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    const paths = entries.filter((path) => path.endsWith('.ts')).map((path) => `${folder}/${path}`);
    return Promise.all(paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })));
  };
  return (await Promise.all(folders.map(below))).flat();
}

interface Block {
  readonly page: string;
  readonly language: string;
  readonly code: string;
  /** The file that the line above names. */
  readonly file?: string;
}

async function blocks(language: string): Promise<readonly Block[]> {
  const all = await Promise.all(
    (await pages()).map(async (page) => {
      const text = await readFile(page, 'utf8');
      return [...text.matchAll(/(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, file, found = '', code = '']) => ({
        page: relative(root, page),
        language: found,
        code,
        ...(file === undefined ? {} : { file }),
      }));
    }),
  );
  return all.flat().filter((block) => block.language === language);
}

test('every relative link leads to a file or folder', async (t) => {
  const broken: string[] = [];
  for (const page of await pages()) {
    const text = (await readFile(page, 'utf8')).replace(/^```[\s\S]*?^```$/gm, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:|^#/.test(target)) continue;
      const path = resolve(dirname(page), target.split('#')[0] ?? '');
      if (!(await stat(path).catch(() => undefined))) broken.push(`${relative(root, page)}: ${target}`);
    }
  }
  t.deepEqual(broken, []);
});

test('every YAML block parses, with unique keys', async (t) => {
  const wrong = (await blocks('yaml')).flatMap(({ page, code }) => parseDocument(code).errors.map((error) => `${page}: ${error.message}`));
  t.deepEqual(wrong, []);
});

test('every TypeScript block of the documentation compiles against the published names', async (t) => {
  // One compilation of everything: tens of seconds of processor time, and other tests run beside it.
  t.timeout(600_000);
  const scratch = await mkdtemp(join(root, 'test', '.docs-'));
  try {
    // Those that are whole files are built together: test/third-party-plugin.test.ts.
    const found = (await blocks('ts')).filter(({ file }) => file === undefined);
    await mkdir(join(scratch, 'src'));
    const names = found.map(({ code }, index) => /id: '([\w-]+)'/.exec(code)?.[1] ?? `block-${index}`);
    await Promise.all(found.map(({ code }, index) => writeFile(join(scratch, 'src', `${names[index]}.ts`), `${code}\nexport {};\n`)));
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      lib: ['es2024', 'esnext.disposable'],
    };
    await writeFile(join(scratch, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
    const result = spawnSync('tsc', ['-p', scratch], { encoding: 'utf8' });
    t.is(result.stdout, '');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});

test('every plugin of the documentation that has settings has an example of them, without which it cannot be built', async (t) => {
  const plugins = (await blocks('ts')).filter(({ code }) => code.includes('definePlugin({') && /^  config: /m.test(code));
  t.true(plugins.length > 0);
  t.deepEqual(
    plugins.filter(({ code }) => !/^  example: /m.test(code)).map(({ page, code }) => `${page}: ${/id: '([\w-]+)'/.exec(code)?.[1]}`),
    [],
  );
});

test('every GraphQL document of the documentation is one that the published schema answers', async (t) => {
  const schema = buildSchema(await readFile(join(root, 'docs/reference/schema.graphql'), 'utf8'));
  const shown = await blocks('graphql');
  t.true(shown.length > 0);
  for (const { page, code } of shown) {
    t.deepEqual(
      validate(schema, parse(code)).map(({ message }) => message),
      [],
      page,
    );
  }
});

test('every tappaas command that the documentation shows exists, and is written as the pages say', async (t) => {
  const { commands } = (await import('../core/dist/cli/commands.js')) as { commands: readonly { name: string }[] };
  const known = new Set(commands.map(({ name }) => name));
  const shown = (await blocks('sh')).flatMap(({ page, code }) =>
    [...code.matchAll(/tappaas ([a-z-]+)/g)].map(([, name = '']) => ({ page, name })),
  );
  t.true(shown.length > 0);
  t.deepEqual(
    shown.filter(({ name }) => !known.has(name)),
    [],
  );
  const others = (await blocks('sh')).filter(({ code }) => code.includes('npx tappaas'));
  t.deepEqual(others, [], 'the first line of "Before you begin" makes tappaas enough');
});

test('every command, program and query that a page of docs shows is run by a test, or the page says why not', async (t) => {
  const languages = [...new Set(Object.values(ran).flat())];
  const all = await readdir(join(root, 'docs'), { recursive: true });
  const shown = all
    .filter((path) => path.endsWith('.md'))
    .flatMap((page) => examplesOf(page, languages).map((example) => ({ page, ...example })));
  t.true(shown.length > 50 && shown.some(({ isMarked }) => isMarked));
  const missed = shown.filter(({ page, language, isMarked }) => !isMarked && !ran[dirname(page)]?.includes(language));
  t.deepEqual(
    missed.map(({ page, code }) => `${page}: ${code}`),
    [],
  );
});

test('every block of commands outside of docs is run by a test, or the page says why not', async (t) => {
  const outside = (await pages()).map((page) => relative(root, page)).filter((page) => !page.startsWith('docs/'));
  const shown = outside.flatMap((page) => examplesOfFile(page, ['sh', 'bash', 'shell', 'console']).map((each) => ({ page, ...each })));
  t.true(ranOutside.every((page) => shown.some((each) => each.page === page && !each.isMarked)));
  const missed = shown.filter(({ page, isMarked }) => !isMarked && !ranOutside.includes(page));
  t.deepEqual(
    missed.map(({ page, code }) => `${page}: ${code}`),
    [],
  );
});

test('every page for consumers, operators and authors says in its first lines what it starts from', async (t) => {
  for (const page of [...pagesOf('consumers'), ...pagesOf('operators')]) {
    const [, first = ''] = (await readFile(join(root, 'docs', page), 'utf8')).split('\n\n');
    t.regex(first, /^## Before you begin$|^Start here: \[Before you begin\]\(README\.md#before-you-begin\)\.$/, page);
  }
  for (const page of pagesOf('authors')) {
    const [, first = ''] = (await readFile(join(root, 'docs', page), 'utf8')).split('\n\n');
    t.regex(first, page === 'authors/README.md' ? /^Start here with / : /^Start here: \[Writing a plugin\]\(README\.md\)\./, page);
  }
});

test('the reference pages are what the code declares', async (t) => {
  for (const [name, text] of Object.entries(await referencePages())) {
    t.is(await readFile(join(root, 'docs', name), 'utf8').catch(() => 'missing'), text, `docs/${name} is stale: run node .ci/reference.ts`);
  }
});

test('every setting says what it does, inside of sections too', async (t) => {
  const rows = (await referencePages())['reference/plugins.md']?.match(/^\| `.*$/gm) ?? [];
  t.true(
    rows.some((row) => row.startsWith('| `flow.tenant.perSecond` |')) && rows.some((row) => row.startsWith('| `sinks.NAME.gatherMs` |')),
  );
  t.deepEqual(
    rows.filter((row) => !/ \| [A-Z].{5,}[.:] \|$/.test(row) && !/ \| \w+: .{5,}\. \|$/.test(row)),
    [],
  );
});

/** By the words in names. */
const units: Readonly<Record<string, RegExp>> = {
  Ms: /\bms\b|milliseconds/,
  Seconds: /seconds/,
  Hours: /hours/,
  Days: /days/,
  Bytes: /bytes/i,
  PerSecond: /(?:a|per) second/,
  PerMinute: /(?:a|per) minute/,
};

test('every setting says its unit where its name has one, and what holds where it has no default', async (t) => {
  const page = (await referencePages())['reference/plugins.md'] ?? '';
  const rows = [...page.matchAll(/^\| `(\S+)` \| (.*) \| (.*) \| (.*) \|$/gm)].map(
    ([, name = '', type = '', byDefault = '', what = '']) => ({
      name,
      type,
      byDefault,
      what,
    }),
  );
  t.true(rows.length > 100);
  const isSection = (name: string): boolean => rows.some((row) => row.name.startsWith(`${name}.`));
  const wrong = rows.flatMap(({ name, type, byDefault, what }) => {
    const last = (name.split('.').at(-1) ?? '').replace(/^[a-z]/, (letter) => letter.toUpperCase());
    const unit = Object.keys(units).find((each) => new RegExp(`${each}(Max)?$`).test(last) && /^(integer|number)/.test(type));
    const hasUnit = unit === undefined || units[unit]?.test(what);
    const hasDefault = byDefault !== '' || isSection(name) || /\bDefault: |\babsent: |\bwithout one\b/.test(what);
    return hasUnit && hasDefault ? [] : [`${name}: ${what}`];
  });
  t.deepEqual(wrong, []);
});

test('every error code has an imperative remedy and a form that says whose it is', async (t) => {
  for (const { code, spec } of await allErrors()) {
    t.regex(code, /^[A-Z]+(_[A-Z0-9]+)+$/);
    t.regex(spec.remedy, /^[A-Z].*\.$/, code);
  }
});

test('no error code is declared twice with different meanings', async (t) => {
  const specs = new Map<string, Set<string>>();
  for (const { code, spec } of await declaredErrors()) {
    const { httpStatus, blame, retry, remedy } = spec;
    specs.set(code, (specs.get(code) ?? new Set()).add(JSON.stringify({ httpStatus, blame, retry, remedy })));
  }
  t.true(specs.size > 50);
  t.deepEqual(Object.fromEntries([...specs].filter(([, found]) => found.size > 1).map(([code, found]) => [code, [...found]])), {});
});

test('every table of error codes stands in a file named errors, where the reference finds it', async (t) => {
  const sources = await sourcesBelow('sdk/src', 'core/src', ...(await readdir(join(root, 'plugins'))).map((name) => `plugins/${name}/src`));
  const elsewhere = sources.filter(
    ({ path, text }) => /= (errorTable|defineErrors)\(/.test(text.replace(/^ \*.*$/gm, '')) && !/(^|[/-])errors\.ts$/.test(path),
  );
  t.deepEqual(
    elsewhere.map(({ path }) => path),
    [],
  );
});

const exported = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export (?:abstract )?(?:async )?(?:const|function|class|interface|type) (\w+)/gm;
const exportedFunction = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export (?:async )?function (\w+)[\s\S]*?^}/gm;

/** The first sentence or paragraph of a doc comment, without its stars. */
function summaryOf(comment: string): string {
  const text = comment
    .replace(/\s*\*\/\s*$/, '')
    .replaceAll(/^\/\*\*|^ \* ?/gm, '')
    .trim();
  return text.split(/\n\n|\s@(?:throws|source|example|failure)\b/)[0] ?? '';
}

test('every export of the SDK has a doc comment that begins with a full sentence, and tells what it throws', async (t) => {
  const wrong: string[] = [];
  let seen = 0;
  for (const { path, text } of await sourcesBelow('sdk/src')) {
    // Generated from Kubernetes' own descriptions.
    if (path === 'sdk/src/kubernetes.ts') continue;
    for (const [, comment = '', name = ''] of text.matchAll(exported)) {
      seen += 1;
      if (!/^["`]?[A-Z0-9][\s\S]{8,}[.:]$/.test(summaryOf(comment))) wrong.push(`${path}: ${name} lacks a sentence`);
    }
    for (const [code = '', comment = '', name = ''] of text.matchAll(exportedFunction)) {
      const throwsOwn = /throw (?!error;)/.test(code.slice(comment.length));
      if (throwsOwn && !comment.includes('@throws')) wrong.push(`${path}: ${name} throws, and no @throws says what`);
    }
  }
  t.true(seen > 200, `${seen} exports`);
  t.deepEqual(wrong, []);
});

test('every folder of core/src and every plugin has a README of at most 25 lines with its invariants', async (t) => {
  const entries = await readdir(join(root, 'core/src'), { recursive: true, withFileTypes: true });
  const sources = Map.groupBy(
    entries.filter(({ name }) => name.endsWith('.ts')),
    ({ parentPath }) => relative(root, parentPath),
  );
  // A part of a stage that has two files is told in the README above it.
  const isDescribedAbove = (folder: string): boolean => dirname(folder) !== join('core', 'src') && (sources.get(folder)?.length ?? 0) <= 2;
  const folders = [
    'core',
    ...entries
      .filter((entry) => entry.isDirectory())
      .map(({ name, parentPath }) => relative(root, join(parentPath, name)))
      .filter((folder) => !isDescribedAbove(folder)),
    ...(await readdir(join(root, 'plugins'))).map((name) => `plugins/${name}`),
  ];
  for (const folder of folders) {
    const text = await readFile(join(root, folder, 'README.md'), 'utf8').catch(() => '');
    t.regex(text, /\*\*Invariant:\*\*/, `${folder}/README.md names its invariants`);
    t.true(text.trimEnd().split('\n').length <= 25, `${folder}/README.md is at most 25 lines`);
  }
});

test('every decision has a number of its own and a status, and one that changes another is named there', async (t) => {
  const files = (await readdir(join(root, 'docs/decisions'))).filter((name) => name !== 'README.md').toSorted();
  const statuses = new Map<string, string>();
  for (const file of files) {
    const [title = '', , status = ''] = (await readFile(join(root, 'docs/decisions', file), 'utf8')).split('\n');
    const number = file.slice(0, 4);
    t.false(statuses.has(number), `two decisions have the number ${number}`);
    statuses.set(number, status);
    t.true(title.startsWith(`# ${number}: `), `${file}: ${title}`);
    t.regex(status, /^(?:\*\*)?Status:(?:\*\*)? (?:accepted|superseded|replaced)\b/, file);
  }
  const changes = /\b(?:replaces|supersedes|takes the place|changes|amends|refines|adds to)\b[^;]*?\b(\d{4})\b/g;
  const unnamed = [...statuses].flatMap(([number, status]) =>
    [...status.matchAll(changes)].flatMap(([, of = '']) => (statuses.get(of)?.includes(number) ? [] : [`${of} does not name ${number}`])),
  );
  t.deepEqual(unnamed, []);
});
