/** The example of a GraphQL consumer on a whole platform: lists, deploys, follows the operation, reads the log. */
import { spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { generate } from '../examples/graphql-consumer/codegen.mjs';
import { endProcess } from './end-process.ts';
import { eventually, platformHome, root } from './platform-process.ts';

const example = join(root, 'examples/graphql-consumer');

test('the generated types of the consumer are those of the published schema', async (t) => {
  const generated = await readFile(join(example, 'src/generated.ts'), 'utf8');
  t.is(generated, await generate(), 'stale: npm run generate --workspace graphql-consumer');
});

test('the consumer compiles with its generated types', async (t) => {
  const { stdout, status } = spawnSync('tsc', ['-p', example], { encoding: 'utf8' });
  t.is(status, 0, stdout);
});

/** Runs the example as its README says, to its end. */
async function consume(
  t: ExecutionContext,
  env: NodeJS.ProcessEnv,
  ...words: readonly string[]
): Promise<{ readonly code: unknown; readonly output: string }> {
  const child = spawn(process.execPath, [join(example, 'src/main.ts'), ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => endProcess(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => void child.once('close', resolve));
  return { code, output };
}

test('a stranger lists, deploys, follows and reads logs with a typed client', async (t) => {
  t.timeout(240_000);
  const home = await platformHome({ first: join(root, 'examples/hello') });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications/hello';
  const hello = await eventually(
    async () => (await platform.api('GET', path)).json<{ spec: { source: { upload?: { digest: string } } } }>(),
    ({ spec }) => spec.source.upload !== undefined,
  );
  const config = parse(await readFile(join(home.directory, 'data/kubeconfig'), 'utf8')) as {
    clusters: { name: string; cluster: { server: string } }[];
    users: { user: { token: string } }[];
  };
  const env = {
    ...process.env,
    NODE_EXTRA_CA_CERTS: join(home.directory, 'data/ca.pem'),
    TAPPAAS_URL: config.clusters.find(({ name }) => name === 'tappaas')?.cluster.server,
    TAPPAAS_TOKEN: config.users[0]?.user.token,
  };
  const digest = hello.spec.source.upload?.digest ?? '';
  const { code, output } = await consume(t, env, 'default', 'shop', digest);
  t.is(code, 0, output);
  t.regex(output, /^there is hello at http/m);
  t.regex(output, /^shop-deploy-1\S*: Succeeded 100 %/m);
  t.regex(output, /^shop-web-\S+: .+/m);
  const again = await consume(t, env, 'default', 'shop', digest);
  t.is(again.code, 0, again.output);
  t.regex(again.output, /^shop-web-\S+: .+/m);
  for (const refused of [await consume(t, { ...env, TAPPAAS_TOKEN: 'tapp_none' }), await consume(t, env, 'nowhere', 'shop', digest)]) {
    t.is(refused.code, 1, refused.output);
    t.notRegex(refused.output, /^ +at |undefined/m, 'words, and no place in the program');
    t.true(refused.output.length > 20);
  }
  const log =
    '{"query":"{ application(namespace: \\"default\\", name: \\"shop\\") { pods { process ready placement { outcome node feasibleNodes } } configuration(process: \\"none\\") { name } logs(tail: 5) { text } } }"}';
  const { data } = (await platform.api('POST', '/graphql', JSON.parse(log) as object)).json<{
    data: {
      application: { pods: { process: string; ready: boolean; placement: object }[]; configuration: object[]; logs: { text: string }[] };
    };
  }>();
  t.like(data.application, {
    pods: [{ process: 'web', ready: true, placement: { outcome: 'PLACED', feasibleNodes: 1 } }],
    configuration: [],
  });
  t.true(data.application.logs.length > 0);
  const sent = { query: '{ platform { hooks { name plugins } } }' };
  const { hooks } = (await platform.api('POST', '/graphql', sent)).json<{
    data: { platform: { hooks: { name: string; plugins: string[] }[] } };
  }>().data.platform;
  t.deepEqual(hooks.find(({ name }) => name === 'scheduling.filter')?.plugins, ['resources'], JSON.stringify(hooks));
});
