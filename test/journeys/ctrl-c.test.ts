import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import { signalGroup } from '../end-process.ts';
import { eventually, platformHome, root, type PlatformHome } from '../platform-process.ts';

/** The node agent of the local cluster: the process that keeps the applications. */
function agentOf({ directory }: PlatformHome): Promise<number> {
  return eventually(
    async () => (JSON.parse(await readFile(join(directory, 'data/local/agent.json'), 'utf8')) as { readonly pid: number }).pid,
    isAlive,
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** It has, before the platform ends; but the system may take a moment to collect what was adopted. */
const hasEnded = (pid: number): Promise<boolean> =>
  eventually(
    async () => isAlive(pid),
    (alive) => !alive,
  );

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );

for (const [times, title] of [
  [1, 'Ctrl-C in the terminal of npm start stops the platform and its applications'],
  [2, 'pressed twice in one breath, too'],
] as const) {
  test.serial(title, async (t) => {
    t.timeout(180_000);
    const home = await platformHome({ first: join(root, 'examples/hello') });
    t.teardown(() => home.remove());
    const platform = await home.start('npm');
    t.teardown(() => platform.kill());
    const agent = await agentOf(home);
    t.true(isAlive(agent) && (await answers(home.httpPort)));
    const ended = new Promise((done) => platform.child.once('close', done));
    for (let n = 0; n < times; n += 1) signalGroup(platform.child, 'SIGINT');
    await ended;
    t.regex(platform.output(), /Stopping …[^]*\nStopped\.\n/);
    await hasEnded(agent);
    t.false(await answers(home.httpPort));
  });
}

test.serial('Ctrl-C again, seconds later, ends a stop that takes long, and says what goes on and how it is ended', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({ api: { announceStopMs: 60_000 } });
  t.teardown(() => home.remove());
  const configuration = await readFile(join(home.directory, 'tappaas.yaml'), 'utf8');
  const platform = await home.start('npm');
  t.teardown(() => platform.kill());
  const agent = await agentOf(home);
  const ended = new Promise((done) => platform.child.once('close', done));
  signalGroup(platform.child, 'SIGINT');
  await wait(3000);
  t.is(platform.child.exitCode, null);
  signalGroup(platform.child, 'SIGINT');
  await ended;
  t.notRegex(platform.output(), /^Stopped\.$/m);
  t.regex(platform.output(), /may continue: to end it, start the platform again and stop it once/);
  t.true(isAlive(agent), 'as the message says');
  await writeFile(join(home.directory, 'tappaas.yaml'), configuration.replace('60000', '0'));
  const next = await home.start();
  t.teardown(() => next.kill());
  await next.stop();
  await hasEnded(agent);
  t.pass();
});
