import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { endProcess } from '../../../test/end-process.ts';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Ran {
  readonly code: number | null;
  /** Lines of both outputs in the order in which they came. */
  readonly lines: readonly string[];
}

/** `received` is told each time when more was said, with all lines so far. */
function run(
  t: ExecutionContext,
  name: string,
  words: readonly string[] = [],
  received: (lines: readonly string[]) => void = () => {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script(name), ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => endProcess(child));
    const lines: string[] = [];
    const take = (text: Buffer): void => {
      lines.push(...String(text).split('\n').filter(Boolean));
      received(lines);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, lines }));
  });
}

const namesTheCulprit = (line: string): boolean =>
  /^the event loop has been blocked for \d+ ms by plugin culprit in admission\.validate$/.test(line);

const msIn = (line = ''): number => Number(/(\d+) ms/.exec(line)?.[1]);

for (const how of ['stop', 'exit'] as const) {
  test(`a plugin that blocks the event loop is named while it does, and a process that ends by ${how} ends cleanly`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'tappaas-watchdog-'));
    t.teardown(() => rm(directory, { recursive: true }));
    const reported = join(directory, 'told');
    // It goes on blocking until its name has been read here.
    const { code, lines } = await run(t, 'blocking-process.ts', [how, reported], (all) => {
      if (all.some(namesTheCulprit)) void writeFile(reported, '');
    });
    t.is(code, 0, lines.join('\n'));
    const live = lines.findIndex(namesTheCulprit);
    const after = lines.findIndex((line) => line.startsWith('after'));
    t.true(live > lines.indexOf('before') && live < after, lines.join('\n'));
    t.true(msIn(lines[live]) >= 500);
    t.true(lines.some((line) => line.includes('computeForever')));
    t.is(lines[after], 'after []', 'who merely waited meanwhile is not cut off');
    t.true(lines.includes('breaker failures: culprit 1, innocent 0'), lines.join('\n'));
    const logged = lines.find((line) => line.startsWith('error plugin culprit blocked the event loop for'));
    const counted = lines.find((line) => line.startsWith('tappaas_event_loop_blocked_seconds_total{plugin="culprit"}')) ?? '';
    t.true(msIn(logged) >= msIn(lines[live]), lines.join('\n'));
    t.is(Number(counted.split(' ').at(-1)), msIn(logged) / 1000);
    t.false(lines.some((line) => line.includes('debugger')));
  });
}

test('a setup that never returns is named while it hangs', async (t) => {
  const child = spawn(process.execPath, [script('hanging-setup-process.ts')], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => endProcess(child));
  let reported = '';
  for await (const text of child.stderr) {
    reported += String(text);
    if (/^the event loop has been blocked for \d+ ms by plugin stuck in setup$/m.test(reported)) break;
  }
  t.is(child.exitCode, null, reported);
});

test('a process that was stopped for a while blames nobody', async (t) => {
  const child = spawn(process.execPath, [script('stopped-process.ts')], { stdio: 'pipe' });
  t.teardown(() => endProcess(child));
  const reported: string[] = [];
  let received: () => void = () => {};
  child.stdout.on('data', (text: Buffer) => {
    reported.push(...String(text).split('\n').filter(Boolean));
    received();
  });
  const said = (count: number) =>
    new Promise<void>((resolve) => {
      received = () => reported.length >= count && resolve();
      received();
    });
  await said(1);
  child.stdin.write('300');
  await said(2);
  child.kill('SIGSTOP');
  await setTimeout(900);
  child.kill('SIGCONT');
  await said(3);
  child.stdin.write('800');
  await said(6);
  const lines = reported.map((line) => line.replace(/\d+/, 'N'));
  t.deepEqual(lines.slice(0, 4), ['looking', 'busy', 'idle', 'busy']);
  // They come from two threads.
  t.deepEqual(lines.slice(4).toSorted(), ['blocked for N ms', 'idle']);
});

test('errors that nobody caught are those of the plugin that started them', async (t) => {
  const { code, lines } = await run(t, 'uncaught-process.ts');
  t.is(code, 0);
  t.deepEqual(lines, ['Error: lost in a promise of careless', 'Error: lost in a timer of careless']);
});
