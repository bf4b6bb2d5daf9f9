import { readFile } from 'node:fs/promises';
import test from 'ava';
import { exitCodes } from '../../dist/cli/command.js';
import { runCommandLine } from '../../dist/cli/command-line.js';
import { commands } from '../../dist/cli/commands.js';

const run = (...words: readonly string[]) => runIn({}, ...words);

async function runIn(env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine({
    arguments: words,
    env: { TAPPAAS_HOME: '/nowhere', ...env },
    cwd: '/',
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    input: () => process.stdin,
    onResize: () => {},
    nowMs: () => 0,
    sections: async () => ({}),
    audit: () => import('../../dist/telemetry/audit/offline.js'),
    startPlatform: async () => 0,
  });
  return { code, stdout, stderr };
}

test('without a command, all of them are listed', async (t) => {
  const { code, stdout } = await run();
  t.is(code, 0);
  for (const { name, summary } of commands) t.true(stdout.includes(name) && stdout.includes(summary));
});

test('every exit code is in the help and has a row in the documentation', async (t) => {
  const { stdout } = await run('help');
  const page = await readFile(new URL('../../../docs/consumers/command-line.md', import.meta.url), 'utf8');
  for (const [name, code] of Object.entries(exitCodes)) {
    t.true(stdout.includes(`${code} ${name}`), name);
    t.regex(page, new RegExp(`^\\| ${code} \\| `, 'm'), name);
  }
});

test('a mistyped command is told the nearest one', async (t) => {
  const { code, stderr } = await run('delpoy');
  t.is(code, 64);
  t.regex(stderr, /did you mean "deploy"\?/);
});

test('a number of lines that is none is refused before anybody is asked', async (t) => {
  for (const tail of ['abc', '-1', '1.5', '']) {
    const { code, stderr } = await run('logs', 'shop', `--tail=${tail}`);
    t.is(code, 64);
    t.regex(stderr, /is no number of lines/);
  }
});

test('a missing operand shows the usage', async (t) => {
  const { code, stderr } = await run('status');
  t.is(code, 64);
  t.regex(stderr, /expected APPLICATION, found none/);
  t.regex(stderr, /tappaas status APPLICATION/);
});

test('a command without operands has a usage without a blank at its end', async (t) => {
  t.regex((await run('up', '--help')).stdout, /^Usage: tappaas up$/m);
  t.regex((await run('up', 'now')).stderr, /^ +Usage: tappaas up {3}\(/m);
});

test('cancel without the name of an operation is no operation of that name', async (t) => {
  const { code, stderr } = await run('operations', 'cancel');
  t.is(code, 64);
  t.regex(stderr, /expected the NAME of an operation after cancel, found none\n {2}tappaas operations lists/);
});

test('an unknown option and an unknown output format are usage errors', async (t) => {
  t.is((await run('apps', '--nope')).code, 64);
  t.is((await run('apps', '-o', 'xml')).code, 64);
});

test('where there is no configuration file, commands about it say how to name another, and print nothing else', async (t) => {
  for (const words of [['config', 'show'], ['plugins', 'approve', 'local'], ['check']]) {
    const { code, stdout, stderr } = await run(...words);
    t.is(code, 78, words.join(' '));
    const reported = words[0] === 'check' ? stdout : stderr;
    t.regex(reported, /tappaas\.yaml:1:1 {2}TAP_CONFIG_UNREADABLE .*\n +Name the file with --file \(-f\)/, words.join(' '));
    if (words[0] !== 'check') t.is(stdout, '');
  }
});

test('without a login, a command says how to log in', async (t) => {
  const { code, stderr } = await run('apps');
  t.is(code, 69);
  t.regex(stderr, /tappaas login SERVER with --token TOKEN.* or with --oidc/);
});

test('a token is never sent over plain http', async (t) => {
  const { code, stderr } = await run('login', 'http://127.0.0.1:1', '--token', 'x');
  t.is(code, 64);
  t.regex(stderr, /https/);
});

test('a server that is none and a token that no header can carry are told in words, however they were given', async (t) => {
  const token = { TAPPAAS_TOKEN: 'tapp_x' };
  for (const server of ['foo bar', 'http://platform.example', 'ftp://x', '']) {
    for (const reported of [await runIn(token, 'apps', '--server', server), await runIn({ ...token, TAPPAAS_SERVER: server }, 'apps')]) {
      t.is(reported.code, 64, server);
      t.regex(reported.stderr, /is no https address\n {2}Write it as https:\/\/HOST:PORT/);
    }
  }
  t.is((await runIn(token, 'apps', '--server', 'localhost:1')).code, 69, 'the form that login takes');
  const broken = await runIn({ TAPPAAS_TOKEN: 'tapp_x\ny', TAPPAAS_SERVER: 'localhost:1' }, 'apps');
  t.is(broken.code, 64);
  t.regex(broken.stderr, /the token holds blanks, line breaks/);
  t.notRegex(broken.stderr, /tapp_x/);
  const ended = await runIn({ TAPPAAS_TOKEN: 'tapp_x\n', TAPPAAS_SERVER: 'localhost:1' }, 'apps');
  t.regex(ended.stderr, /does not answer \(ECONNREFUSED\)/, 'the end of a line is no part of it');
});

test('every command has help that names its options', async (t) => {
  for (const { name, options } of commands) {
    const { code, stdout } = await run(name, '--help');
    t.is(code, 0);
    for (const option of Object.keys(options)) t.true(stdout.includes(`--${option}`), `${name} --help names --${option}`);
  }
});

test('a mistyped command with an operand is told the nearest one, too, though it might have been a kind', async (t) => {
  const { code, stderr } = await run('delpoy', './shop');
  t.is(code, 64);
  t.regex(stderr, /did you mean "deploy"\?/);
});
