/** The output of an application as it is followed: over breaks, restarts and releases, each line once. */
import test, { type ExecutionContext } from 'ava';
import { flowErrors } from '../../../dist/flow/errors.js';
import { at, startLogCluster, type LogCluster } from './log-cluster.ts';
import { connect } from './subscriber.ts';
import type { GraphqlServerOptions } from './graphql-server.ts';

interface Line {
  readonly pod: string;
  readonly text: string;
  readonly time: string;
  readonly cursor: string;
}

const document = `subscription L($since: String, $tail: Int! = 100, $process: String) {
  applicationLogs(namespace: "team", name: "shop", since: $since, tail: $tail, process: $process) { pod text time cursor } }`;

/** A subscription on a connection of its own. */
function subscribe(t: ExecutionContext, { server }: LogCluster, variables: Record<string, unknown> = {}) {
  const connected = connect(t, server.port);
  const followed = connected.follow(document, variables);
  const next = async (): Promise<Line> => {
    const result = await followed.next();
    if (result === undefined) throw new Error(`it has ended: ${JSON.stringify(await followed.ended)}`);
    return result.data.applicationLogs;
  };
  return {
    next,
    take: async (count: number) => {
      const lines: Line[] = [];
      while (lines.length < count) lines.push(await next());
      return lines;
    },
    ended: followed.ended as Promise<{ readonly message: string; readonly extensions: { readonly code: string } }[]>,
    cut: () => connected.client.terminate(),
  };
}

const textsOf = (lines: readonly Line[]): readonly string[] => lines.map(({ text }) => text);

test('a subscription that broke in the middle of lines goes on behind the last one, of each pod, wherever it broke', async (t) => {
  const cluster = await startLogCluster(t);
  const names = ['shop-web-1', 'shop-web-2', 'shop-mail-1'];
  // Several lines have the same time, and the same text.
  const lines = Array.from({ length: 30 }, (_, index) => at(Math.floor(index / 4), `line ${Math.floor(index / 2)}`));
  for (const name of names) (await cluster.run(name)).write(...lines);
  const expected = lines.map((line) => line.replace(/^\S+ /, ''));
  for (let cut = 1; cut < 90; cut += 7) {
    const first = subscribe(t, cluster);
    const reported = await first.take(cut);
    first.cut();
    const second = subscribe(t, cluster, { since: reported.at(-1)?.cursor });
    reported.push(...(await second.take(90 - cut)));
    second.cut();
    for (const name of names) t.deepEqual(textsOf(reported.filter(({ pod }) => pod === name)), expected, `cut after ${cut}, ${name}`);
  }
});

test('each line has its time to the nanosecond', async (t) => {
  const cluster = await startLogCluster(t);
  (await cluster.run('shop-web-1')).write(at(123_456_789, 'here'));
  const { cursor: _, ...line } = await subscribe(t, cluster).next();
  t.deepEqual(line, { pod: 'shop-web-1', text: 'here', time: '2026-12-01T08:00:00.123456789Z' });
});

test('last lines that were not told before the break come after it, and no others from before', async (t) => {
  const cluster = await startLogCluster(t);
  const written = Array.from({ length: 10 }, (_, index) => at(index, `old ${index}`));
  const pods = [await cluster.run('shop-web-1'), await cluster.run('shop-web-2')];
  for (const pod of pods) pod.write(...written);
  const first = subscribe(t, cluster, { tail: 2 });
  const reported = [await first.next()];
  first.cut();
  for (const pod of pods) pod.write(at(10, 'new'));
  const second = subscribe(t, cluster, { tail: 2, since: reported[0]?.cursor });
  reported.push(...(await second.take(4)));
  const of = (name: string | undefined) => textsOf(reported.filter(({ pod }) => pod === name));
  t.deepEqual(of(reported[0]?.pod), ['old 8', 'old 9', 'new']);
  t.deepEqual(of(reported.find(({ pod }) => pod !== reported[0]?.pod)?.pod), ['old 9', 'new'], 'nothing of this one was told before');
});

test('what a silent pod writes during the break is told whole, however few last lines were asked for', async (t) => {
  const cluster = await startLogCluster(t);
  const [loud, silent] = [await cluster.run('shop-web-1'), await cluster.run('shop-web-2')];
  const first = subscribe(t, cluster, { tail: 1 });
  // Lines come until the cursor no longer owes the silent pod's last lines: that there are none has been found.
  let last: Line | undefined;
  for (let index = 1; last === undefined || !silent.requested.some(({ follow }) => follow === 'true'); index += 1) {
    loud.write(at(index, 'loud'));
    last = await first.next();
  }
  loud.write(at(900, 'last'));
  while (last.text !== 'last') last = await first.next();
  first.cut();
  silent.write(at(1, 'a'), at(2, 'b'), at(3, 'c'));
  t.deepEqual(textsOf(await subscribe(t, cluster, { tail: 1, since: last.cursor }).take(3)), ['a', 'b', 'c']);
});

test('a pod that has been silent since its last lines were told is not told again after a break', async (t) => {
  const cluster = await startLogCluster(t);
  const [loud, silent] = [await cluster.run('shop-web-1'), await cluster.run('shop-web-2')];
  silent.write(at(1, 'a'), at(2, 'b'), at(3, 'c'));
  const first = subscribe(t, cluster, { tail: 1 });
  t.is((await first.next()).text, 'c');
  loud.write(at(4, 'loud'));
  let last = await first.next();
  // Its last lines are known to have ended when it is followed.
  for (let index = 5; !silent.requested.some(({ follow }) => follow === 'true'); index += 1) {
    loud.write(at(index, 'loud'));
    last = await first.next();
  }
  loud.write(at(900, 'last'));
  while (last.text !== 'last') last = await first.next();
  first.cut();
  const second = subscribe(t, cluster, { since: last.cursor });
  silent.write(at(1000, 'd'));
  t.is((await second.next()).text, 'd');
});

test('a connection to the cluster that breaks is no end, and costs no line and tells none twice', async (t) => {
  const cluster = await startLogCluster(t);
  const pod = await cluster.run('shop-web-1');
  const followed = subscribe(t, cluster);
  pod.write(at(1, 'a'), at(1, 'b'));
  t.deepEqual(textsOf(await followed.take(2)), ['a', 'b']);
  pod.cut();
  pod.write(at(1, 'c'), at(2, 'd'));
  t.deepEqual(textsOf(await followed.take(2)), ['c', 'd']);
});

test('a release that is deployed meanwhile is followed from its first line, when the pods it began with are gone, too', async (t) => {
  const cluster = await startLogCluster(t);
  const old = await cluster.run('shop-web-1');
  old.write(at(1, 'old'));
  const followed = subscribe(t, cluster, { tail: 1 });
  t.is((await followed.next()).text, 'old');
  await cluster.deploy(2);
  const fresh = await cluster.run('shop-web-2', { phase: 'Pending' });
  fresh.write(at(2, 'begins'), at(3, 'is ready'));
  await cluster.setPhase('shop-web-2', 'Running');
  t.deepEqual(textsOf(await followed.take(2)), ['begins', 'is ready']);
  old.write(at(4, 'stops'));
  t.is((await followed.next()).text, 'stops');
  await cluster.remove('shop-web-1');
  fresh.write(at(5, 'goes on'));
  t.like(await followed.next(), { pod: 'shop-web-2', text: 'goes on' });
});

test('what a container wrote before it was started again comes before what it writes then, over a break, too', async (t) => {
  const cluster = await startLogCluster(t);
  const pod = await cluster.run('shop-web-1');
  pod.write(at(1, 'a'));
  const first = subscribe(t, cluster);
  const { cursor } = await first.next();
  first.cut();
  pod.write(at(2, 'ends'));
  pod.restart();
  pod.write(at(3, 'begins'));
  t.deepEqual(textsOf(await subscribe(t, cluster, { since: cursor }).take(2)), ['ends', 'begins']);
});

test('a pod that waits is followed once it has begun, and keeps nobody from the output of those that run', async (t) => {
  const cluster = await startLogCluster(t);
  const [waits, never] = [await cluster.run('shop-web-1', { phase: 'Pending' }), await cluster.run('shop-web-2', { phase: 'Pending' })];
  (await cluster.run('shop-web-3')).write(at(1, 'runs'));
  const followed = subscribe(t, cluster, { tail: 1 });
  t.is((await followed.next()).text, 'runs');
  await cluster.remove('shop-web-2');
  waits.write(at(2, 'first'), at(3, 'second'));
  t.deepEqual(waits.requested, []);
  await cluster.setPhase('shop-web-1', 'Running');
  t.deepEqual(textsOf(await followed.take(2)), ['first', 'second'], 'from its first line on');
  t.true(
    never.requested.every(({ follow }) => follow === 'true'),
    'of one that has never begun no last lines are asked for',
  );
});

test('an application that has no release yet is followed once it has one', async (t) => {
  const cluster = await startLogCluster(t, { isDeployed: false });
  const followed = subscribe(t, cluster, { tail: 1 });
  await cluster.watched;
  (await cluster.run('shop-web-1')).write(at(1, 'first'), at(2, 'second'));
  await cluster.deploy(1);
  t.deepEqual(textsOf(await followed.take(2)), ['first', 'second']);
});

test('a namespace that the cluster has for another one of the platform shows neither pods nor output', async (t) => {
  const cluster = await startLogCluster(t, { createdFor: 'other' });
  const foreign = await cluster.run('shop-web-1');
  foreign.write(at(1, 'of the other namespace'));
  const query = '{ application(namespace: "team", name: "shop") { pods { name } logs { text } } }';
  t.deepEqual((await cluster.server.ask(query)).json.data.application, { pods: [], logs: [] });
  const followed = subscribe(t, cluster);
  await cluster.watched;
  await cluster.remove('shop-web-1');
  await cluster.setCreatedFor('team');
  (await cluster.run('shop-web-2')).write(at(2, 'of its own'));
  await cluster.deploy(2);
  t.is((await followed.next()).text, 'of its own');
  t.deepEqual(foreign.requested, []);
});

test('an application on a cluster that is not loaded is an error by its code, at once and when a release moves there', async (t) => {
  const cluster = await startLogCluster(t);
  const pod = await cluster.run('shop-web-1');
  pod.write(at(1, 'here'));
  const followed = subscribe(t, cluster);
  t.is((await followed.next()).text, 'here');
  await cluster.deploy(2, 'west');
  for (const { ended } of [followed, subscribe(t, cluster)]) {
    const [error] = await ended;
    t.is(error?.extensions.code, 'TAP_GRAPHQL_CLUSTER_UNKNOWN');
    t.regex(error?.message ?? '', /"shop" runs on cluster west.*expected .*found/);
  }
  const asked = (field: string) => cluster.server.ask(`{ application(namespace: "team", name: "shop") { ${field} } }`);
  t.is((await asked('logs { text }')).json.errors[0].extensions.code, 'TAP_GRAPHQL_CLUSTER_UNKNOWN');
  t.deepEqual((await asked('pods { name }')).json.data.application, { pods: [] });
});

test('it ends with the application, by name, once the last pod has told everything', async (t) => {
  const cluster = await startLogCluster(t);
  const pod = await cluster.run('shop-web-1');
  const followed = subscribe(t, cluster);
  pod.write(at(1, 'runs'));
  await followed.next();
  await cluster.server.ask('mutation { deleteApplication(input: { namespace: "team", name: "shop" }) { userErrors { code } } }');
  pod.write(at(2, 'ends'));
  t.is((await followed.next()).text, 'ends');
  await cluster.remove('shop-web-1');
  const [error] = await followed.ended;
  t.deepEqual([error?.extensions.code, error?.message], ['TAP_OBJECT_NOT_FOUND', 'applications "shop" was deleted']);
});

test('a pod that has ended for good is read to its end once, and not asked again', async (t) => {
  const cluster = await startLogCluster(t);
  const [done, other] = [await cluster.run('shop-mail-1', { process: 'mail', phase: 'Succeeded' }), await cluster.run('shop-web-1')];
  done.write(at(1, 'done'));
  done.restart();
  const followed = subscribe(t, cluster);
  other.write(at(1, 'a'));
  await followed.next();
  other.write(at(2, 'b'));
  const { cursor } = await followed.next();
  t.true(done.requested.length <= 2, JSON.stringify(done.requested));
  t.truthy(cursor);
});

test('a cursor that is none, a part of one, or of something else is refused by the name of its argument', async (t) => {
  const cluster = await startLogCluster(t);
  (await cluster.run('shop-web-1')).write(at(1, 'here'));
  const first = subscribe(t, cluster);
  const { cursor } = await first.next();
  const changed = Buffer.from(Buffer.from(cursor, 'base64url').toString().replace('2026-12', '2026-99')).toString('base64url');
  for (const since of ['12', '{}', cursor.slice(0, -4), changed, 'A'.repeat(70_000), `${cursor}${cursor}`]) {
    const [error] = await subscribe(t, cluster, { since }).ended;
    t.is(error?.extensions.code, 'TAP_GRAPHQL_ARGUMENT_INVALID', since.slice(0, 100));
    t.regex(error?.message ?? '', /^since: expected /);
  }
  const [other] = await subscribe(t, cluster, { since: cursor, process: 'web' }).ended;
  t.is(other?.message, 'since: expected a cursor of the same application and process, found that of another');
});

test('a hundred pods are followed; of one more the subscription is an error and no part of them', async (t) => {
  const cluster = await startLogCluster(t);
  for (let index = 1; index <= 100; index += 1) (await cluster.run(`shop-web-${index}`)).write(at(index, 'here'));
  const followed = subscribe(t, cluster);
  const lines = await followed.take(100);
  t.is(new Set(lines.map(({ pod }) => pod)).size, 100);
  t.true((lines.at(-1)?.cursor.length ?? Infinity) < 10_000, 'of a hundred pods the cursor is short');
  await cluster.run('shop-web-101');
  for (const { ended } of [followed, subscribe(t, cluster), subscribe(t, cluster, { since: lines.at(-1)?.cursor })]) {
    const [error] = await ended;
    t.is(error?.extensions.code, 'TAP_GRAPHQL_TOO_COSTLY');
    t.regex(error?.message ?? '', /more than 100 pods.*process/);
  }
  (await cluster.run('shop-mail-1', { process: 'mail' })).write(at(1, 'of fewer'));
  t.is((await subscribe(t, cluster, { process: 'mail' }).next()).text, 'of fewer');
});

test('each pod that is followed is one of the streams that its caller may have, until the subscription ends', async (t) => {
  const seats = { taken: 0, max: 7 };
  const idle = Promise.withResolvers<void>();
  const flow: GraphqlServerOptions['flow'] = ({ stream }) => {
    if (!stream) return { release: () => {} };
    if (seats.taken === seats.max) throw flowErrors.TAP_FLOW_FULL({ message: 'no more' });
    seats.taken += 1;
    return {
      release: () => {
        seats.taken -= 1;
        if (seats.taken === 0) idle.resolve();
      },
    };
  };
  const cluster = await startLogCluster(t, { flow });
  for (const index of [1, 2, 3]) (await cluster.run(`shop-web-${index}`)).write(at(index, 'here'));
  const first = subscribe(t, cluster);
  await first.take(3);
  t.is(seats.taken, 5, 'the connection, the subscription and three pods');
  const second = subscribe(t, cluster);
  const [error] = await second.ended;
  t.is(error?.extensions.code, 'TAP_FLOW_FULL');
  for (const each of [first, second]) each.cut();
  await idle.promise;
  t.is(seats.taken, 0);
});

test('a client that does not read holds up its own lines, and gets all of them later', async (t) => {
  const cluster = await startLogCluster(t);
  const pod = await cluster.run('shop-web-1');
  const text = 'x'.repeat(8_000);
  pod.write(...Array.from({ length: 3_000 }, (_, index) => at(index, `${index} ${text}`)));
  const followed = subscribe(t, cluster, { tail: 1_000 });
  const lines = await followed.take(1_000);
  t.deepEqual(
    textsOf(lines),
    Array.from({ length: 1_000 }, (_, index) => `${2_000 + index} ${text}`),
  );
});

test('the last lines of a query have their times, and no cursor', async (t) => {
  const cluster = await startLogCluster(t);
  (await cluster.run('shop-web-1')).write(at(7, 'here'));
  const { json } = await cluster.server.ask('{ application(namespace: "team", name: "shop") { logs { text time cursor } } }');
  t.deepEqual(json.data.application.logs, [{ text: 'here', time: '2026-12-01T08:00:00.000000007Z', cursor: null }]);
});
