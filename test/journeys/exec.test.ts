/** A person who looks into what runs, with commands beside the processes of an application. */
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runCommandLine } from '../../core/dist/cli/command-line.js';
import { eventually, platformHome, root, type PlatformHome } from '../platform-process.ts';

async function helloRuns(t: ExecutionContext): Promise<PlatformHome> {
  t.timeout(180_000);
  const home = await platformHome({
    plugins: { audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } } },
    first: join(root, 'examples/hello'),
  });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  return home;
}

/** Begins a command line whose input stays open until it is ended. */
function begin(home: PlatformHome, ...words: readonly string[]) {
  const child = home.begin(words);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>((done) =>
    child.once('close', (code, signal) => done({ code, signal, stdout, stderr })),
  );
  return { child, ended, stdout: () => stdout };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a command runs beside an application, with its output, input and exit code, and audit knows who ran it', async (t) => {
  const home = await helloRuns(t);
  const exec = (...words: readonly string[]) => home.tappaas('exec', 'hello', ...words);

  const failed = await exec('--', 'sh', '-c', 'echo out; echo err >&2; printf "%s\\n" "$1"; exit 7', 'x', '-n');
  t.deepEqual(failed, { code: 7, stdout: 'out\n-n\n', stderr: 'err\n' });
  t.regex((await exec('--', 'env')).stdout, /^PORT=\d+$/m);
  t.deepEqual(await exec('--', 'cat'), { code: 0, stdout: '', stderr: '' }, 'without -i there is nothing to read');
  const given = begin(home, 'exec', '-i', 'hello', '--', 'sh', '-c', 'read line; echo "heard $line"');
  given.child.stdin.write('a word\n');
  t.deepEqual(await given.ended, { code: 0, signal: null, stdout: 'heard a word\n', stderr: '' }, 'it ends though the input does not');
  const large = begin(home, 'exec', '-i', 'hello', '--', 'cat');
  const text = 'x'.repeat(3_000_000);
  large.child.stdin.end(text);
  t.true((await large.ended).stdout === text);

  const { stderr: pods } = await exec('--replica', '9', '--', 'true');
  const [, first = '', second = ''] = /no running replica "9"\n {2}It has 1 \((\S+)\), 2 \((\S+)\)\./.exec(pods) ?? [];
  const idOf = async (replica: string) => (await exec('--replica', replica, '--', 'printenv', 'PORT')).stdout;
  t.is(await idOf('2'), await idOf(second));
  t.not(await idOf('1'), await idOf(second), first);

  const refusals: readonly (readonly [words: readonly string[], code: number, why: RegExp])[] = [
    [['--', 'no-such-program'], 127, /^"no-such-program": the program was not found[^\n]*\n$/],
    [['--', '/etc/passwd'], 126, /^"\/etc\/passwd": there is no program that can be run \(EACCES\)\n$/],
    [['--process', 'worker', '--', 'ls'], 64, /no process "worker"\n {2}It has web\./],
    [['-o', 'json', '--', 'ls'], 64, /-o does not apply/],
    [['-t', '--', 'ls'], 64, /-t needs a terminal on both sides[^]*Leave -t out/],
    [[], 64, /Usage: tappaas exec APPLICATION -- COMMAND/],
  ];
  for (const [words, code, why] of refusals) {
    const refused = await exec(...words);
    t.is(refused.code, code, words.join(' '));
    t.regex(refused.stderr, why);
  }
  t.regex((await home.tappaas('exec', 'nowhere', '--', 'ls')).stderr, /there is no application "nowhere"/);
  const audited = await home.tappaas('audit', 'search', '--resource', 'pods/exec', '-o', 'json');
  t.regex(audited.stdout, /"subresource": "exec"/);
  t.regex(audited.stdout, /command=printenv/);
});

test('Ctrl-C ends the command, with everything that it has begun', async (t) => {
  const home = await helloRuns(t);
  const { child, ended, stdout } = begin(home, 'exec', 'hello', '--', 'sh', '-c', 'echo $$; sleep 600');
  const pid = await eventually(async () => Number(stdout()), Boolean);
  t.true(isAlive(pid));
  child.kill('SIGINT');
  t.is((await ended).signal, 'SIGINT');
  await eventually(
    async () => isAlive(pid),
    (alive) => !alive,
  );
});

test('a command whose token is replaced while it runs says so, and that one has to log in', async (t) => {
  const home = await helloRuns(t);
  const { ended, stdout } = begin(home, 'exec', 'hello', '--', 'sh', '-c', 'echo begun; sleep 600');
  await eventually(
    async () => stdout(),
    (text) => text === 'begun\n',
  );
  t.is((await home.tappaas('token', 'rotate-admin')).code, 0);
  const { code, stderr } = await ended;
  t.is(code, 1, stderr);
  t.regex(
    stderr,
    /^tappaas: the command was ended, because its credential is no longer valid: [^\n]+\n {2}Log in again with tappaas login, [^\n]+\n$/,
  );
});

test('a terminal that the cluster cannot give is refused in its words, and the own one is as before', async (t) => {
  const home = await helloRuns(t);
  const modes: boolean[] = [];
  let [stderr, isDestroyed] = ['', false];
  const code = await runCommandLine({
    arguments: ['exec', '-it', 'hello', '--', 'sh'],
    env: { TAPPAAS_HOME: join(home.directory, 'home') },
    cwd: home.directory,
    stdout: { write: () => true, isTTY: true, columns: 100, rows: 30 },
    stderr: { write: (text) => (stderr += String(text)) },
    input: () => ({
      isTTY: true,
      setRawMode: (isRaw) => modes.push(isRaw),
      destroy: () => (isDestroyed = true),
      async *[Symbol.asyncIterator]() {
        yield* [];
        await new Promise(() => {});
      },
    }),
    onResize: () => {},
    nowMs: Date.now,
    sections: async () => ({}),
    audit: () => import('../../core/dist/telemetry/audit/offline.js'),
    startPlatform: async () => 0,
  });
  t.is(code, 1);
  t.regex(stderr, /no terminal \(tty\) can be given[^]*leave -t out/);
  t.deepEqual(modes, [true, false]);
  t.true(isDestroyed);
});
