import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';
import test from 'ava';
import { createFlow } from '../../dist/flow/flow.js';
import { defaultFlowSettings, type FlowSettings } from '../../dist/flow/flow-settings.js';
import { realClock, startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps/a';
const allow = () => ({ decision: 'allow' as const, reason: '' });
const authenticate = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
  const name = (headers['authorization'] ?? '').replace('Bearer ', '');
  return { caller: { name, groups: [], tenant: name }, credentialId: name };
};
const flowOf = (settings: Partial<FlowSettings>, clock: Clock = realClock) =>
  createFlow({ settings: { ...defaultFlowSettings, ...settings }, clock });
/** What comes back with time does not come back, however long the requests of a test take. */
const stopped: Clock = { ...realClock, nowMs: () => 1_000_000 };

test('every answer says what is left, and who has asked for too much is told when to come again', async (t) => {
  const tenant = { perSecond: 0.5, burst: 2 };
  const flow = flowOf({ tenant, waitMsMax: 1 }, stopped);
  const { ask, engine, audited } = await startServer(t, { authenticate, authorize: allow, flow });
  engine.put('default', 'a', {});
  const first = await ask(path, { as: 'loud' });
  t.is(first.status, 200);
  t.is(first.headers['ratelimit-policy'], '"tenant";q=2;w=4, "user";q=1000;w=2');
  t.is(first.headers['ratelimit'], '"tenant";r=1;t=2, "user";r=999;t=1');
  t.is((await ask(`${path}nothing`, { as: 'loud' })).headers['ratelimit'], '"tenant";r=0;t=4, "user";r=998;t=1');
  const refused = await ask(path, { as: 'loud' });
  t.is(refused.status, 429);
  t.is(refused.json.reason, 'TooManyRequests');
  t.is(refused.json.details.code, 'TAP_FLOW_FULL');
  t.is(refused.headers['retry-after'], '2');
  t.regex(String(refused.headers['ratelimit']), /^"tenant";r=0;t=4/);
  t.is(audited.at(-1)?.outcome?.status, 429);
  t.is((await ask(path, { as: 'quiet' })).status, 200);
});

test('a tenant that floods the server is slowed down to its rate while another is served as if it were alone', async (t) => {
  const tenant = { perSecond: 50, burst: 10 };
  const { ask, engine } = await startServer(t, { authenticate, authorize: allow, flow: flowOf({ tenant, queuedPerPrincipalMax: 20 }) });
  engine.put('default', 'a', {});
  const over = new AbortController();
  const statuses: number[] = [];
  const sinceMs = Date.now();
  const flood = Array.from({ length: 50 }, async () => {
    while (!over.signal.aborted) statuses.push((await ask(path, { as: 'loud' })).status);
  });
  const quiet: number[] = [];
  for (let index = 0; index < 10; index += 1) {
    quiet.push((await ask(path, { as: 'quiet' })).status);
    await delay(30);
  }
  over.abort();
  await Promise.all(flood);
  const seconds = (Date.now() - sinceMs) / 1000;
  t.deepEqual(
    quiet,
    Array.from({ length: 10 }, () => 200),
  );
  const served = statuses.filter((status) => status === 200).length;
  t.true(served <= tenant.burst + tenant.perSecond * seconds + 1, `${served} in ${seconds} s`);
  t.true(served >= tenant.burst);
  t.true(statuses.includes(429));
});

test('a client that goes away while it waits is not worked for, and leaves no one behind', async (t) => {
  const waiting: AbortSignal[] = [];
  const inner = flowOf({ requestsPerPrincipalMax: 1 });
  const flow: typeof inner = (request) => {
    waiting.push(request.signal);
    return inner(request);
  };
  const { ask, engine, port } = await startServer(t, { authenticate, authorize: allow, flow });
  const gate = Promise.withResolvers<void>();
  let worked = 0;
  engine.intercept = async () => {
    worked += 1;
    if (worked === 1) await gate.promise;
  };
  const hasRequested = async (count: number): Promise<void> => {
    while (waiting.length < count) await delay(5);
  };
  const running = ask(path, { as: 'ann' });
  await hasRequested(1);
  const gone = connect(port, '127.0.0.1', () => gone.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n\r\n`));
  await hasRequested(2);
  gone.destroy();
  const [, signal] = waiting;
  if (signal !== undefined && !signal.aborted) await once(signal, 'abort');
  const next = ask(path, { as: 'ann' });
  await hasRequested(3);
  t.is(worked, 1);
  gate.resolve();
  t.is((await running).status, 404);
  t.is((await next).status, 404);
  t.is(worked, 2, 'the request of who has gone never reached the engine');
});

test('a request tells flow control what it turns out to be, and one that has to wait is worked on when it may', async (t) => {
  const work: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const weigh = (done: object): Promise<void> | undefined => {
    work.push(done);
    return 'bytes' in done ? gate.promise : undefined;
  };
  const { ask, engine } = await startServer(t, { flow: () => ({ release: () => {}, weigh }) });
  const collection = '/api/v1/namespaces/default/configmaps';
  const body = JSON.stringify({ metadata: { name: 'b' }, data: { x: 'x'.repeat(200_000) } });
  const writing = ask(collection, { method: 'POST', body, as: 'admin', headers: { 'content-type': 'application/json' } });
  while (work.length === 0) await delay(5);
  t.is(engine.writes.length, 0, 'nothing is done with it before');
  gate.resolve();
  t.is((await writing).status, 201);
  await engine.writes[0]?.options.weigh?.(7);
  await engine.writes[0]?.options.weigh?.(7);
  t.deepEqual(work, [{ bytes: body.length, keys: 4 }, { keys: 3 }], 'what it is more than was sent, once however often it is made anew');
});

test('a body of YAML is told as such, since it takes long to read, and JSON that is sent as YAML is JSON', async (t) => {
  const work: unknown[] = [];
  const { ask, engine } = await startServer(t, { flow: () => ({ release: () => {}, weigh: (done) => void work.push(done) }) });
  engine.put('default', 'a', {});
  const yaml = 'data: {}\n';
  const json = ' \n{"data":{}}';
  const sent = [
    ['POST', '/api/v1/namespaces/default/configmaps', 'application/yaml', yaml],
    ['PATCH', `${path}?fieldManager=me`, 'application/apply-patch+yaml', yaml],
    ['PATCH', `${path}?fieldManager=me`, 'application/apply-patch+yaml', json],
    ['PATCH', path, 'application/merge-patch+json', json],
  ] as const;
  for (const [method, to, type, body] of sent) await ask(to, { method, body, as: 'admin', headers: { 'content-type': type } });
  t.deepEqual(work, [
    { bytes: yaml.length, yamlBytes: yaml.length },
    { bytes: yaml.length, yamlBytes: yaml.length },
    { bytes: json.length, keys: 0 },
    { bytes: json.length, keys: 0 },
  ]);
});
