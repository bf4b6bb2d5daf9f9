/** What a plugin lets people do to objects of its kind, on the command line. */
import test from 'ava';
import { parse } from 'yaml';
import { platformHome, storeOnly } from '../platform-process.ts';
import { writePlugin } from '../plugin-package.ts';

const cellar = `
import { defineKind, definePlugin, Type } from '@tappaas/sdk';
const Cellar = defineKind({
  group: 'test.acme.dev',
  kind: 'Cellar',
  plural: 'cellars',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'Where things ripen.',
  spec: Type.Object({}),
  status: Type.Object({}),
});
const action = (name, long, handle) => ({
  on: Cellar,
  name,
  long,
  description: 'Changes what lies there.',
  input: Type.Object({ bottles: Type.Integer({ minimum: 1, default: 6 }), label: Type.String({ default: 'none' }) }),
  output: Type.Object({ bottles: Type.Integer(), label: Type.String() }),
  handle,
});
export default definePlugin({
  id: 'cellar',
  permissions: { resources: [{ kind: Cellar, verbs: ['get'] }] },
  setup(host) {
    host.kind(Cellar);
    host.action(action('taste', false, async ({ input }) => input));
    host.action(action('fill', true, async ({ input }, context) => {
      context.progress('pour', 100);
      if (input.label === 'broken') throw new Error('the bottles are broken');
      return input;
    }));
  },
});
`;

test('an action of a plugin is a command: what it answers is shown, one that takes long is followed, what is wrong is told with what would be right', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: { ...storeOnly, cellar: { use: './cellar' } } });
  t.teardown(() => home.remove());
  await writePlugin(home.directory, 'cellar', cellar);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const made = { apiVersion: 'test.acme.dev/v1alpha1', kind: 'Cellar', metadata: { name: 'deep' }, spec: {} };
  t.is((await platform.api('POST', '/apis/test.acme.dev/v1alpha1/namespaces/default/cellars', made)).status, 201);

  const tasted = await home.tappaas('cellar', 'taste', 'deep', 'bottles=3', 'label=blue');
  t.deepEqual([tasted.code, parse(tasted.stdout)], [0, { bottles: 3, label: 'blue' }], tasted.stderr);
  const forPrograms = await home.tappaas('Cellars', 'taste', 'deep', '-o', 'json');
  t.deepEqual(JSON.parse(forPrograms.stdout), { bottles: 6, label: 'none' });

  const filled = await home.tappaas('cellar', 'fill', 'deep', 'bottles=12');
  t.is(filled.code, 0, filled.stderr);
  t.regex(filled.stdout, /pour[^]*bottles: 12/);
  const broken = await home.tappaas('cellar', 'fill', 'deep', 'label=broken');
  t.is(broken.code, 1);
  t.regex(broken.stderr, /operation \S+: Failed/);

  const received = async (...words: string[]) => {
    const { code, stderr } = await home.tappaas(...words);
    return `${code} ${stderr}`;
  };
  t.regex(await received('cellar', 'drain', 'deep'), /^64 [^]*kind Cellar has no action "drain"; it has (fill, taste|taste, fill)/);
  t.regex(await received('cellar', 'taste'), /^64 [^]*expected a name behind it, found none/);
  t.regex(await received('cellar', 'taste', 'deep', 'bottles'), /^64 [^]*expected FIELD=VALUE, found "bottles"/);
  t.regex(await received('cellar', 'taste', 'deep', 'bottles=0'), /^1 [^]*bottles/);
  t.regex(await received('cellar', 'taste', 'nowhere'), /^1 [^]*nowhere/);
  t.regex(await received('cellars', 'fill', 'deep', '--timeout', 'soon'), /^64 [^]*timeout "soon"/);
  t.regex(await received('bodega', 'fill', 'deep'), /^64 [^]*there is no command "bodega"/);
});
