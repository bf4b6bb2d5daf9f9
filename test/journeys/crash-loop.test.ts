/** A developer deploys a release that does not run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome } from '../platform-process.ts';

test('a release whose processes keep ending fails long before its deadline, with why and what they wrote last, and the one before serves on', async (t) => {
  t.timeout(300_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const source = await mkdtemp(join(tmpdir(), 'tappaas-crash-'));
  t.teardown(() => rm(source, { recursive: true, force: true }));
  await writeFile(join(source, 'Procfile'), 'web: node server.js\n');
  const deploy = async (code: string, ...words: string[]) => {
    await writeFile(join(source, 'server.js'), code);
    const startMs = performance.now();
    const ended = await home.tappaas('deploy', source, '--name', 'shop', ...words);
    return { ...ended, tookMs: performance.now() - startMs };
  };
  const crash = "console.log('starting'); console.error('no database at db:5432\\u001b[2J\\u001b]0;x\\u0007\\u202e'); process.exit(3);";

  const first = await deploy(crash);
  t.is(first.code, 1, first.stdout);
  t.regex(first.stderr, /process web of release shop-1 has ended 3 times, the last time with exit code 3\n/);
  t.regex(
    first.stderr,
    /It wrote last:\n {4}starting\n {4}no database at db:5432\\u001b\[2J\\u001b\]0;x\\u0007\\u202e\n {2}Fix it and deploy again; see tappaas status shop and tappaas operations shop-/,
  );

  const mended = await deploy("require('node:http').createServer((_, answer) => answer.end('one')).listen(process.env.PORT);");
  t.is(mended.code, 0, mended.stderr);
  const broken = await deploy(`${crash}//`);
  t.is(broken.code, 1, broken.stdout);
  t.regex(
    broken.stderr,
    /process web of release shop-3 has ended 3 times, the last time with exit code 3; release shop-2 goes on serving\n/,
  );
  t.regex(broken.stderr, /no database at db:5432/);
  t.true(broken.tookMs < 120_000, `${broken.tookMs} ms, and the deadline is 600 s`);
  t.is((await requestApplication(home, 'shop.default.localhost')).text, 'one');
  const received = await eventually(
    () => home.tappaas('status', 'shop'),
    ({ stdout }) => stdout.includes('ReleaseFailed'),
  );
  t.regex(received.stdout, /Available\s+True/);
});
