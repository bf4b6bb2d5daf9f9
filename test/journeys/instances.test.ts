/** Operators name instances of plugins; nothing that people use depends on the names of the examples. */
import { join } from 'node:path';
import test from 'ava';
import { platformHome, root } from '../platform-process.ts';

test('source is deployed whatever the instance that takes it is called, and plugins say what they may do', async (t) => {
  t.timeout(180_000);
  const workshop = { use: '@tappaas/controller-build', config: { directory: './data/builds', images: './data/images' } };
  const home = await platformHome({ plugins: { builds: null, workshop } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const deployed = await home.tappaas('deploy', join(root, 'examples/hello'));
  t.is(deployed.code, 0, deployed.stderr + deployed.stdout);
  const plugin = await platform.api('GET', '/apis/platform.tappaas.dev/v1alpha1/plugins/applications');
  const { permissions = [] } = plugin.json<{ status: { permissions?: string[] } }>().status;
  t.true(permissions.includes('resources: get /Secret'), permissions.join('\n'));
  t.false(permissions.some((line) => line.endsWith('/Operation')));
});
