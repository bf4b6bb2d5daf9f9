import { errorTable, type Caller } from '@tappaas/sdk';
import test from 'ava';
import { accessOf } from '../access/access-of.ts';
import { requestPort, callers, startServer } from './running-server.ts';
import { sweptClock } from './swept-clock.ts';

const path = '/api/v1/namespaces/default/configmaps';

test('without a credential everything but liveness and readiness is 401, and audit is told', async (t) => {
  const { ask, audited } = await startServer(t);
  for (const each of [path, '/api', '/version', '/openapi/v3', '/metrics', '/nowhere', '/plugins/a/b', '/clusters/local/api']) {
    const answer = await ask(each, { as: '' });
    t.is(answer.status, 401, each);
    t.is(answer.headers['www-authenticate'], 'Bearer realm="tappaas"');
    t.is(answer.json.reason, 'Unauthorized');
  }
  t.is((await ask(path, { as: 'nobody' })).status, 401);
  t.is(audited.length, 9);
  t.true(
    audited.every(
      ({ caller, outcome }) => caller === undefined && outcome?.status === 401 && outcome.errorCode === 'TAP_REQUEST_UNAUTHENTICATED',
    ),
  );
  t.is((await ask('/livez', { as: '' })).text, 'ok');
  t.is((await ask('/healthz', { as: '' })).text, 'ok');
  t.is((await ask('/readyz', { as: '' })).text, 'ok');
});

test('who may not read a kind gets 403 whether or not the object, the kind or the engine exists', async (t) => {
  const { ask, engine } = await startServer(t, { authorize: () => ({ decision: 'no-opinion', reason: '' }) });
  engine.put('default', 'a', {});
  const messages = [];
  for (const each of [
    `${path}/a`,
    `${path}/b`,
    '/api/v1/namespaces/default/nothings/a',
    '/clusters/none/api/v1/namespaces/default/configmaps/a',
  ]) {
    const answer = await ask(each);
    t.is(answer.status, 403, each);
    messages.push(answer.json.message);
  }
  t.is(messages[0].replaceAll('"a"', '"b"'), messages[1]);
  t.is((await ask(path)).status, 403);
});

test('a caller with the right to read an absent object gets 404', async (t) => {
  const { ask } = await startServer(t);
  const answer = await ask(`${path}/b`, { as: 'viewer' });
  t.is(answer.status, 404);
  t.is(answer.json.reason, 'NotFound');
  t.is(answer.json.details.name, 'b');
  const write = await ask(path, { as: 'viewer', method: 'POST', body: {} });
  t.is(write.status, 403);
  t.is(
    write.json.message,
    'configmaps is forbidden: user "viewer" cannot create resource "configmaps" in API group "" in the namespace "default"',
  );
});

test('the stages are asked in the documented order, and each is told what it needs', async (t) => {
  const order: string[] = [];
  const { ask } = await startServer(t, {
    authenticate: () => {
      order.push('authenticate');
      return { caller: callers['admin'] ?? t.fail(), credentialId: 'c' };
    },
    audit: ({ caller, verb, target, engine }) => {
      order.push(`audit ${caller?.name} ${verb} ${target?.kind.plural} ${engine}`);
      return { end: ({ status, impersonated }) => void order.push(`end ${status} as ${impersonated?.name}`) };
    },
    flow: ({ caller, stream }) => {
      order.push(`flow ${caller.name} ${stream}`);
      return { headers: { 'RateLimit-Policy': '1' }, release: () => void order.push('release') };
    },
    authorize: ({ caller, verb, resource }) => {
      order.push(`authorize ${caller.name} ${verb} ${resource?.plural} ${resource?.name}`);
      return { decision: 'allow', reason: '' };
    },
  });
  const answer = await ask(`${path}/a`, { headers: { 'impersonate-user': 'joe', 'impersonate-group': 'devs' } });
  t.is(answer.headers['ratelimit-policy'], '1');
  t.deepEqual(order, [
    'authenticate',
    'audit admin get configmaps platform',
    'authorize admin impersonate users joe',
    'authorize admin impersonate groups devs',
    'flow joe false',
    'authorize joe get configmaps a',
    'release',
    'end 404 as joe',
  ]);
});

for (const later of [false, true]) {
  const settle = <T>(value: T): T | Promise<T> => (later ? Promise.resolve(value) : value);
  const fail = (error: Error): never | Promise<never> => {
    if (later) return Promise.reject(error);
    throw error;
  };
  test(`a stage that answers or refuses ${later ? 'later' : 'at once'} decides the same, and audit hears of the end once`, async (t) => {
    const { REFUSED } = errorTable({ REFUSED: { httpStatus: 429, blame: 'caller', retry: 'back-off', remedy: 'Wait.' } });
    const ended: string[] = [];
    let released = 0;
    const { ask, engine } = await startServer(t, {
      authenticate: ({ headers }) => {
        const name = (headers['authorization'] ?? '').replace('Bearer ', '');
        if (name === 'broken') return fail(REFUSED({ message: 'broken' }));
        return settle(name === 'nobody' ? undefined : { caller: { name, groups: [] }, credentialId: name });
      },
      audit: ({ caller }) => settle({ end: ({ status }) => void ended.push(`${caller?.name} ${status}`) }),
      flow: ({ caller }) =>
        caller.name === 'eager' ? fail(REFUSED({ message: 'full' })) : settle({ release: () => void (released += 1) }),
      authorize: ({ caller }) => settle({ decision: caller.name === 'ann' ? 'allow' : 'no-opinion', reason: '' }),
    });
    engine.put('default', 'a', {});
    const statuses = [];
    for (const as of ['ann', 'bob', 'eager', 'nobody', 'broken']) statuses.push((await ask(`${path}/a`, { as })).status);
    t.deepEqual(statuses, [200, 403, 429, 401, 429]);
    t.deepEqual(ended, ['ann 200', 'bob 403', 'eager 429', 'undefined 401', 'undefined 429']);
    t.is(released, 2);
  });
}

test('an audit that refuses stops the request before anything is done', async (t) => {
  const { ask, engine } = await startServer(t, {
    audit: () => {
      throw new Error('the sink is full');
    },
  });
  t.is((await ask(path, { method: 'POST', body: {} })).status, 500);
  t.is(engine.writes.length, 0);
});

test('audit hears what access has said, what handlers have noted, and the begin of a stream before its end', async (t) => {
  const reported: string[] = [];
  const { ask } = await startServer(t, {
    audit: ({ verb }) => ({
      streaming: ({ status }) => void reported.push(`${verb} begins ${status}`),
      end: ({ status, decision }) => void reported.push(`${verb} ${status} ${decision?.decision}`),
    }),
  });
  await ask(path);
  await ask(path, { as: 'viewer', method: 'DELETE' });
  await ask('/api/v1/configmaps?watch=true&timeoutSeconds=1');
  t.deepEqual(reported, ['list 200 allow', 'deletecollection 403 no-opinion', 'watch begins 200', 'watch 200 allow']);
});

test('a refusal for lack of room says when to come again, and is audited', async (t) => {
  const { FULL } = errorTable({ FULL: { httpStatus: 429, blame: 'caller', retry: 'back-off', remedy: 'Wait.' } });
  const { ask, audited } = await startServer(t, {
    flow: () => {
      throw FULL({ message: 'too many', retryAfterMs: 1500 });
    },
  });
  const answer = await ask(path);
  t.is(answer.status, 429);
  t.is(answer.headers['retry-after'], '2');
  t.is(answer.json.details.retryAfterSeconds, 2);
  t.is(audited[0]?.outcome?.status, 429);
});

test('acting as somebody needs the right to, and half an impersonation is refused', async (t) => {
  const { ask } = await startServer(t);
  t.is((await ask(path, { as: 'viewer', headers: { 'impersonate-user': 'admin' } })).status, 403);
  t.is((await ask(path, { headers: { 'impersonate-user': 'joe' } })).status, 403);
  t.is((await ask(path, { headers: { 'impersonate-user': 'viewer' } })).status, 200);
  t.is((await ask(path, { headers: { 'impersonate-group': 'devs' } })).status, 400);
  t.is((await ask(path, { headers: { 'impersonate-uid': '1' } })).status, 400);
  t.is((await ask(path, { headers: { 'impersonate-user': 'viewer', 'impersonate-extra-scopes': 'x' } })).status, 400);
});

test('several groups may be impersonated, each in a header of its own', async (t) => {
  const seen: (readonly string[])[] = [];
  const { ask } = await startServer(t, {
    flow: ({ caller }) => {
      seen.push(caller.groups);
      return { release: () => {} };
    },
  });
  await ask(path, { headers: { 'impersonate-user': 'viewer', 'impersonate-group': ['a', 'b'] } });
  t.deepEqual(seen, [['a', 'b', 'system:authenticated']]);
});

test('an error inside is answered without its stack and logged with the request id', async (t) => {
  const logged: object[] = [];
  const quiet = (): void => {};
  const log = { debug: quiet, info: quiet, warn: quiet, error: (_: string, fields?: object) => void logged.push(fields ?? {}) };
  const { ask, engine } = await startServer(t, { log });
  engine.intercept = async () => {
    throw new TypeError('secret detail of /home/somebody/file.js');
  };
  const answer = await ask(`${path}/a`);
  t.is(answer.status, 500);
  t.is(answer.json.reason, 'InternalError');
  t.false(answer.text.includes('secret'));
  t.true(answer.json.message.includes(answer.headers['x-request-id']));
  t.is((logged[0] as { requestId: string }).requestId, String(answer.headers['x-request-id']));
});

test('errors of plugins name the plugin, and reasons become causes', async (t) => {
  const { TAP_OBJECT_DENIED } = errorTable({
    TAP_OBJECT_DENIED: { httpStatus: 403, blame: 'caller', retry: 'never', remedy: 'Change it.' },
  });
  const { ask, engine } = await startServer(t);
  engine.intercept = async () => {
    const error = Object.assign(TAP_OBJECT_DENIED({ message: 'denied' }), {
      causes: [{ field: 'spec.x', reason: 'OverBudget', message: 'costs too much', plugin: 'cost-guard' }],
      about: { group: '', kind: 'ConfigMap', name: 'a' },
    });
    error.plugin = 'cost-guard';
    throw error;
  };
  const { json } = await ask(path, { method: 'POST', body: {} });
  t.is(json.message, 'plugin cost-guard: denied');
  t.deepEqual(json.details, {
    group: '',
    kind: 'ConfigMap',
    name: 'a',
    causes: [{ field: 'spec.x', reason: 'OverBudget', message: 'costs too much', plugin: 'cost-guard' }],
    code: 'TAP_OBJECT_DENIED',
    remedy: 'Change it.',
    plugin: 'cost-guard',
  });
});

test('a request that is not finished within its deadline is answered 504 and its signal aborts', async (t) => {
  const { ask, engine } = await startServer(t, { limits: { requestMsMax: 100 } });
  let aborted: unknown;
  engine.intercept = (_, signal) =>
    new Promise((__, reject) => signal().addEventListener('abort', () => reject((aborted = signal().reason))));
  const answer = await ask(`${path}/a`);
  t.is(answer.status, 504);
  t.is(answer.json.details.code, 'TAP_REQUEST_DEADLINE');
  t.true(aborted instanceof Error);
});

/** A server with one request under way that ends only with its signal. */
async function begunRequest(t: Parameters<typeof startServer>[0]) {
  const { clock, passTo } = sweptClock();
  const { ask, engine } = await startServer(t, { clock });
  const begun = Promise.withResolvers<AbortSignal>();
  engine.intercept = (_, signal) =>
    new Promise((__, reject) => {
      signal().addEventListener('abort', () => reject(signal().reason as Error));
      begun.resolve(signal());
    });
  const answer = ask(`${path}/a`);
  const signal = await begun.promise;
  return { answer, signal, pass: passTo };
}

test('a request has sixty seconds where nothing else is configured', async (t) => {
  const { answer, signal, pass } = await begunRequest(t);
  await pass(59_999);
  t.false(signal.aborted);
  await pass(60_000);
  t.true(signal.aborted);
  t.is((await answer).status, 504);
});

test('a request has no more than that when the clock is set back meanwhile', async (t) => {
  const hourMs = 3_600_000;
  const { answer, signal, pass } = await begunRequest(t);
  await pass(10_000);
  await pass(10_000 - hourMs);
  await pass(59_999 - hourMs);
  t.false(signal.aborted);
  await pass(60_000 - hourMs);
  t.true(signal.aborted);
  t.is((await answer).status, 504);
});

test('a handler that does not obey its deadline is answered for', async (t) => {
  const { ask, engine } = await startServer(t, { limits: { requestMsMax: 100, stopMsMax: 200 } });
  engine.intercept = () => new Promise(() => {});
  t.is((await ask(path, { method: 'POST', body: {} })).status, 504);
});

test('when the client goes away, the work for it is aborted', async (t) => {
  const { port, engine } = await startServer(t);
  const { connect } = await import('node:net');
  const aborted = new Promise<void>((resolve) => {
    engine.intercept = (_, signal) =>
      new Promise((__, reject) => {
        signal().addEventListener('abort', () => (resolve(), reject(signal().reason as Error)));
        socket.destroy();
      });
  });
  const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path}/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`));
  await aborted;
  t.pass();
});

test('pages of allowed origins may read answers, others are told nothing', async (t) => {
  const { ask } = await startServer(t, { cors: { origins: ['https://console.example'] } });
  const origin = 'https://console.example';
  t.is((await ask(path, { headers: { origin } })).headers['access-control-allow-origin'], origin);
  const exposed = String((await ask(path, { headers: { origin } })).headers['access-control-expose-headers']);
  for (const name of ['Location', 'Deprecation', 'Sunset', 'ETag']) t.true(exposed.split(', ').includes(name), name);
  const preflight = await ask(path, { method: 'OPTIONS', as: '', headers: { origin, 'access-control-request-method': 'POST' } });
  t.is(preflight.status, 204);
  t.regex(String(preflight.headers['access-control-allow-methods']), /POST/);
  t.is((await ask(path, { headers: { origin: 'https://evil.example' } })).headers['access-control-allow-origin'], undefined);
  const refused = await ask(path, {
    method: 'OPTIONS',
    as: '',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  t.is(refused.status, 401);
});

test('every answer carries a request id and the security headers, refusals before routing too', async (t) => {
  const { port } = await startServer(t);
  const ids = new Set<unknown>();
  for (const each of [path, `${path}/none`, '/livez', `${path}/%00`, '/nowhere', '/api']) {
    const { headers } = await requestPort(port, each, {});
    ids.add(headers['x-request-id']);
    t.is(headers['x-content-type-options'], 'nosniff', each);
    t.is(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
    t.is(headers['x-powered-by'], undefined);
  }
  t.is(ids.size, 6);
});

test('who acts as somebody else stays inside of the scope of the credential and in the own tenant', async (t) => {
  const seen: Caller[] = [];
  const scope = { verbs: ['get', 'impersonate'] };
  const admin = { name: 'admin', groups: ['system:masters'], tenant: 'acme', scope };
  const { ask } = await startServer(t, {
    authenticate: () => ({ caller: admin, credentialId: 'x' }),
    authorize: accessOf().authorize,
    flow: ({ caller }) => {
      seen.push(caller);
      return { release: () => {} };
    },
  });
  const headers = { 'impersonate-user': 'root', 'impersonate-group': 'system:masters' };
  t.is((await ask(`${path}/a`, { headers })).status, 404);
  t.is((await ask(`${path}/a`, { method: 'DELETE', headers })).status, 403);
  t.deepEqual(seen[0], {
    name: 'root',
    groups: ['system:masters', 'system:authenticated'],
    tenant: 'acme',
    scope,
    address: '127.0.0.1',
    impersonator: 'admin',
  });
});
