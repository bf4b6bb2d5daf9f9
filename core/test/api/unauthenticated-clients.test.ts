import { once } from 'node:events';
import test from 'ava';
import { WebSocket } from 'ws';
import { countAnnotation, countMs, countsMax, auditedMax, auditedPerAddressMax } from '../../dist/api/connection/audit-limits.js';
import { UnauthenticatedClients, unauthenticatedSeats } from '../../dist/api/connection/unauthenticated-clients.js';
import type { AuditedOutcome, AuditedRequest } from '../../dist/ports/audit.js';
import { apiErrors } from '../../dist/api/errors.js';
import type { ServedRoute } from '../../dist/api/contributions.js';
import type { ServedUpgrade } from '../../dist/api/upgrade/upgrade.js';
import { createFlow } from '../../dist/flow/flow.js';
import { defaultFlowSettings } from '../../dist/flow/flow-settings.js';
import { VirtualClock } from '../virtual-clock.ts';
import { realClock, startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps/a';

function start(perMinuteMax = 1_000_000) {
  const clock = new VirtualClock();
  const reported: (AuditedRequest & AuditedOutcome)[] = [];
  let refuses = false;
  const unauthenticatedClients = new UnauthenticatedClients(
    { ...unauthenticatedSeats, perMinuteMax },
    (request) => {
      if (refuses) throw new Error('the sink is full');
      return { end: (outcome) => void reported.push({ ...request, ...outcome }) };
    },
    clock,
  );
  const counts = () => reported.map(({ remoteAddress, annotations }) => [remoteAddress, Number(annotations?.get(countAnnotation))]);
  return { clock, unauthenticatedClients, reported, counts, refuse: (refusing: boolean) => void (refuses = refusing) };
}

test('of one address the first requests without a credential are told each, the rest as a count, and nothing is lost', async (t) => {
  const { unauthenticatedClients, clock, reported, counts } = start();
  let each = 0;
  for (let requested = 0; requested < 2_400; requested += 1) each += unauthenticatedClients.meet('10.0.0.1').isCounted ? 0 : 1;
  t.is(each, auditedPerAddressMax);
  t.deepEqual(counts(), []);
  await clock.advance(countMs);
  t.deepEqual(counts(), [['10.0.0.1', 2_400 - auditedPerAddressMax]]);
  t.like(reported[0], { status: 401, errorCode: 'TAP_REQUEST_UNAUTHENTICATED', verb: 'refused' });
  await clock.advance(10 * countMs);
  t.is(reported.length, 1, 'nothing is told of nobody');
  t.is(clock.sleeping, 0);
  t.false(unauthenticatedClients.meet('10.0.0.1').isCounted, 'after a while they are told each again');
});

test('an address that has asked too much may ask again within a minute, also when the clock was set back', async (t) => {
  const { unauthenticatedClients, clock } = start(2);
  for (let requested = 0; requested < 2; requested += 1) t.is(unauthenticatedClients.meet('10.0.0.1').refusal, undefined);
  t.truthy(unauthenticatedClients.meet('10.0.0.1').refusal);
  clock.setBack(3_600_000);
  t.is(unauthenticatedClients.meet('10.0.0.1').refusal, undefined);
});

test('many addresses together are told no more lines than that either', async (t) => {
  const { unauthenticatedClients, clock, counts } = start();
  let each = 0;
  const all = 6_000;
  for (let address = 0; address < all; address += 1)
    each += unauthenticatedClients.meet(`10.0.${address >> 8}.${address & 255}`).isCounted ? 0 : 1;
  t.is(each, auditedMax);
  await clock.advance(countMs);
  t.is(counts().length, countsMax + 1);
  t.deepEqual(
    counts().reduce((sum, [, count]) => sum + Number(count), 0),
    all - auditedMax,
  );
});

test('what is counted when the server stops is told, and a sink that takes nothing now is told later', async (t) => {
  const { unauthenticatedClients, clock, counts, refuse } = start();
  for (let requested = 0; requested <= auditedPerAddressMax; requested += 1) unauthenticatedClients.meet('10.0.0.1');
  refuse(true);
  await clock.advance(countMs);
  t.deepEqual(counts(), []);
  refuse(false);
  unauthenticatedClients.meet('10.0.0.1');
  await unauthenticatedClients.stop();
  t.deepEqual(counts(), [['10.0.0.1', 1]]);
});

test('an audit log that does not answer when what was counted is told holds a stop up only so long', async (t) => {
  const { ask, server } = await startServer(t, {
    limits: { stopMsMax: 100 },
    audit: ({ requestId }) => (requestId.startsWith('strangers-') ? new Promise(() => undefined) : { end: () => undefined }),
  });
  for (let requested = 0; requested <= auditedPerAddressMax; requested += 1) await ask(path, { as: 'nobody' });
  const over = new AbortController();
  t.teardown(() => over.abort());
  t.true(
    await Promise.race([
      server.close().then(() => true),
      realClock.sleep(60_000, over.signal).then(
        () => false,
        () => false,
      ),
    ]),
  );
});

test('an address that asks for too much without a credential is told to wait, others and who has one are not', async (t) => {
  const { ask, engine, audited } = await startServer(t, { limits: { strangersPerMinuteMax: 30 } });
  engine.put('default', 'a', {});
  const statuses: number[] = [];
  for (let requested = 0; requested < 40; requested += 1) statuses.push((await ask(path, { as: 'nobody' })).status);
  t.deepEqual(statuses, [...Array.from({ length: 30 }, () => 401), ...Array.from({ length: 10 }, () => 429)]);
  const refused = await ask(path, { as: '' });
  t.is(refused.json.details.code, 'TAP_REQUEST_STRANGERS');
  t.true(Number(refused.headers['retry-after']) > 50);
  t.is((await ask(path, { as: 'admin' })).status, 200, 'from the same address');
  t.is(audited.filter(({ caller }) => caller === undefined).length, auditedPerAddressMax);
});

const hook: ServedRoute = {
  instance: 'hook',
  method: 'GET',
  path: '/:status',
  bodyBytesMax: 0,
  auth: 'self',
  handle: async ({ params }) => ({ status: Number(params['status']) }),
};
const statusesOf = (audited: readonly { readonly outcome?: AuditedOutcome }[]) => audited.map(({ outcome }) => outcome?.status);

test('of an address that asks a route which authenticates itself the first are told each, the rest as a count', async (t) => {
  const { ask, server, audited } = await startServer(t, { routes: () => [hook] });
  for (let requested = 0; requested < 70; requested += 1) t.is((await ask('/plugins/hook/204', { as: '' })).status, 204);
  t.deepEqual(
    statusesOf(audited),
    Array.from({ length: auditedPerAddressMax }, () => 204),
  );
  await server.close();
  const [count, ...others] = audited.slice(auditedPerAddressMax);
  t.deepEqual(others, []);
  t.like(count, { verb: 'visited', path: '*', remoteAddress: '127.0.0.1', outcome: { status: 204 } });
  t.is(count?.outcome?.annotations?.get(countAnnotation), String(70 - auditedPerAddressMax));
});

test('the first failures of such a route are told each though its successes are only counted, and so are what flow control refuses', async (t) => {
  let refuses = false;
  const flow = () => {
    if (refuses) throw apiErrors.TAP_REQUEST_STRANGERS({ message: 'too many', retryAfterMs: 1000 });
    return { release: () => undefined };
  };
  const { ask, server, audited } = await startServer(t, { routes: () => [hook], flow });
  for (let requested = 0; requested < 50; requested += 1) await ask('/plugins/hook/200', { as: '' });
  audited.length = 0;
  await ask('/plugins/hook/403', { as: '' });
  refuses = true;
  for (let requested = 0; requested < 60; requested += 1) t.is((await ask('/plugins/hook/200', { as: '' })).status, 429);
  t.deepEqual(statusesOf(audited), [403, ...Array.from({ length: auditedPerAddressMax - 1 }, () => 429)]);
  t.like(audited[1], { path: '/plugins/hook/200', outcome: { errorCode: 'TAP_REQUEST_STRANGERS' } });
  audited.length = 0;
  await server.close();
  const counts = audited.map(({ outcome }) => [outcome?.status, outcome?.annotations?.get(countAnnotation)]);
  t.deepEqual(counts, [
    [200, String(50 - auditedPerAddressMax)],
    [429, String(60 - auditedPerAddressMax + 1)],
  ]);
});

test('pages of other sites that are refused before anybody looks at a credential fill no log', async (t) => {
  const { port, server, audited } = await startServer(t, { authorize: () => ({ decision: 'allow', reason: '' }) });
  const refused = (): Promise<number | undefined> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}?watch=true`, {
      origin: 'https://other.example',
      headers: { cookie: 'a=b' },
    });
    return new Promise(
      (resolve) => void socket.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)).once('error', () => undefined),
    );
  };
  for (let requested = 0; requested < 70; requested += 1) t.is(await refused(), 403);
  const bound = 2 * auditedPerAddressMax;
  t.true(audited.length >= auditedPerAddressMax && audited.length <= bound, `${audited.length} lines`);
  await server.close();
  const counted = audited.filter(({ verb }) => verb === 'visited').map(({ outcome }) => Number(outcome?.annotations?.get(countAnnotation)));
  t.is(audited.length - counted.length + counted.reduce((sum, count) => sum + count, 0), 70, 'each is told or counted');
});

test('visits leave the room of refusals, and refusals that of visits', async (t) => {
  const { ask, engine, audited } = await startServer(t, { routes: () => [hook] });
  engine.put('default', 'a', {});
  for (let requested = 0; requested < 50; requested += 1) await ask('/plugins/hook/200', { as: '' });
  for (let requested = 0; requested < 50; requested += 1) t.is((await ask(path, { as: 'nobody' })).status, 401);
  t.is(audited.filter(({ outcome }) => outcome?.status === 401).length, auditedPerAddressMax);
  t.is((await ask(path, { as: 'admin' })).status, 200);
  t.is(audited.at(-1)?.caller?.name, 'admin', 'somebody known is told each time');
});

test('sockets without a credential take no seat of anybody else, and leave their own to other addresses', async (t) => {
  const later: ServedUpgrade = {
    path: '/later',
    match: ({ info }) => info.path === '/later',
    signsInLater: true,
    async handle(call) {
      const socket = await call.accept();
      const [first] = (await Promise.race([once(socket, 'message'), once(socket, 'close')])) as [unknown];
      if (!Buffer.isBuffer(first)) return;
      await call.signIn(first.toString());
      socket.send(call.exchange.caller.name);
      await once(socket, 'close');
    },
  };
  const flow = createFlow({ settings: { ...defaultFlowSettings, streamsPerPrincipalMax: 2 }, clock: realClock });
  const server = await startServer(t, { upgrades: () => [later], flow, authorize: () => ({ decision: 'allow', reason: '' }) });
  const open = async (localAddress: string): Promise<WebSocket | undefined> => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/later`, { localAddress });
    t.teardown(() => socket.terminate());
    return new Promise((resolve) => void socket.once('open', () => resolve(socket)).once('error', () => resolve(undefined)));
  };
  const seats = unauthenticatedSeats.seatsPerAddressMax;
  const held = await Promise.all(Array.from({ length: seats }, () => open('127.0.0.1')));
  t.true(held.every((socket) => socket !== undefined));
  t.is(await open('127.0.0.1'), undefined, 'one more is refused');
  const other = await open('127.0.0.2');
  other?.send('admin');
  t.is(String((await once(other ?? t.fail(), 'message'))[0]), 'admin');
  const last = held.at(-1);
  last?.send('admin');
  t.is(String((await once(last ?? t.fail(), 'message'))[0]), 'admin', 'who signs in has a seat of its own');
  t.not(await open('127.0.0.1'), undefined, 'which leaves the one before to others');
  last?.close();
  const ofAdmin = () => server.audited.filter(({ caller, outcome }) => caller?.name === 'admin' && outcome?.status === 101);
  // That of the other address signed in as well, in a conversation that began with nobody.
  while (ofAdmin().length < 3) await realClock.sleep(5, new AbortController().signal);
  t.is(ofAdmin().length, 3, 'its signing in and its conversation, though it was only counted before');
});

test('seats before signing in are bounded over all addresses', (t) => {
  const { unauthenticatedClients } = start();
  for (let seat = 0; seat < unauthenticatedSeats.seatsMax; seat += 1) unauthenticatedClients.takeSeat(`10.0.${seat >> 8}.${seat & 255}`);
  t.throws(() => unauthenticatedClients.takeSeat('10.9.9.9'), { code: 'TAP_REQUEST_STRANGERS', message: /there are 1000 conversations/ });
});
