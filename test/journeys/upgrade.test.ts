/** What becomes of workers that are started from other files than the platform's process was. */
import test from 'ava';
import { eventually, platformHome } from '../platform-process.ts';
import { writePlugin } from '../plugin-package.ts';

const small = `
import { definePlugin, Type } from '@tappaas/sdk';

export default definePlugin({ id: 'small', config: Type.Object({}), example: {}, setup() {} });
`;

test('a worker with a plugin of another version than the one that runs is refused by name, and the old one serves on', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({ plugins: { local: null, small: { use: './small' } }, api: { workers: 1 } });
  t.teardown(() => home.remove());
  await writePlugin(home.directory, 'small', small);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  await writePlugin(home.directory, 'small', small, '1.1.0');
  t.is((await platform.api('POST', '/plugins/platform/replace-workers')).status, 202);
  await eventually(
    async () => platform.output(),
    (output) => /TAP_WORKER_VERSION/.test(output) && /the workers of the API were not all replaced/.test(output),
  );
  t.regex(platform.output(), /small 1\.1\.0 is installed and 1\.0\.0 runs/);
  t.is((await platform.api('GET', '/api/v1/namespaces')).status, 200);
});
