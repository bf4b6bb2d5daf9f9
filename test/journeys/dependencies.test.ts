/** Applications that need each other, in whatever order they come. */
import test from 'ava';
import { requestApplication } from '../request-application.ts';
import { eventually, platformHome } from '../platform-process.ts';

const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
const says = (text: string) => [
  'node',
  '-e',
  `require('node:http').createServer((_, answer) => answer.end(${text})).listen(process.env.PORT)`,
];
const asks = [
  'node',
  '-e',
  `require('node:http').createServer(async (_, answer) => answer.end(await (await fetch(process.env.PRICES_URL)).text())).listen(process.env.PORT)`,
];

const application = (name: string, spec: object) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name },
  spec: { source: { image: 'process' }, ...spec },
});

test('an application says that what it needs is missing, and goes on by itself when it comes: any port of any process', async (t) => {
  t.timeout(180_000);
  const home = await platformHome();
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const web = { name: 'web', command: asks, ports: [{ name: 'http', port: 8080 }], terminationSeconds: 1 };
  const shop = application('shop', {
    processes: [web],
    env: [{ name: 'PRICES_URL', from: { application: { name: 'catalog', port: 'prices' } } }],
    dependencies: [{ name: 'catalog', ready: true }],
    routes: [{ name: 'public', process: 'web', port: 'http' }],
  });
  t.is((await platform.api('POST', path, shop)).status, 201);
  const ready = async () =>
    (await platform.api('GET', `${path}/shop`))
      .json<{ status: { conditions: { type: string; reason: string; message: string }[] } }>()
      .status.conditions.find(({ type }) => type === 'Ready');
  const waiting = await eventually(ready, (condition) => condition?.reason === 'DependencyMissing');
  t.regex(waiting?.message ?? '', /needs application catalog, .*deploy it, and this goes on by itself/);
  t.regex((await home.tappaas('status', 'shop')).stdout, /needs application catalog/);

  const back = {
    name: 'back',
    command: says(`'from ' + process.env.PORT_PRICES`),
    ports: [{ name: 'prices', port: 9000 }],
    terminationSeconds: 1,
  };
  t.is((await platform.api('POST', path, application('catalog', { processes: [back] }))).status, 201);
  const answer = await eventually(
    () => requestApplication(home, 'shop.default.localhost'),
    ({ status }) => status === 200,
  );
  t.regex(answer.text, /^from \d+$/);
  await eventually(ready, (condition) => condition?.reason !== 'DependencyMissing' && condition?.reason !== 'DependencyNotReady');
});
