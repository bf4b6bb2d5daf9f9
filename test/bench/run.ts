/**
 * Runs every benchmark beside its peers and prints one table: `npm run bench`, or `npm run bench -- --smoke` for a short look that only
 * shows that everything runs, or `npm run bench -- store queue` for some. All but the short look write what they measured to docs/benchmarks.json and .md.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { BenchmarkRow } from './row.ts';

interface Benchmark {
  run(options: { readonly smoke: boolean }): Promise<readonly BenchmarkRow[]>;
}

const words = process.argv.slice(2);
const smoke = words.includes('--smoke');
const wanted = words.filter((word) => !word.startsWith('--'));
const notBenchmarks = new Set(['run.ts', 'row.ts']);

async function benchmarks(): Promise<readonly { name: string; benchmark: Benchmark }[]> {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith('.ts') && !notBenchmarks.has(file)).toSorted();
  const loaded = await Promise.all(
    files.map(async (file) => ({
      name: file.replace('.ts', ''),
      benchmark: (await import(join(import.meta.dirname, file))) as Partial<Benchmark>,
    })),
  );
  return loaded.flatMap(({ name, benchmark: { run } }) =>
    run && (wanted.length === 0 || wanted.includes(name)) ? [{ name, benchmark: { run } }] : [],
  );
}

const number = (value: number) => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3))));

function table(rows: readonly BenchmarkRow[]): string {
  const head = '| what | figure | peer | ratio | target |\n|---|---|---|---|---|';
  const lines = rows.map(
    ({ name, value, unit, peer, ratio, target }) =>
      `| ${name} | ${number(value)} ${unit} | ${peer ?? ''} | ${ratio === undefined ? '' : `${number(ratio)}×`} | ${target ?? ''} |`,
  );
  return [head, ...lines].join('\n');
}

const sections: { name: string; rows: readonly BenchmarkRow[] }[] = [];
for (const { name, benchmark } of await benchmarks()) {
  process.stderr.write(`${name} …\n`);
  const rows = await benchmark.run({ smoke });
  sections.push({ name, rows });
  process.stdout.write(`\n${name}\n${table(rows)}\n`);
}

if (!smoke) {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryBytes: totalmem(), node: process.versions.node };
  const docs = join(import.meta.dirname, '../../docs');
  const before = await readFile(join(docs, 'benchmarks.json'), 'utf8').then(
    (text) => (JSON.parse(text) as { sections: typeof sections }).sections,
    () => [],
  );
  const results = before.filter(({ name }) => !sections.some((section) => section.name === name));
  const all = [...results, ...sections].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await writeFile(join(docs, 'benchmarks.json'), `${JSON.stringify({ machine, sections: all }, null, 2)}\n`);
  const intro = `# Benchmarks\n\nWritten by \`npm run bench\`: every figure beside its peer in the same run. Ratios are steadier than absolute figures.\n\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.\n`;
  await writeFile(join(docs, 'benchmarks.md'), `${intro}\n${all.map(({ name, rows }) => `## ${name}\n\n${table(rows)}\n`).join('\n')}`);
}
process.exit(0);
