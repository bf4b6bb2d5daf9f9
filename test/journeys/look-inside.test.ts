/** An operator asks the running platform what its plugins are and why things are as they are. */
import { join } from 'node:path';
import test from 'ava';
import { eventually, platformHome, root, type PlatformHome, type PlatformProcess } from '../platform-process.ts';

let home: PlatformHome;
let platform: PlatformProcess;

test.before('hello runs', async (t) => {
  t.timeout(180_000);
  home = await platformHome({ first: join(root, 'examples/hello') });
  platform = await home.start();
});

test.after.always('the platform is stopped and its directory removed', async () => {
  await platform?.stop();
  await home?.remove();
});

test('plugins are listed with state, time of start, hooks, kinds and permissions', async (t) => {
  const listed = () => home.tappaas('plugins');
  const { stdout } = await eventually(listed, ({ stdout: text }) => /^resources\s.*Ready/m.test(text));
  t.regex(stdout, /^NAME\s+PACKAGE\s+VERSION\s+STATE\s+INIT\s+HOOKS\s+KINDS\s+PERMISSIONS$/m);
  t.regex(stdout, /^builds\s+@tappaas\/controller-build\s+[\d.]+\s+Ready\s+[\d.]+ m?s\s+-\s+1\s+\d+$/m);
  const wide = await home.tappaas('plugins', '-o', 'wide');
  t.regex(wide.stdout, /^resources\s.*\sscheduling\.filter, scheduling\.score\s/m);
  t.regex(wide.stdout, /^builds\s.*\sapps\.tappaas\.dev\/Build\s/m);
});

test('a plugin is described whole by its instance, and one that is not there is told', async (t) => {
  const { stdout } = await home.tappaas('plugins', 'applications');
  t.regex(stdout, /^Plugin\s+applications \(controller-application\)$/m);
  t.regex(stdout, /^Package\s+@tappaas\/controller-application \d/m);
  t.regex(stdout, /^State\s+Ready$/m);
  t.regex(stdout, /^Mode\s+enforce$/m);
  t.regex(stdout, /^Kinds\s+apps\.tappaas\.dev\/Application$/m);
  t.regex(stdout, /^ +resources: get \/Secret$/m);
  t.regex(stdout, /^Problems\s+-$/m);
  const gone = await home.tappaas('plugins', 'nobody');
  t.is(gone.code, 1);
  t.regex(gone.stderr, /there is no plugin instance "nobody"/);
});

test('explain says why a pod of a cluster is where it is, by its name or by its application', async (t) => {
  const pods = (await platform.api('GET', '/clusters/local/api/v1/pods')).json<{
    items: readonly { metadata: { name: string; namespace: string } }[];
  }>();
  const { name, namespace } = pods.items[0]?.metadata ?? { name: '', namespace: '' };
  const one = await home.tappaas('explain', `Pod/${name}`);
  t.is(one.code, 0, one.stderr);
  t.regex(one.stdout, new RegExp(`^Pod ${namespace}/${name} on local$`, 'm'));
  t.regex(one.stdout, /^POD\s+OUTCOME\s+NODE\s+AGE\s+WHY$/m);
  t.regex(one.stdout, new RegExp(`^${namespace}/${name}\\s+placed\\s+\\S+\\s+[\\d.]+ (ms|s|min \\d+ s)\\s+best of `, 'm'));
  const all = await home.tappaas('explain', 'application/hello');
  for (const { metadata } of pods.items) t.is(all.stdout.split(`${metadata.namespace}/${metadata.name} `).length, 2, all.stdout);
  const gone = await home.tappaas('explain', 'pod/nobody');
  t.is(gone.code, 1);
  t.regex(gone.stderr, /there is no pod "nobody" in namespace default/);
});
