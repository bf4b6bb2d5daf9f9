import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { endProcess } from '../../../test/end-process.ts';

const main = resolve(import.meta.dirname, '../../dist/main.js');

const commandMsMax = 60_000;

/**
 * A command in a shell, where `tappaas` is the command line as a process of its own.
 *
 * @throws when it does not end by itself; all that it has begun is ended then
 */
async function sh(script: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, TAPPAAS_HOME: '/nowhere', node: process.execPath, main };
  const child = spawn('bash', ['-c', `tappaas() { "$node" "$main" "$@"; }\n${script}`], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let [stdout, stderr, isLate] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const late = setTimeout(() => {
    isLate = true;
    void endProcess(child, 'group');
  }, commandMsMax);
  const [code] = (await once(child, 'close').finally(() => clearTimeout(late))) as [number | null];
  if (isLate) throw new Error(`${script}: it did not end in ${commandMsMax} ms; it wrote ${JSON.stringify({ stdout, stderr })}`);
  return { code: code ?? -1, stdout, stderr };
}

test('output that finds no room is told, and the command fails with a code of its own', async (t) => {
  const { code, stderr } = await sh('tappaas help > /dev/full');
  t.is(code, 74);
  t.regex(stderr, /^tappaas: what it says could not be written: ENOSPC[^]*\n {2}.*not all of it/);
});

test('output of which a file takes only a part is told, too', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-output-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'help');
  const { code, stderr } = await sh(`ulimit -f 1; tappaas help > '${file}'`);
  t.is((await stat(file)).size, 1024, 'the limit cuts it');
  t.is(code, 74);
  t.regex(stderr, /could not be written: EFBIG/);
});

test('a file that has room gets all of the output, behind what it had', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-output-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const { code, stdout } = await sh(
    `cd '${directory}'; tappaas help > all; { echo before; tappaas help; echo after; } > both; tappaas help | cat - <(cat all both)`,
  );
  t.is(code, 0);
  const [help = ''] = stdout.split('before\n');
  const text = help.slice(0, help.length / 2);
  t.is(stdout, `${text}${text}before\n${text}after\n`);
});

test('messages that find no room are no success', async (t) => {
  t.not((await sh('tappaas status 2> /dev/full')).code, 0);
  t.not((await sh('tappaas status > /dev/full 2>&1')).code, 0);
});

test('a reader that has gone is no failure', async (t) => {
  const { stdout, stderr } = await sh('{ sleep 0; tappaas help; echo "ended with $?" >&2; } | true');
  t.is(stdout, '');
  t.is(stderr, 'ended with 0\n');
});
