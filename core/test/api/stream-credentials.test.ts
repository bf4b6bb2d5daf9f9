import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { credentialErrors, errorTable, type Caller, type Identity } from '@tappaas/sdk';
import test from 'ava';
import type { Authorize } from '../../dist/api/stages.js';
import type { Verdict } from '../../dist/ports/access.js';
import { Exchange } from '../../dist/api/request/exchange.js';
import { impersonate } from '../../dist/api/request/impersonation.js';
import { isStillAllowed } from '../../dist/api/watch/stream-access.js';
import { StreamCredentials } from '../../dist/api/watch/stream-credentials.js';
import { ownMs } from '../own-time.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { openWatch, startServer } from './running-server.ts';

const watched = '/api/v1/namespaces/default/configmaps?watch=1';

test('open streams of a revoked credential end, and those of others go on', async (t) => {
  const { port, server } = await startServer(t);
  const [mine, other] = await Promise.all([openWatch(port, watched), openWatch(port, watched, { authorization: 'Bearer viewer' })]);
  server.endStreams('admin');
  await mine.ended();
  server.endStreams('nobody');
  const ended = await Promise.race([other.ended().then(() => true), setImmediate(false)]);
  t.false(ended);
});

test('a stream whose credential is no longer known ends within ten seconds without anybody telling', async (t) => {
  let isKnown = true;
  const admin: Identity = { caller: { name: 'admin', groups: ['system:masters'] }, credentialId: 'admin' };
  const { port } = await startServer(t, { authenticate: () => (isKnown ? admin : undefined) });
  const watch = await openWatch(port, watched);
  isKnown = false;
  t.true((await ownMs(() => watch.ended())) < 10_000);
});

const yes: Verdict = { decision: 'allow', reason: '' };
const no: Verdict = { decision: 'no-opinion', reason: 'no role says so' };

test('a watch whose role is taken away, or that may be seen in part now, ends within ten seconds; others go on', async (t) => {
  for (const [title, after] of [
    ['taken away', no],
    ['narrowed', { ...yes, narrowed: { labelSelector: 'a=b' } }],
  ] as const) {
    let now: Verdict = yes;
    const { port } = await startServer(t, { authorize: ({ caller }) => (caller.name === 'viewer' ? now : yes) });
    const [mine, other] = await Promise.all([openWatch(port, watched, { authorization: 'Bearer viewer' }), openWatch(port, watched)]);
    now = after;
    t.true((await ownMs(() => mine.ended())) < 10_000, title);
    t.false(await Promise.race([other.ended().then(() => true), setImmediate(false)]), title);
  }
});

test('access is told when a stream is only asked about again, and when something is done', async (t) => {
  const requested: string[] = [];
  const { port } = await startServer(t, {
    authorize: ({ verb, isReview = false }) => {
      requested.push(`${verb} ${isReview}`);
      return yes;
    },
  });
  const watch = await openWatch(port, watched, { 'impersonate-user': 'joe' });
  t.deepEqual(requested, ['impersonate false', 'watch false']);
  while (requested.length < 4) await setImmediate();
  t.deepEqual(requested.slice(2), ['impersonate true', 'watch true']);
  watch.close();
});

test('a watch of who may no longer act as somebody else ends within ten seconds', async (t) => {
  let mayImpersonate = true;
  const { port } = await startServer(t, {
    authorize: ({ caller, verb }) => (verb !== 'impersonate' || (caller.name === 'admin' && mayImpersonate) ? yes : no),
  });
  const watch = await openWatch(port, watched, { 'impersonate-user': 'joe' });
  mayImpersonate = false;
  t.true((await ownMs(() => watch.ended())) < 10_000);
});

test('whether somebody may still act as another is asked about who acts, never about whom it acts as', async (t) => {
  const mayImpersonate = new Set(['admin']);
  const authorize: Authorize = ({ caller, verb }) => (verb !== 'impersonate' || mayImpersonate.has(caller.name) ? yes : no);
  const admin: Caller = {
    name: 'admin',
    groups: [],
    tenant: 'acme',
    scope: { verbs: ['get', 'watch', 'impersonate'] },
    credential: { id: 'ci' },
  };
  const headers = { 'impersonate-user': 'joe' };
  const exchange = stream({ caller: admin, credentialId: 'x' }, headers);
  await impersonate(authorize, exchange);
  const acting = exchange.caller;
  t.like(acting, { name: 'joe', tenant: 'acme', scope: admin.scope, credential: { id: 'ci' } });
  t.true(await isStillAllowed(authorize, exchange));
  t.deepEqual(exchange.caller, acting);
  mayImpersonate.clear();
  mayImpersonate.add('joe');
  await t.throwsAsync(isStillAllowed(authorize, exchange), { code: 'TAP_REQUEST_FORBIDDEN' });
});

test('a stream goes on while an authorizer does not answer', async (t) => {
  const clock = new VirtualClock();
  const joe: Identity = { caller: { name: 'joe', groups: [] }, credentialId: 'x' };
  const requested: Exchange[] = [];
  const failing = (exchange: Exchange): boolean => {
    requested.push(exchange);
    throw upstream.TAP_TEST_UPSTREAM({ message: 'no answer' });
  };
  const exchange = stream(joe);
  await clock.advance(60_000);
  await new StreamCredentials(() => joe, failing, clock).check(exchange);
  t.deepEqual(requested, [exchange]);
  t.false(exchange.signal.aborted);
});

const upstream = errorTable({ TAP_TEST_UPSTREAM: { blame: 'upstream', retry: 'back-off', httpStatus: 503, remedy: 'Wait.' } });

function stream(identity: Identity, headers: Readonly<Record<string, string>> = {}) {
  const request: unknown = { headers, headersDistinct: {}, socket: {} };
  const exchange = new Exchange(request as IncomingMessage, {} as ServerResponse, 'r1', 0, Infinity);
  return Object.assign(exchange, { identity, isStream: true });
}

test('a stream is asked about every four seconds, and ends when its caller means somebody else or is refused', async (t) => {
  const joe: Identity = { caller: { name: 'joe', groups: ['a'] }, credentialId: 'x' };
  const cases: readonly (readonly [string, () => Identity | undefined, boolean])[] = [
    ['the same', () => joe, false],
    ['equal', () => ({ ...joe, caller: { ...joe.caller } }), false],
    ['another group', () => ({ ...joe, caller: { name: 'joe', groups: ['a', 'b'] } }), true],
    ['another tenant', () => ({ ...joe, caller: { ...joe.caller, tenant: 't' } }), true],
    ['nobody', () => undefined, true],
    [
      'refused',
      () => {
        throw credentialErrors.TAP_CREDENTIAL_INVALID({ message: 'revoked' });
      },
      true,
    ],
    [
      'not answered',
      () => {
        throw upstream.TAP_TEST_UPSTREAM({ message: 'no answer' });
      },
      false,
    ],
  ];
  for (const [title, answer, ends] of cases) {
    const clock = new VirtualClock();
    let count = 0;
    const credentials = new StreamCredentials(
      () => {
        count += 1;
        return answer();
      },
      () => true,
      clock,
    );
    const exchange = Object.assign(stream(joe), { receivedAtMs: clock.nowMs() });
    await clock.advance(3999);
    await credentials.check(exchange);
    t.is(count, 0, title);
    await clock.advance(1);
    await credentials.check(exchange);
    t.is(exchange.signal.aborted, ends, title);
    await credentials.check(exchange);
    t.is(count, 1, title);
  }
});

test('a stream is asked about at once when the clock is set back, and then every four seconds', async (t) => {
  const joe: Identity = { caller: { name: 'joe', groups: [] }, credentialId: 'x' };
  const clock = new VirtualClock();
  let count = 0;
  const credentials = new StreamCredentials(
    () => ((count += 1), joe),
    () => true,
    clock,
  );
  const exchange = Object.assign(stream(joe), { receivedAtMs: clock.nowMs() });
  clock.setBack(3_600_000);
  for (const expected of [1, 1, 1, 1, 2]) {
    await credentials.check(exchange);
    t.is(count, expected);
    await clock.advance(1000);
  }
});

test('a stream is not asked about again while it is being asked about', async (t) => {
  const clock = new VirtualClock();
  let count = 0;
  const answer = Promise.withResolvers<undefined>();
  const credentials = new StreamCredentials(
    () => {
      count += 1;
      return answer.promise;
    },
    () => true,
    clock,
  );
  const exchange = stream({ caller: { name: 'joe', groups: [] }, credentialId: 'x' });
  await clock.advance(60_000);
  const first = credentials.check(exchange);
  await credentials.check(exchange);
  t.is(count, 1);
  answer.resolve(undefined);
  await first;
  t.true(exchange.signal.aborted);
});
