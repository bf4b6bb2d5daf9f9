import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { requestApplication as send } from '../request-application.ts';
import { eventually, platformHome, root } from '../platform-process.ts';

interface View {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[] };
}

test.serial('a cluster that a reload adds runs what waited for it, and is in the kubeconfig', async (t) => {
  t.timeout(120_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const file = join(home.directory, 'tappaas.yaml');
  const whole = await readFile(file, 'utf8');
  const { plugins, ...rest } = JSON.parse(whole) as { plugins: Record<string, object> };
  const { local: _, ...others } = plugins;
  await writeFile(file, JSON.stringify({ ...rest, plugins: others }));
  const platform = await home.start();
  t.teardown(() => platform.kill());

  t.is((await home.tappaas('deploy', join(root, 'examples/hello'), '--no-wait')).code, 0);
  const ready = async () => {
    const answer = await platform.api('GET', '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications/hello');
    return answer.json<View>().status?.conditions?.find(({ type }) => type === 'Ready');
  };
  const waiting = await eventually(ready, (condition) => condition?.reason === 'NotPlaced');
  t.regex(waiting?.message ?? '', /none of the clusters \(any\) is loaded/);

  await writeFile(file, whole);
  platform.child.kill('SIGHUP');
  await eventually(
    () => send(home, 'hello.default.localhost'),
    ({ status }) => status === 200,
  );
  await eventually(ready, (condition) => condition?.reason === 'Serving');
  t.regex(await readFile(join(home.directory, 'data/kubeconfig'), 'utf8'), /name: local\b/);
  t.is(await platform.stop(), 0);
});
