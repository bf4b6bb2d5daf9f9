/** An unauthenticated client requests routes that authenticate by themselves, as fast as a machine can. */
import { Agent, request } from 'node:https';
import test from 'ava';
import { call, eventually, storeOnly } from '../platform-process.ts';
import { make, runPlatform, type RunningPlatform } from './running-platform.ts';

const visits = 3_000;
const atOnce = 32;
const query = 'x'.repeat(1_000);
/** A third of what the visits would take, if each were a line. */
const audit = {
  use: '@tappaas/telemetry-audit-file',
  config: { directory: './data/audit', fileBytesMax: 65_536, totalBytesMax: 1_500_000 },
};

interface Found {
  readonly items: readonly { readonly event: { readonly requestURI: string } }[];
}

async function flood({ connection }: RunningPlatform): Promise<Map<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const url = new URL(`/plugins/graphiql/?${query}`, connection.server);
  const headers = { 'user-agent': 'y'.repeat(256) };
  const statuses = new Map<number, number>();
  const ask = (): Promise<number> =>
    new Promise((done, fail) => {
      request(url, { agent, ca: connection.ca, headers }, (answer) => answer.resume().on('end', () => done(answer.statusCode ?? 0)))
        .on('error', fail)
        .end();
    });
  let left = visits;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status = await ask();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
  return statuses;
}

test('a flood of requests for a page that anybody may see pushes nothing out of the audit log', async (t) => {
  t.timeout(180_000);
  const running = await runPlatform({ ...storeOnly, audit, graphiql: { use: '@tappaas/ui-graphiql' } });
  t.teardown(() => running.stop());
  const found = async (search: string): Promise<Found['items']> =>
    (await call(running.connection, 'GET', `/audit?${search}`)).json<Found>().items;
  await make(running.connection, '/api/v1/namespaces/default/configmaps', { metadata: { name: 'before' } });
  const before = () => found('resource=configmaps&verb=create&name=before');
  await eventually(before, ({ length }) => length > 0);

  const statuses = await flood(running);
  t.true((statuses.get(307) ?? 0) > 0);
  t.is((await before()).length, 1);
  const lines = (await found('verb=get&limit=1000')).filter(({ event }) => event.requestURI.startsWith('/plugins/graphiql/'));
  t.true(lines.length >= 20 && lines.length <= 40, `the first visits, and the first that flow control refuses: ${lines.length}`);
});
