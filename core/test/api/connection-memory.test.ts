import { Agent, request } from 'node:http';
import test from 'ava';
import { startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps/a';

/** Asks on one connection that is kept. */
function keptConnection(t: { teardown(close: () => void): void }, port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  return (headers: Readonly<Record<string, string>>, method = 'GET', body = ''): Promise<number> =>
    new Promise((resolve, reject) => {
      const requested = request({ host: '127.0.0.1', port, path, agent, method, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      requested.on('error', reject).end(body);
    });
}

function counting() {
  const requested: string[] = [];
  let nowMs = 1_000_000;
  const clock = {
    nowMs: () => nowMs,
    sleep: (_: number, signal: AbortSignal) => new Promise<void>((__, no) => signal.addEventListener('abort', no)),
  };
  const authenticate = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
    const name = (headers['authorization'] ?? '').replace('Bearer ', '');
    requested.push(name);
    if (name === '') return undefined;
    const expiresAtMs = name === 'brief' ? nowMs + 500 : Infinity;
    return { caller: { name, groups: ['system:masters'] }, credentialId: name, expiresAtMs };
  };
  const pass = (ms: number): void => void (nowMs += ms);
  return { requested, authenticate, clock, pass, authorize: () => ({ decision: 'allow' as const, reason: '' }) };
}

test('reads with the same headers on one connection are authenticated once a second', async (t) => {
  const { requested, pass, ...stages } = counting();
  const { port, engine, audited } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  for (let index = 0; index < 3; index += 1) t.is(await ask({ authorization: 'Bearer ann' }), 200);
  t.deepEqual(requested, ['ann']);
  pass(1000);
  t.is(await ask({ authorization: 'Bearer ann' }), 200);
  t.deepEqual(requested, ['ann', 'ann']);
  t.deepEqual(new Set(audited.map(({ caller }) => caller?.name)), new Set(['ann']));
});

test('a credential is remembered no longer than it is good', async (t) => {
  const { requested, pass, ...stages } = counting();
  const { port, engine } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  for (const afterMs of [0, 499, 1]) {
    pass(afterMs);
    t.is(await ask({ authorization: 'Bearer brief' }), 200);
  }
  t.deepEqual(requested, ['brief', 'brief'], 'at first, and when it was over');
});

test('any other header, method or connection is authenticated anew', async (t) => {
  const { requested, pass: _, ...stages } = counting();
  const { port, engine } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  await ask({ authorization: 'Bearer ann' });
  await ask({ authorization: 'Bearer bob' });
  await ask({ authorization: 'Bearer bob', 'x-other': '1' });
  t.is(await ask({}), 401);
  await ask({ authorization: 'Bearer bob' }, 'DELETE');
  await keptConnection(t, port)({ authorization: 'Bearer bob' });
  t.deepEqual(requested, ['ann', 'bob', 'bob', '', 'bob', 'bob']);
});

test('a revoked credential is asked about at once, and who acts as somebody else always', async (t) => {
  const { requested, pass: _, ...stages } = counting();
  const { port, engine, server } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  await ask({ authorization: 'Bearer ann' });
  server.endStreams('ann');
  await ask({ authorization: 'Bearer ann' });
  t.is(requested.length, 2);
  for (let index = 0; index < 2; index += 1) await ask({ authorization: 'Bearer ann', 'impersonate-user': 'bob' });
  t.is(requested.length, 4);
});

test('the headers of a read that was refused for its tricks are looked at every time', async (t) => {
  const { requested, pass: _, ...stages } = counting();
  const { port } = await startServer(t, stages);
  const ask = keptConnection(t, port);
  for (let index = 0; index < 2; index += 1) t.is(await ask({ authorization: 'Bearer ann', 'x-http-method': 'DELETE' }), 400);
  t.is(requested.length, 0);
});

const patch = { authorization: 'Bearer ann', 'content-type': 'application/merge-patch+json' };
const bodyOf = (text: string): string => JSON.stringify({ data: { text } });
const sized = (body: string, headers: Readonly<Record<string, string>> = patch) => ({ ...headers, 'content-length': `${body.length}` });

test('writes are authenticated once a second, however long they are, and forget nobody who reads on their connection', async (t) => {
  const { requested, pass, ...stages } = counting();
  const { port, engine, audited } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  for (const text of ['x', 'xyz', 'xyzxyzxyz']) {
    t.is(await ask(sized(bodyOf(text)), 'PATCH', bodyOf(text)), 200);
    t.is(await ask({ authorization: 'Bearer ann' }), 200);
  }
  t.deepEqual(requested, ['ann', 'ann'], 'the first write and the first read');
  pass(1000);
  t.is(await ask(sized(bodyOf('x')), 'PATCH', bodyOf('x')), 200);
  t.is(requested.length, 3);
  t.deepEqual(new Set(audited.map(({ caller }) => caller?.name)), new Set(['ann']));
});

test('a write of somebody else, with another method or after a revocation is authenticated anew', async (t) => {
  const { requested, pass: _, ...stages } = counting();
  const { port, engine, server } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  const body = bodyOf('x');
  await ask(sized(body), 'PATCH', body);
  await ask(sized(body, { ...patch, authorization: 'Bearer bob' }), 'PATCH', body);
  await ask(sized(body), 'PUT', body);
  await ask(sized(body), 'PATCH', body);
  server.endStreams('ann');
  await ask(sized(body), 'PATCH', body);
  t.is(await ask(sized(body, { 'content-type': patch['content-type'] }), 'PATCH', body), 401);
  t.deepEqual(requested, ['ann', 'bob', 'ann', 'ann', 'ann', '']);
});

test('a read that comes with a body after one that came with none is refused', async (t) => {
  const { requested: _, pass: __, ...stages } = counting();
  const { port, engine } = await startServer(t, stages);
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  const read = { authorization: 'Bearer ann' };
  t.is(await ask(sized('', read)), 200);
  t.is(await ask(sized('body', read), 'GET', 'body'), 400);
  t.is(await ask(sized('', read), 'HEAD'), 200);
  t.is(await ask(sized('body', read), 'HEAD', 'body'), 400);
});

test('who was asked about when a credential was revoked is asked about again', async (t) => {
  const { requested, pass: _, authenticate, ...stages } = counting();
  const verified = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const slowly = async (credentials: Parameters<typeof authenticate>[0]) => {
    const identity = authenticate(credentials);
    reached.resolve();
    await verified.promise;
    return identity;
  };
  const { port, engine, server } = await startServer(t, { ...stages, authenticate: slowly });
  engine.put('default', 'a', {});
  const ask = keptConnection(t, port);
  const first = ask({ authorization: 'Bearer ann' });
  await reached.promise;
  server.endStreams('ann');
  verified.resolve();
  t.is(await first, 200);
  await ask({ authorization: 'Bearer ann' });
  t.is(requested.length, 2);
});
