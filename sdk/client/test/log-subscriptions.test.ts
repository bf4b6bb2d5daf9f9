/** The output of an application over connections that break at any byte: no line is lost or delivered twice. */
import { createClient } from '@tappaas/client';
import test, { type ExecutionContext } from 'ava';
import { at, startLogCluster, type LogCluster } from '../../../core/test/api/graphql/log-cluster.ts';
import { startFlakyProxy, type Fault, type FlakyProxy } from './flaky-proxy.ts';

interface Logs {
  readonly applicationLogs: { readonly pod: string; readonly text: string };
}

const document = `subscription Logs($since: String) {
  applicationLogs(namespace: "team", name: "shop", since: $since) { pod text cursor } }`;
const whole: Fault = { bytesMax: Infinity, delayMs: 0 };

/** Follows the output through a flaky proxy until `count` lines have arrived. */
async function follow(
  t: ExecutionContext,
  { server }: LogCluster,
  faultOf: (connection: number) => Fault,
  count: number,
  received: (line: Logs['applicationLogs'], proxy: FlakyProxy) => Promise<void> | void = () => {},
) {
  const proxy = await startFlakyProxy(server.port, faultOf);
  const client = createClient({ server: proxy.url, token: 'admin' });
  t.teardown(async () => {
    await client.close();
    await proxy.close();
  });
  const lines: Logs['applicationLogs'][] = [];
  for await (const { applicationLogs } of client.subscribe<Logs>(document, {}, { signal: new AbortController().signal })) {
    lines.push(applicationLogs);
    if (lines.length === count) break;
    await received(applicationLogs, proxy);
  }
  return { of: (name: string) => lines.filter(({ pod }) => pod === name).map(({ text }) => text), cuts: proxy.cuts() };
}

test('a subscription to logs goes on behind the last line of each pod, wherever its connections break', async (t) => {
  t.timeout(60_000);
  const cluster = await startLogCluster(t);
  const names = ['shop-web-1', 'shop-web-2'];
  for (const name of names)
    (await cluster.run(name)).write(...Array.from({ length: 40 }, (_, index) => at(index >> 2, `line ${index >> 1}`)));
  const expected = Array.from({ length: 40 }, (_, index) => `line ${index >> 1}`);
  // About 300 bytes precede the first line, and each line takes about 250.
  const { of, cuts } = await follow(t, cluster, (connection) => ({ bytesMax: 2_000 + 611 * connection, delayMs: 0 }), 80);
  for (const name of names) t.deepEqual(of(name), expected);
  t.true(cuts > 2, `${cuts} cuts`);
});

test('a release that is deployed during a break is told from its first line', async (t) => {
  const cluster = await startLogCluster(t);
  (await cluster.run('shop-web-1')).write(at(1, 'old'));
  const { of } = await follow(
    t,
    cluster,
    () => whole,
    3,
    async ({ text }, proxy) => {
      if (text !== 'old') return;
      proxy.cut();
      await cluster.deploy(2);
      (await cluster.run('shop-web-2')).write(at(2, 'begins'), at(3, 'is ready'));
      await cluster.remove('shop-web-1');
    },
  );
  t.deepEqual([of('shop-web-1'), of('shop-web-2')], [['old'], ['begins', 'is ready']]);
});

test('the end of the application ends the subscription by its code', async (t) => {
  const cluster = await startLogCluster(t);
  (await cluster.run('shop-web-1')).write(at(1, 'here'));
  const failure = await t.throwsAsync(
    follow(
      t,
      cluster,
      () => whole,
      2,
      async () => {
        await cluster.server.ask('mutation { deleteApplication(input: { namespace: "team", name: "shop" }) { userErrors { code } } }');
        await cluster.remove('shop-web-1');
      },
    ),
  );
  t.is((failure as { problems?: { extensions: { code: string } }[] }).problems?.[0]?.extensions.code, 'TAP_OBJECT_NOT_FOUND');
});
