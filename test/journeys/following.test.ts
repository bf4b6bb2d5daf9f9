/** A person who leaves commands running and sees what others do. */
import { join } from 'node:path';
import test from 'ava';
import { commands } from '../../core/dist/cli/commands.js';
import { freePort } from '../ports.ts';
import { eventually, platformHome, root, type PlatformHome } from '../platform-process.ts';

/** A command that goes on. */
function begin(home: PlatformHome, ...words: readonly string[]) {
  const child = home.begin(words);
  child.stdin.end();
  let text = '';
  const heard = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  const ended = new Promise<number | string | null>((done) => child.once('close', (code, signal) => done(code ?? signal)));
  return {
    text: () => text,
    ended,
    says: (what: RegExp) =>
      eventually(
        async () => text,
        (all) => what.test(all),
      ),
    async stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

test('what changes is followed with -w and with -f, as people know it from elsewhere', async (t) => {
  t.timeout(240_000);
  const home = await platformHome({ first: join(root, 'examples/hello') });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const followed = {
    apps: begin(home, 'apps', '-w'),
    everywhere: begin(home, 'apps', '-A', '--watch', '-o', 'json'),
    status: begin(home, 'status', 'hello', '-f'),
    events: begin(home, 'events', '--follow'),
    operations: begin(home, 'operations', '-w'),
  };
  await followed.apps.says(/^NAME +READY [^]*^hello +True +hello-1 /m);
  await followed.everywhere.says(/"name":"hello"/);
  await followed.status.says(/Ready +True +Serving +release hello-1 serves/);
  await followed.events.says(/^LAST SEEN [^]*release hello-1 serves/m);
  await followed.operations.says(/^hello-deploy-1\S+ +deploy +hello +Succeeded/m);
  const change = { spec: { env: [{ name: 'GREETING', value: 'new' }] } };
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
  t.is((await platform.api('PATCH', `${path}/hello`, change, 'application/merge-patch+json')).status, 200);
  // A row is asked for when something has changed: what comes and goes meanwhile may not be seen.
  await followed.apps.says(/^hello +True +hello-1 [^]*^hello +True +hello-2 /m);
  await followed.status.says(/Ready +False [^]*Ready +True +Serving +release hello-2 serves/);
  await followed.events.says(/release hello-2 serves\n/);
  await followed.operations.says(/^hello-deploy-2\S+ +deploy +hello +Succeeded/m);
  const [name = ''] = /^hello-deploy-2\S+/m.exec(followed.operations.text()) ?? [];
  const rows = followed.apps.text().trimEnd().split('\n');
  t.deepEqual(
    rows.map((row) => row.replace(/\S+$/, '')).filter((row, index, all) => row === all[index - 1]),
    [],
    'what looks as before is not told again',
  );
  t.is((await home.tappaas('delete', 'hello')).code, 0);
  await followed.apps.says(/^hello .* deleted$/m);
  t.is(await followed.status.ended, 1);
  t.regex(followed.status.text(), /application hello was deleted\n/);
  for (const each of [followed.apps, followed.everywhere, followed.events, followed.operations]) t.is(await each.stop(), 'SIGINT');
  const received = followed.everywhere
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string });
  t.true(received.length > 2 && received.every(({ kind }) => kind === 'Application'));
  t.regex((await home.tappaas('operations', name, '-w')).stderr, /there is no operation/, 'it went with its application');
});

test('lines are followed over a restart of the platform and over new pods, none is told twice, and the end of it is told', async (t) => {
  t.timeout(240_000);
  const home = await platformHome({
    first: join(root, 'examples/hello'),
    api: { port: await freePort() },
    plugins: { audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } } },
  });
  t.teardown(() => home.remove());
  const before = await home.start();
  t.teardown(() => before.stop());
  const lines = begin(home, 'logs', 'hello', '-f');
  const records = begin(home, 'logs', 'hello', '-f', '-o', 'json');
  const audit = begin(home, 'audit', 'tail', '-f', '-o', 'json');
  for (const each of [lines, records, audit]) t.teardown(() => each.stop());
  const count = (text: string): number => text.match(/listening on/g)?.length ?? 0;
  const begun = (processes: number) =>
    eventually(
      async () => [lines, records].map((each) => count(each.text())),
      (counts) => counts.every((each) => each >= processes),
    );
  await begun(2);
  await audit.says(/"verb":"watch"[^]*\n/);
  await before.stop();
  const platform = await home.start();
  t.teardown(() => platform.stop());
  await begun(4);
  const change = { spec: { env: [{ name: 'GREETING', value: 'new' }] } };
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications/hello';
  t.is((await platform.api('PATCH', path, change, 'application/merge-patch+json')).status, 200);
  await begun(6);
  await audit.says(/"verb":"patch"/);
  t.is((await home.tappaas('delete', 'hello')).code, 0);
  for (const each of [lines, records]) {
    t.is(await each.ended, 1);
    t.regex(each.text(), /tappaas: application hello was deleted\n/);
    const received = each
      .text()
      .split('\n')
      .filter((line) => /listening on/.test(line));
    t.is(received.length, 6, each.text());
    t.is(each.text().match(/finishing what is under way/g)?.length, 6, 'what they wrote while the platform stopped is told, too');
  }
  const written = records
    .text()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  t.is(new Set(written).size, written.length, 'none is told twice');
  t.is(await audit.stop(), 'SIGINT', audit.text());
  const recorded = audit
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { chain: string; sequence: number });
  t.is(new Set(recorded.map(({ chain, sequence }) => `${chain} ${sequence}`)).size, recorded.length);
});

test('an operation is followed to its end, which is the exit code', async (t) => {
  t.timeout(240_000);
  const home = await platformHome({ first: join(root, 'examples/hello') });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications/hello';
  const operationOf = async () => (await platform.api('GET', path)).json<{ status: { operation: string } }>().status.operation;
  const first = await operationOf();
  const done = await home.tappaas('operations', first, '-f');
  t.is(done.code, 0, done.stderr);
  t.regex(done.stdout, /✓ serving [^]*Phase +Succeeded, 100 %/);
  const lines = (await home.tappaas('operations', first, '-w', '-o', 'json')).stdout.trimEnd().split('\n');
  t.is((JSON.parse(lines.at(-1) ?? '') as { status: { phase: string } }).status.phase, 'Succeeded');
  const hangs = { spec: { processes: [{ name: 'web', command: ['sleep', '600'], ports: [{ name: 'http', port: 8080 }] }] } };
  const changed = await platform.api('PATCH', path, hangs, 'application/merge-patch+json');
  const second = String(changed.headers.location).split('/').at(-1) ?? '';
  const following = begin(home, 'operations', second, '--watch');
  await following.says(/✓ applied/);
  t.is((await home.tappaas('operations', 'cancel', second)).code, 0);
  t.is(await following.ended, 1);
  t.regex(following.text(), /Phase +Cancelled/);
});

test('every command that shows what changes takes -w, --watch, -f and --follow', (t) => {
  for (const name of ['apps', 'status', 'events', 'operations']) {
    const options = commands.find((command) => command.name === name)?.options ?? {};
    t.deepEqual([options['watch']?.short, options['follow']?.short], ['w', 'f'], name);
  }
});
