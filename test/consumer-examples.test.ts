/** The examples for consumers do what their pages say: shell blocks run in order, and what is printed matches the text block below. */
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { findKubectl } from './kubectl-session.ts';
import { platformHome, root, type PlatformHome, type PlatformProcess } from './platform-process.ts';

const documented = 'https://127.0.0.1:7443';
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const kubectl = findKubectl(process.env).path;
const isCi = Boolean(process.env['CI']) && process.env['CI'] !== 'false';
/** Needs files that only a reader of the page has. */
const isForReaders = (script: string): boolean => script.includes('joe.crt');

let home: PlatformHome;
let platform: PlatformProcess;

test.before('a platform with an application runs', async (t) => {
  t.timeout(180_000);
  home = await platformHome({
    first: join(root, 'examples/hello'),
    plugins: { tokens: { use: '@tappaas/identity-token' }, robots: { use: '@tappaas/identity-serviceaccount' } },
  });
  platform = await home.start();
});

test.after.always('the platform is stopped and its directory removed', async () => {
  await platform?.stop();
  await home?.remove();
});

interface Step {
  readonly script: string;
  /** Lines that must be printed in this order; `…` stands for anything. */
  readonly expected: readonly string[];
}

/** The shell blocks of a page, each with the text block that follows it. */
async function stepsOf(page: string): Promise<readonly Step[]> {
  const text = await readFile(join(root, 'docs/consumers', page), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm)]
    .map(([, script = '', expected = '']) => ({
      script,
      expected: expected.split('\n').filter((line) => line !== ''),
    }))
    .filter(({ script }) => !isForReaders(script));
}

/** What each step prints, run one after the other in one shell with the running platform in place of the documented one. */
async function printed(steps: readonly Step[]): Promise<readonly string[]> {
  const { server, token } = platform.connection;
  const mark = '--- next step ---';
  const script = steps.map(({ script: each }) => `${each}\necho; echo '${mark}'`).join('\n');
  const env = {
    ...process.env,
    TAPPAAS_HOME: join(home.directory, 'home'),
    TOKEN: token,
    PATH: [`${root}/node_modules/.bin`, ...(kubectl === undefined ? [] : [dirname(kubectl)]), process.env['PATH']].join(':'),
  };
  const filled = script.replaceAll(documented, server).replaceAll('tapp_…', token);
  const { stdout } = await promisify(execFile)('bash', ['-ec', filled], { cwd: home.directory, env, timeout: 60_000 });
  return stdout.split(mark);
}

const escaped = (text: string): string => text.split('…').map(RegExp.escape).join('[\\s\\S]*?');

const pages = [
  { page: 'rest.md', canRun: hasCurl },
  { page: 'requests.md', canRun: hasCurl },
  { page: 'graphql.md', canRun: hasCurl },
  { page: 'authentication.md', canRun: kubectl !== undefined },
];

for (const { page, canRun } of pages) {
  const example = canRun || isCi ? test.serial : test.serial.skip;
  example(`the examples of ${page} do what the page says`, async (t) => {
    t.timeout(120_000);
    const steps = await stepsOf(page);
    t.true(steps.length > 0);
    const outputs = await printed(steps);
    for (const [index, { script, expected }] of steps.entries()) {
      const output = outputs[index] ?? '';
      t.regex(output, new RegExp(expected.map(escaped).join('[\\s\\S]*?')), script);
      if (expected.length === 0) t.notRegex(output, /"status":"Failure"|"errors":\[/, script);
    }
  });
}
