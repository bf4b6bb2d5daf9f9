/** What is one for the whole platform, whichever of its processes is asked: what plugins keep for it, and how plugins fare. */
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import test from 'ava';
import { toBoth } from '../pinned.ts';
import { call, eventually, platformHome, storeOnly, type Connection } from '../platform-process.ts';
import { writePlugin } from '../plugin-package.ts';

const notes = `
import { definePlugin, hooks } from '@tappaas/sdk';
export default definePlugin({
  id: 'notes',
  setup(host) {
    host.tap(hooks.admission.validate, {}, ({ object }) => {
      if (object.metadata.name === 'broken') throw new Error('broken');
    });
    const route = { path: '/notes/:key', description: 'A note.', bodyBytesMax: 1024, auth: 'caller' };
    host.http({ ...route, method: 'GET', handle: async ({ params }, { state }) => ({ status: 200, body: JSON.stringify((await state.get(params.key)) ?? null) }) });
    host.http({
      ...route,
      method: 'PUT',
      async handle({ params, body }, { state }) {
        await state.set(params.key, JSON.parse(Buffer.from(body).toString()), { ttlMs: 600_000, scope: 'platform' });
        return { status: 204 };
      },
    });
  },
});
`;

interface Plugin {
  readonly status: {
    readonly openBreakers: readonly string[];
    readonly openBreakerProcesses: readonly { readonly processes: readonly string[] }[];
  };
}

// One after the other: each has the processors that it needs to be asked often enough.
test.serial('what a plugin keeps for the platform every worker has at once, and an open breaker is told with its process', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: { ...storeOnly, notes: { use: './notes' } }, api: { workers: 2 } });
  t.teardown(() => home.remove());
  await writePlugin(home.directory, 'notes', notes);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const senders = await Promise.all(toBoth(t, connection).map((worker) => worker.sender()));
  for (let round = 0; round < 20; round += 1) {
    t.is((await call(connection, 'PUT', '/plugins/notes/notes/key', JSON.stringify(round))).status, 204);
    t.deepEqual(await Promise.all(senders.map((send) => send('GET', '/plugins/notes/notes/key'))), [round, round]);
  }
  const broken = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'broken' } };
  const received = await eventually(
    async () => {
      for (const send of senders) await send('POST', '/api/v1/namespaces/default/configmaps', broken).catch(() => undefined);
      return (await platform.api('GET', '/apis/platform.tappaas.dev/v1alpha1/plugins/notes')).json<Plugin>().status;
    },
    ({ openBreakerProcesses }) => openBreakerProcesses?.[0]?.processes.length === 2,
  );
  t.deepEqual(received.openBreakers, ['admission.validate']);
  t.deepEqual(received.openBreakerProcesses, [{ hook: 'admission.validate', processes: ['w1', 'w2'] }]);
  const described = await home.tappaas('plugins', 'notes');
  t.regex(described.stdout, /admission\.validate \(breaker open in w1, w2: skipped for a while\)/);
});

test.serial('what policies in shadow mode would have forbidden is told alike by every worker, whichever of them was asked', async (t) => {
  t.timeout(2 * 60_000);
  const home = await platformHome({ plugins: { ...storeOnly, policies: { use: '@tappaas/access-abac' } }, api: { workers: 2 } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const cedar = 'forbid (principal, action == Action::"get", resource is Object) when { resource.resource == "configmaps" };';
  const policy = { metadata: { name: 'try' }, spec: { cedar, mode: 'Shadow' } };
  t.is((await call(connection, 'POST', '/apis/platform.tappaas.dev/v1alpha1/policies', policy)).status, 201);
  const senders = await Promise.all(toBoth(t, connection).map((worker) => worker.sender()));
  const received = (about: string) =>
    eventually(
      async () => {
        await call(connection, 'GET', `/api/v1/namespaces/default/configmaps/${about}`, undefined, undefined, {
          'impersonate-user': 'ann',
          // Whichever worker comes first.
          connection: 'close',
        });
        const answers = await Promise.all(senders.map((send) => send<{ items: { about: string }[] }>('GET', '/plugins/policies/shadow')));
        return answers.map(({ items }) => items);
      },
      (answers) => answers.every((items) => items.some((item) => item.about === `configmaps default/${about}`)),
    );
  for (let index = 0; index < 6; index += 1) await received(`a${index}`);
  for (const items of await received('last')) t.is(items.filter((item) => /\/a\d$/.test(item.about)).length, 6);
});

const attemptsMax = 6;

/** Asks on a connection of its own until the time is over; answers how often it was served, and what it was told at last is left. */
async function sendUntil({ server, token, ca }: Connection, untilMs: number): Promise<{ readonly served: number; readonly left: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const once = () =>
    new Promise<{ readonly status: number; readonly left: number }>((answered, failed) => {
      const outgoing = request(new URL('/api/v1', server), { ca, agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        const left = Number(/r=(\d+)/.exec(String(answer.headers['ratelimit']))?.[1]);
        answer.resume().on('end', () => answered({ status: answer.statusCode ?? 0, left }));
      });
      outgoing.on('error', failed).end();
    });
  let [served, left] = [0, NaN];
  while (performance.now() < untilMs) {
    const answer = await once();
    if (answer.status === 200) served += 1;
    left = answer.left;
  }
  agent.destroy();
  return { served, left };
}

test.serial(
  'two workers together give a caller its rate, one of them alone gives all of it, and both tell the same of what is left',
  async (t) => {
    t.timeout(2 * 60_000);
    // So little that one connection after the other takes it on a machine that is busy with other tests, too.
    const rate = { perSecond: 50, burst: 80 };
    // What the workers begin with comes on top of the burst (decision 0213).
    const startMax = rate.burst / 8;
    const home = await platformHome({ plugins: storeOnly, api: { workers: 2, flow: { system: rate } } });
    t.teardown(() => home.remove());
    const platform = await home.start();
    t.teardown(() => platform.stop());
    const { connection } = platform;
    const run = async (connections: number) => {
      // What was taken before comes back.
      await new Promise((again) => setTimeout(again, 1000 * (1 + rate.burst / rate.perSecond)));
      const sinceMs = performance.now();
      const each = await Promise.all(Array.from({ length: connections }, () => sendUntil(connection, sinceMs + 3_000)));
      const served = each.reduce((sum, one) => sum + one.served, 0);
      const most = rate.burst + (rate.perSecond * (performance.now() - sinceMs)) / 1000;
      return { served, most, left: each.map(({ left }) => left) };
    };
    type Run = Awaited<ReturnType<typeof run>>;
    const hasItsRate = ({ served }: Run): boolean => served >= 0.9 * (rate.burst + 3 * rate.perSecond);
    const isSameEverywhere = ({ left }: Run): boolean => Math.max(...left) - Math.min(...left) <= rate.burst / 16 + 12;
    /** More than that is never given; for less there may be no time on a busy machine, so the best of a few counts. */
    const best = async (connections: number, isGood: (found: Run) => boolean): Promise<void> => {
      const all: Run[] = [];
      do {
        const found = await run(connections);
        t.true(found.served <= found.most + startMax, `${found.served} of ${found.most} on ${connections} connections`);
        all.push(found);
      } while (all.length < attemptsMax && !all.some(isGood));
      t.true(all.some(isGood), `${connections} connections: ${JSON.stringify(all)}`);
    };
    await best(1, hasItsRate);
    await best(12, (found) => hasItsRate(found) && isSameEverywhere(found));
  },
);

test.serial('an address has as many connections as it may with both workers together', async (t) => {
  t.timeout(2 * 60_000);
  const most = 48;
  const home = await platformHome({ plugins: storeOnly, api: { workers: 2, connectionsPerAddressMax: most } });
  t.teardown(() => home.remove());
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const { hostname: host, port } = new URL(platform.connection.server);
  let open = 0;
  const join = (): Promise<void> =>
    new Promise((settled) => {
      const from = { localAddress: '127.0.0.2' };
      const socket = connect({ host, port: Number(port), ca: platform.connection.ca, ...from });
      t.teardown(() => socket.destroy());
      let isOpen = false;
      const ended = (): void => {
        open -= isOpen ? 1 : 0;
        isOpen = false;
        settled();
      };
      socket.on('error', () => undefined).on('close', ended);
      socket.once('secureConnect', () => {
        isOpen = true;
        open += 1;
        settled();
      });
    });
  // Each worker keeps its part of those that nobody has used: an eighth of all, for the two.
  const least = most - most / 16;
  const isFull = (): boolean => open >= least;
  for (let turn = 0; turn < 10 || (turn < 40 && !isFull()); turn += 1) await Promise.all(Array.from({ length: 15 }, join));
  // What was cut off in its handshake is heard of a moment later.
  await eventually(
    async () => open,
    (count) => count <= most,
  );
  t.true(isFull(), `${open} are open`);
  t.is((await platform.api('GET', '/api/v1')).status, 200, 'others are served');
});
