import test from 'ava';
import { createRequestTracing } from '../../dist/telemetry/traces/request-tracing.js';
import { Tracer } from '../../dist/kernel/tracing/tracer.js';
import type { Caller, Span } from '@tappaas/sdk';
import { callerTraces } from '../../dist/platform/served/caller-traces.js';
import { VirtualClock } from '../virtual-clock.ts';
import { startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
const trace = '0af7651916cd43dd8448eb211c80319c';
const header = (flags: string) => ({ traceparent: `00-${trace}-b7ad6b7169203331-${flags}` });

async function traced(
  t: Parameters<typeof startServer>[0],
  share: number,
  options: Parameters<typeof startServer>[1] = {},
  mayAsk: (caller: Caller) => boolean = () => true,
) {
  const reported: Span[] = [];
  const tracer = new Tracer(Math.random);
  tracer.listen((span) => void reported.push(span));
  const tracing = createRequestTracing({ tracing: tracer, share, mayAsk, random: () => 0.5 });
  return { reported, tracer, ...(await startServer(t, { tracing, ...options })) };
}

test('a request of somebody known is a span, in the trace it came with; audit tells the trace', async (t) => {
  const { ask, reported, audited } = await traced(t, 1);
  t.is((await ask(`${path}/b?limit=1`, { headers: header('01') })).status, 404);
  t.is((await ask('/version')).status, 200);
  const [first, second] = reported;
  t.is(first?.name, 'get configmaps');
  t.is(first?.traceId, trace);
  t.is(first?.parentSpanId, 'b7ad6b7169203331');
  t.is(first?.error, undefined);
  t.like(first?.attributes, {
    'http.request.method': 'GET',
    'url.path': `${path}/b`,
    'http.response.status_code': 404,
    'error.type': 'TAP_OBJECT_NOT_FOUND',
    'tappaas.engine': 'platform',
    'tappaas.verb': 'get',
    'k8s.namespace.name': 'default',
  });
  t.is(second?.name, 'GET /version');
  t.is(second?.parentSpanId, undefined);
  t.not(second?.traceId, trace);
  t.deepEqual(
    audited.map(({ outcome }) => outcome?.annotations?.get('trace.id')),
    [trace, second?.traceId],
  );
});

test('who has said that a trace is not kept is not traced, and of all others a share is', async (t) => {
  const some = await traced(t, 0.4);
  await some.ask('/version', { headers: header('00') });
  await some.ask('/version');
  t.is(some.reported.length, 0);
  await some.ask('/version', { headers: header('01') });
  await some.ask('/version', { headers: { traceparent: 'nonsense' } });
  t.is(some.reported.length, 1);
  const all = await traced(t, 0.6);
  await all.ask('/version');
  await all.ask('/version', { headers: header('00') });
  t.is(all.reported.length, 1);
});

test('a caller has so many traces a second kept by asking for them, and of what it asks beyond them a share', async (t) => {
  const clock = new VirtualClock();
  const mayAsk = callerTraces(2, clock);
  const { ask, reported } = await traced(t, 0.4, {}, mayAsk);
  for (let count = 0; count < 30; count += 1) t.is((await ask('/version', { headers: header('01') })).status, 200);
  t.is(reported.length, 20);
  t.is(reported[0]?.traceId, trace);
  await clock.advance(1_000);
  for (let count = 0; count < 5; count += 1) await ask('/version', { headers: header('01') });
  t.is(reported.length, 22);
  const [joe, rita] = [
    { name: 'joe', groups: [] },
    { name: 'joe', groups: [], tenant: 'rival' },
  ];
  const one = callerTraces(0.1, clock);
  t.deepEqual([one(joe), one(joe), one(rita)], [true, false, true]);
  t.false(callerTraces(0, clock)(joe));
  const all = await traced(t, 0.6, {}, () => false);
  await all.ask('/version', { headers: header('01') });
  t.is(all.reported[0]?.traceId, trace, 'what is traced in any case stays in its trace');
});

test('strangers make no spans, and neither do liveness and readiness', async (t) => {
  const { ask, reported } = await traced(t, 1);
  t.is((await ask(path, { as: '', headers: header('01') })).status, 401);
  t.is((await ask('/livez', { as: '' })).status, 200);
  t.is(reported.length, 0);
});

test('what is served belongs to the span, and a failure inside is told by its code', async (t) => {
  const seen: (string | undefined)[] = [];
  const { tracer, ask, reported } = await traced(t, 1, {
    flow: () => {
      seen.push(tracer.current?.traceId);
      throw new Error('what a caller sent');
    },
  });
  t.is((await ask('/version', { headers: header('01') })).status, 500);
  t.deepEqual(seen, [trace]);
  t.is(reported.length, 1);
  t.is(reported[0]?.attributes['http.response.status_code'], 500);
  t.is(typeof reported[0]?.error, 'string');
  t.false(JSON.stringify(reported).includes('what a caller sent'));
});

test('a request that audit refuses to take ends its span', async (t) => {
  const { ask, reported } = await traced(t, 1, {
    audit: () => {
      throw new Error('no room');
    },
  });
  t.is((await ask('/version')).status, 500);
  t.deepEqual(
    reported.map(({ attributes }) => attributes['http.response.status_code']),
    [500],
  );
});
