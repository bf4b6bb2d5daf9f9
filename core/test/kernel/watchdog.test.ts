import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Ran {
  readonly code: number | null;
  /** Lines of both outputs in the order in which they came. */
  readonly lines: readonly string[];
}

function run(name: string, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script(name), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    const take = (text: Buffer): void => void lines.push(...String(text).split('\n').filter(Boolean));
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, lines }));
  });
}

for (const how of ['stop', 'exit'] as const) {
  test(`a plugin that blocks the event loop for 2 s is named while it does, and a process that ends by ${how} ends cleanly`, async (t) => {
    const { code, lines } = await run('blocking-process.ts', how);
    t.is(code, 0, lines.join('\n'));
    const live = lines.findIndex((line) =>
      /^the event loop has been blocked for \d+ ms by plugin culprit in admission\.validate$/.test(line),
    );
    const after = lines.findIndex((line) => line.startsWith('after'));
    t.true(live > lines.indexOf('before') && live < after, lines.join('\n'));
    t.true(lines.some((line) => line.includes('computeForever')));
    t.is(lines[after], 'after []', 'who merely waited meanwhile is not cut off');
    t.true(lines.includes('breaker failures: culprit 1, innocent 0'), lines.join('\n'));
    const told = lines.find((line) => line.startsWith('error plugin culprit blocked the event loop for')) ?? '';
    const counted = lines.find((line) => line.startsWith('tappaas_event_loop_blocked_seconds_total{plugin="culprit"}')) ?? '';
    const blockedMs = Number(/(\d+) ms$/.exec(told)?.[1]);
    t.true(blockedMs > 1500 && blockedMs < 10_000, lines.join('\n'));
    t.is(Number(counted.split(' ').at(-1)), blockedMs / 1000);
    t.false(lines.some((line) => line.includes('debugger')));
  });
}

test('a setup that never returns is named while it hangs', async (t) => {
  const child = spawn(process.execPath, [script('hanging-setup-process.ts')], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const told = await new Promise<string>((resolve) => child.stderr.once('data', (text: Buffer) => resolve(String(text))));
  t.regex(told, /^the event loop has been blocked for \d+ ms by plugin stuck in setup\n/);
});

test('errors that nobody caught are those of the plugin that started them', async (t) => {
  const { code, lines } = await run('uncaught-process.ts');
  t.is(code, 0);
  t.deepEqual(lines, ['Error: lost in a promise of careless', 'Error: lost in a timer of careless']);
});
