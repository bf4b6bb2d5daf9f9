/** A program runs every command of the command line and reads what comes. */
import test from 'ava';
import { parseAllDocuments } from 'yaml';
import { commands } from '../../core/dist/cli/commands.js';
import { everyCommand, placeForCommands, pluginsOfCommands } from '../every-command.ts';
import { eventually, platformHome, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

let home: PlatformHome;
let platform: PlatformProcess;

test.before('a platform with every plugin that a command asks for runs', async (t) => {
  t.timeout(180_000);
  home = await platformHome({ plugins: pluginsOfCommands });
  await placeForCommands(home.directory);
  platform = await home.start();
});

test.after.always('the platform is stopped and its directory removed', async () => {
  await platform?.stop();
  await home?.remove();
});

test('a process that an application does not have is told with those that it has', async (t) => {
  t.is((await home.tappaas('deploy', 'hello', '--name', 'named')).code, 0);
  const { code, stderr } = await home.tappaas('logs', 'named', '--process', 'nope');
  t.is(code, 64);
  t.regex(stderr, /application named has no process "nope"[^]*It has web\./);
});

test.serial('every command prints JSON alone with -o json, YAML alone with -o yaml, and no colours', async (t) => {
  t.timeout(180_000);
  const asked = everyCommand(platform.connection);
  // What exec writes is what its command writes.
  const received = new Set([...asked.map(({ words }) => words[0]), 'up', 'exec']);
  t.deepEqual(
    commands.map(({ name }) => name).filter((name) => !received.has(name)),
    [],
  );
  for (const format of ['json', 'yaml']) {
    for (const { words, isStream } of asked) {
      const { code, stdout, stderr } = await home.tappaas(...words, '-o', format);
      const about = `${words.join(' ')} -o ${format}: ${code} ${stdout.slice(0, 500)} ${stderr}`;
      t.true([0, 78].includes(code), about);
      t.not(stdout.trim(), '', about);
      t.false((stdout + stderr).includes('\u001B'), about);
      const texts = isStream ? stdout.trimEnd().split('\n') : [stdout];
      if (format === 'json') for (const text of texts) t.notThrows(() => JSON.parse(text), about);
      else for (const document of parseAllDocuments(stdout)) t.deepEqual(document.errors, [], about);
    }
  }
});

test.serial('logs -o json says of each line when, where and on which output it was written', async (t) => {
  t.timeout(180_000);
  const { server, token } = platform.connection;
  await home.tappaas('login', server, '--certificate-authority', 'data/ca.pem', '--token', token);
  t.is((await home.tappaas('deploy', 'hello', '--name', 'lines')).code, 0);
  const { stdout } = await eventually(
    () => home.tappaas('logs', 'lines', '-o', 'json'),
    ({ stdout: text }) => text.split('\n').length > 2,
  );
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { time: string; pod: string; stream: string; text: string });
  t.deepEqual(lines.map(({ stream, text }) => `${stream}: ${text}`).toSorted(), ['stderr: to stderr', 'stdout: to stdout']);
  for (const { time, pod } of lines) t.true(Date.parse(time) > 0 && pod.startsWith('lines-web-'));
});

test('up -o json says once, and alone, where everything is', async (t) => {
  t.timeout(180_000);
  const other = await platformHome();
  t.teardown(() => other.remove());
  const child = other.begin(['up', '-o', 'json']);
  child.stderr.resume();
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = new Promise((done) => void child.once('close', done));
  const started = await eventually(
    async () => JSON.parse(text) as { api: string; kubeconfig: string; token: string; clusters: readonly string[] },
    ({ api }) => api.startsWith('https://'),
    120_000,
  );
  t.deepEqual(started.clusters, ['local']);
  t.regex(started.token, /^tapp_/);
  child.kill('SIGINT');
  t.is(await ended, 0);
  t.notThrows(() => JSON.parse(text));
});
