/** A person who takes a change back, and lets changes through again. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome, root } from '../platform-process.ts';

test('an application goes back to an earlier release, stays there whatever is deployed, and serves the newest when it is unpinned', async (t) => {
  t.timeout(240_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const source = join(home.directory, 'source');
  await cp(join(root, 'examples/hello'), source, { recursive: true });
  const code = await readFile(join(source, 'server.js'), 'utf8');
  const deploy = async (greeting: string) => {
    await writeFile(join(source, 'server.js'), code.replace('Hello', greeting));
    return home.tappaas('deploy', source);
  };
  const greets = (greeting: string) =>
    t.notThrowsAsync(
      eventually(
        () => requestApplication(home, 'hello.default.localhost'),
        ({ text }) => text.startsWith(greeting),
      ),
    );
  const rollback = (...words: readonly string[]) => home.tappaas('rollback', 'hello', ...words);

  const unknown = await rollback();
  t.is(unknown.code, 1);
  t.regex(unknown.stderr, /there is no application "hello" in namespace default\n {2}tappaas apps -A/);
  t.is((await deploy('Hello')).code, 0);
  const only = await rollback();
  t.is(only.code, 1);
  t.regex(only.stderr, /no release but hello-1, which serves\n {2}Deploy a change first/);
  t.is((await deploy('Salut')).code, 0);
  await greets('Salut');

  const back = await rollback();
  t.is(back.code, 0, back.stderr);
  t.regex(
    back.stdout,
    /✓ application hello pinned to release hello-1 [^]*✓ serving [^]*hello-1 serves at http[^]*tappaas rollback hello --unpin\n$/,
  );
  await greets('Hello');
  const further = await rollback();
  t.is(further.code, 1);
  t.regex(
    further.stderr,
    /no release before hello-1 that has served\n {2}Name one with --to; it has hello-2 \(Superseded\), hello-1 \(Serving\)/,
  );

  const deployed = await deploy('Ciao');
  t.is(deployed.code, 0, deployed.stderr);
  t.regex(deployed.stdout, /pinned to release hello-1, which goes on serving[^]*tappaas rollback hello --unpin\n$/);
  t.regex((await home.tappaas('status', 'hello')).stdout, /^Release +hello-1\nPinned to +hello-1$/m);
  await greets('Hello');

  const chosen = await rollback('--to', '2', '-o', 'json');
  t.is(chosen.code, 0, chosen.stderr);
  t.is((JSON.parse(chosen.stdout) as { status: { release: string } }).status.release, 'hello-2');
  await greets('Salut');
  const missing = await rollback('--to', '9');
  t.is(missing.code, 1);
  t.regex(missing.stderr, /no release "9"\n {2}Name one with --to; it has hello-3, hello-2 \(Serving\), hello-1 \(Superseded\)/);
  t.is((await rollback('--to', '1', '--unpin')).code, 64);

  const unpinned = await rollback('--unpin');
  t.is(unpinned.code, 0, unpinned.stderr);
  t.regex(unpinned.stdout, /hello-3 serves at http[^\n]*\n$/);
  await greets('Ciao');
});

test('commands that are offered to paste are about the same application, in its namespace', async (t) => {
  t.timeout(240_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  await platform.api('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  const deployed = await home.tappaas('deploy', join(root, 'examples/hello'), '-n', 'team');
  t.regex(
    deployed.stdout,
    /tappaas status hello -n team\n +(?:npx )?tappaas logs hello -f -n team\n +(?:npx )?tappaas delete hello -n team\n/,
  );
  const changed = await platform.api(
    'PATCH',
    '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/hello',
    { spec: { env: [{ name: 'GREETING', value: 'new' }] } },
    'application/merge-patch+json',
  );
  t.is((await home.tappaas('operations', String(changed.headers.location).split('/').at(-1) ?? '', '-n', 'team', '-w')).code, 0);
  const pinned = await home.tappaas('rollback', 'hello', '-n', 'team', '--to', '1');
  t.regex(pinned.stdout, /tappaas rollback hello --unpin -n team\n$/);
});
