/** A team uploads more source than is kept for it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createClient } from '@tappaas/client';
import { packSource } from '../../core/dist/cli/source-archive.js';
import { platformHome } from '../platform-process.ts';

const builds = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/builds';

test('source that a build still needs is kept while other source makes way, and what is all needed refuses more', async (t) => {
  t.timeout(180_000);
  const config = { directory: './data/builds', images: './data/images', sentMax: 2 };
  const home = await platformHome({ plugins: { local: null, builds: { use: '@tappaas/controller-build', config } } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { server, token, ca } = platform.connection;
  const client = createClient({ server, token, certificateAuthority: ca.toString() });
  t.teardown(() => client.close());
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-source-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const pathOf = (digest: string) => `/plugins/builds/sources/${digest}?namespace=default`;
  const upload = async (content: string) => {
    await writeFile(join(directory, 'server.js'), content);
    const { digest, bytes } = await packSource(directory);
    const answer = await client.send(pathOf(digest), { method: 'PUT', body: bytes, contentType: 'application/gzip' });
    return { digest, status: answer.status, text: answer.text };
  };
  /** One that was cancelled may be wished again. */
  const cancelledBuild = (name: string, digest: string) =>
    platform.api('POST', builds, {
      metadata: { name },
      spec: { application: name, builder: 'source', source: { digest }, cancelled: true },
    });
  const isKept = async (digest: string): Promise<boolean> => (await client.send(pathOf(digest))).status === 204;

  const needed = await upload('1');
  t.is((await cancelledBuild('one', needed.digest)).status, 201);
  const idle = await upload('2');
  const third = await upload('3');
  t.is(third.status, 201);
  t.deepEqual([await isKept(needed.digest), await isKept(idle.digest)], [true, false]);
  t.is((await cancelledBuild('three', third.digest)).status, 201);
  const refused = await upload('4');
  t.is(refused.status, 403, refused.text);
  t.regex(refused.text, /need 2 sources of \d+ bytes, and sentMax is 2/);
  t.is((await platform.api('DELETE', `${builds}/one`)).status, 200);
  t.is((await upload('4')).status, 201);
});
