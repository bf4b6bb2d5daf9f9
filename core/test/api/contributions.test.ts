import { setTimeout as delay } from 'node:timers/promises';
import type { HttpAnswer } from '@tappaas/sdk';
import test from 'ava';
import type { ServedAction, ServedRoute, ServedSubresource } from '../../dist/api/contributions.js';
import { apiErrors } from '../../dist/api/errors.js';
import { pathForAccess } from '../../dist/api/plugin-routes.js';
import { configMaps, createFakeEngine } from './fake-engine.ts';
import { openWatch, startServer } from './running-server.ts';
import { sweptClock } from './swept-clock.ts';

const path = '/api/v1/namespaces/default/configmaps';

function route(extra: Partial<ServedRoute>): ServedRoute {
  return {
    instance: 'hooks',
    method: 'POST',
    path: '/in/:source',
    bodyBytesMax: 100,
    auth: 'caller',
    handle: async () => ({ status: 204 }),
    ...extra,
  };
}

test('a route of a plugin gets decoded parameters, query, headers and the raw body, without the credentials', async (t) => {
  let seen: object = {};
  const { ask } = await startServer(t, {
    routes: () => [
      route({
        handle: async (request, call) => {
          seen = { ...request, body: Buffer.from(request.body).toString(), caller: call.caller?.name };
          return { status: 201, headers: { 'Content-Type': 'text/plain', 'X-Own': '1' }, body: 'done' };
        },
      }),
    ],
  });
  const answer = await ask('/plugins/hooks/in/a%20b?x=1', {
    method: 'POST',
    body: 'raw',
    headers: { 'content-type': 'text/plain', cookie: 's=1' },
  });
  t.is(answer.status, 201);
  t.is(answer.text, 'done');
  t.is(answer.headers['x-own'], '1');
  const { headers, ...rest } = seen as { headers: Record<string, string> };
  t.deepEqual<object, object>(rest, { params: { source: 'a b' }, query: { x: '1' }, body: 'raw', caller: 'admin' });
  t.is(headers['authorization'], undefined);
  t.is(headers['cookie'], undefined);
  t.is(headers['content-type'], 'text/plain');
});

test('access is asked about a well-known route by its own name, whatever the instance is called', async (t) => {
  const requested: (string | undefined)[] = [];
  const { ask } = await startServer(t, {
    routes: () => [route({ isWellKnown: true }), route({ path: '/other/:source' })],
    authorize: ({ path }) => {
      requested.push(path);
      return { decision: 'allow', reason: '' };
    },
  });
  for (const path of ['in/x', 'in/a%20b', 'other/x', 'none']) await ask(`/plugins/hooks/${path}`, { method: 'POST', body: '' });
  await ask('/plugins/else/in/x', { method: 'POST', body: '' });
  t.deepEqual(requested, ['/plugins/-/in/x', '/plugins/-/in/a%20b', '/plugins/hooks/other/x', '/plugins/hooks/none', '/plugins/else/in/x']);
});

test('access, audit and handlers know a path by one spelling, however its segments were escaped', async (t) => {
  const requested: (string | undefined)[] = [];
  const named: (string | undefined)[] = [];
  const { ask, audited } = await startServer(t, {
    routes: () => [
      route({ path: '/other/:source', handle: async ({ params }) => (named.push(params['source']), { status: 200, body: '' }) }),
    ],
    authorize: ({ path }) => (requested.push(path), { decision: 'allow', reason: '' }),
  });
  const spellings = { 'a@b:c+d': ['a@b:c+d', 'a%40b%3Ac%2bd'], 'é ': ['%C3%A9%20', '%c3%a9%20'], '?#;': ['%3F%23;', '%3f%23%3b'] };
  for (const [name, spelt] of Object.entries(spellings)) {
    const known = `/plugins/hooks/other/${spelt[0]}`;
    for (const each of spelt) {
      t.is((await ask(`/plugins/hooks/other/${each}`, { method: 'POST', body: '' })).status, 200, each);
      t.deepEqual([requested.at(-1), audited.at(-1)?.path, named.at(-1)], [known, known, name]);
    }
  }
});

test('a question about access means the path by which a request for it would be asked about', (t) => {
  const routes = [route({ isWellKnown: true }), route({ path: '/other/:source' })];
  const cases: readonly (readonly [verb: string, path: string, requested: string])[] = [
    ['post', '/plugins/hooks/in/x', '/plugins/-/in/x'],
    ['POST', '/plugins/hooks/in/a%20b', '/plugins/-/in/a%20b'],
    ['get', '/plugins/hooks/in/x', '/plugins/hooks/in/x'],
    ['post', '/plugins/hooks/in', '/plugins/hooks/in'],
    ['post', '/plugins/hooks/other/x', '/plugins/hooks/other/x'],
    ['post', '/plugins/else/in/x', '/plugins/else/in/x'],
    ['post', '/plugins/hooks/in/a%2fb', '/plugins/hooks/in/a%2fb'],
    ['post', '/plugins/hooks/../in/x', '/plugins/hooks/../in/x'],
    ['post', '/plugins/hooks/in/a%3ab', '/plugins/-/in/a:b'],
    ['post', '/plugins/hooks/other/a%c3%a9', '/plugins/hooks/other/a%C3%A9'],
    ['post', '/livez', '/livez'],
    ['get', '/apis/a%40b', '/apis/a@b'],
  ];
  for (const [verb, path, requested] of cases) t.is(pathForAccess(routes, verb, path), requested, `${verb} ${path}`);
});

test('a route that authenticates by itself is reached without a caller, sees its credentials, and is audited', async (t) => {
  let seen: unknown;
  const { ask, audited } = await startServer(t, {
    routes: () => [
      route({
        auth: 'self',
        handle: async (request, call) => {
          seen = [request.headers['authorization'], 'caller' in call];
          return { status: 200, body: 'ok' };
        },
      }),
    ],
  });
  t.is((await ask('/plugins/hooks/in/x', { method: 'POST', body: '', as: 'somebody' })).status, 200);
  t.deepEqual(seen, ['Bearer somebody', false]);
  t.is(audited[0]?.outcome?.status, 200);
});

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const refused = () => {
  throw apiErrors.TAP_REQUEST_HEADER_INVALID({ message: `<script>alert("1")</script> & 'more'`, retryAfterMs: 1_500 });
};

test('a browser that is refused at a route for people sees a page with the reason, what to do, and where to begin again', async (t) => {
  const visited = route({ method: 'GET', path: '/in/:source', auth: 'self', beginAgainAt: '/begin?at=:source', handle: refused });
  const { ask, audited } = await startServer(t, { routes: () => [visited] });
  const answer = await ask('/plugins/hooks/in/%3Cb%3E%22x', { headers: browser, as: '' });
  t.is(answer.status, 400);
  t.is(answer.headers['content-type'], 'text/html; charset=utf-8');
  t.is(answer.headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
  t.is(answer.headers['x-content-type-options'], 'nosniff');
  t.is(answer.headers['referrer-policy'], 'no-referrer');
  t.is(answer.headers['retry-after'], '2');
  const { text } = answer;
  t.true(text.includes('<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;</p>'), text);
  t.true(text.includes('<a href="/plugins/hooks/begin?at=%3Cb%3E%22x">'), text);
  t.true(text.includes(`request ${String(answer.headers['x-request-id'])}`), text);
  t.true(text.includes('Wait 2 s'), text);
  t.notRegex(text, /<script|<style|style=| on[a-z]+=/);
  t.is(audited[0]?.outcome?.errorCode, 'TAP_REQUEST_HEADER_INVALID', 'audit is told as ever');
});

test('a browser is shown a page, too, when it is refused before the handler or the handler breaks', async (t) => {
  const broken = async (): Promise<never> => {
    throw new Error('a secret of the inside');
  };
  const routes = () => [
    route({ method: 'GET', path: '/own', beginAgainAt: '/' }),
    route({ method: 'GET', path: '/broken', auth: 'self', beginAgainAt: '/', handle: broken }),
  ];
  const { ask } = await startServer(t, { routes });
  const unknown = await ask('/plugins/hooks/own', { headers: browser, as: '' });
  t.is(unknown.status, 401);
  t.regex(unknown.text, /^<!doctype html>/);
  const failed = await ask('/plugins/hooks/broken', { headers: browser, as: '' });
  t.is(failed.status, 500);
  t.regex(failed.text, /^<!doctype html>[^]*inside of the platform/);
  t.false(failed.text.includes('a secret'));
});

test('whoever does not ask for a page before JSON, and every other path, is told a Status', async (t) => {
  const visited = route({ method: 'GET', path: '/in/:source', auth: 'self', beginAgainAt: '/', handle: refused });
  const { ask } = await startServer(t, {
    routes: () => [visited, route({ method: 'GET', path: '/plain', auth: 'self', handle: refused })],
  });
  for (const accept of [
    'application/json',
    '*/*',
    '',
    'application/json, text/html',
    'text/html;q=0.5, application/json',
    'text/html;q=0, */*',
  ]) {
    t.is((await ask('/plugins/hooks/in/x', { headers: { accept }, as: '' })).json.kind, 'Status', accept);
  }
  t.is((await ask('/plugins/hooks/plain', { headers: browser, as: '' })).json.kind, 'Status');
  t.is((await ask('/plugins/hooks/none', { headers: browser })).json.kind, 'Status');
  t.is((await ask('/api/v1/nothing', { headers: browser })).json.kind, 'Status');
});

test('only the path, the instance and the method of a route reach it', async (t) => {
  const { ask } = await startServer(t, { routes: () => [route({ auth: 'self' })] });
  t.is((await ask('/plugins/hooks/in/x', { method: 'GET' })).status, 405);
  t.is((await ask('/plugins/hooks/in/x', { method: 'GET', as: '' })).status, 401);
  t.is((await ask('/plugins/hooks/in', { method: 'POST', body: '' })).status, 404);
  t.is((await ask('/plugins/hooks/in/x/y', { method: 'POST', body: '' })).status, 404);
  t.is((await ask('/plugins/other/in/x', { method: 'POST', body: '' })).status, 404);
  t.is((await ask('/clusters/platform/plugins/hooks/in/x', { method: 'POST', body: '', as: '' })).status, 401);
});

test('a body above what the route takes is refused before its handler runs', async (t) => {
  let calls = 0;
  const { ask } = await startServer(t, {
    routes: () => [
      route({
        handle: async () => {
          calls += 1;
          return { status: 204 };
        },
      }),
    ],
  });
  t.is((await ask('/plugins/hooks/in/x', { method: 'POST', body: 'x'.repeat(101) })).status, 413);
  t.is(calls, 0);
  t.is((await ask('/plugins/hooks/in/x', { method: 'POST', body: 'x'.repeat(100) })).status, 204);
});

test('an answer that is no HTTP is a failure, not a broken connection; headers of the connection stay ours', async (t) => {
  const answers: HttpAnswer[] = [
    { status: 99 },
    { status: 200, headers: { 'bad name': 'x' } },
    { status: 200, headers: { 'x-a': 'a\r\nx-b: b' } },
    { status: 200, body: { answer: 42 } as never },
    { status: 200, body: 42 as never },
    { status: 200, headers: { connection: 'upgrade', 'content-length': '5000', 'x-request-id': 'mine' }, body: 'ok' },
  ];
  const { ask } = await startServer(t, { routes: () => [route({ handle: async () => answers.shift() ?? { status: 204 } })] });
  for (let index = 0; index < 5; index += 1) t.is((await ask('/plugins/hooks/in/x', { method: 'POST', body: '' })).status, 500);
  const answer = await ask('/plugins/hooks/in/x', { method: 'POST', body: '' });
  t.is(answer.text, 'ok');
  t.not(answer.headers['x-request-id'], 'mine');
});

test('a page of a plugin may say which content it allows', async (t) => {
  const headers = { 'Content-Type': 'text/html', 'Content-Security-Policy': "default-src 'self'" };
  const { ask } = await startServer(t, {
    routes: () => [route({ method: 'GET', path: '/', handle: async () => ({ status: 200, headers, body: '<p>' }) })],
  });
  const answer = await ask('/plugins/hooks');
  t.is(answer.headers['content-security-policy'], "default-src 'self'");
  t.is(answer.headers['x-content-type-options'], 'nosniff');
});

test('a streamed answer comes as it is made, takes a seat of a stream, and ends when the client leaves', async (t) => {
  const seats: boolean[] = [];
  const state = { released: 0, isOver: false };
  async function* lines(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; ; index += 1) {
        yield Buffer.from(`{"line":${index}}\n`);
        await delay(10, undefined, { signal });
      }
    } finally {
      state.isOver = true;
    }
  }
  const { clock, passTo } = sweptClock();
  const { port } = await startServer(t, {
    clock,
    flow: ({ stream }) => {
      seats.push(stream);
      return { release: () => void (state.released += 1) };
    },
    routes: () => [route({ method: 'GET', path: '/log', handle: async (_, { signal }) => ({ status: 200, body: lines(signal) }) })],
  });
  const stream = await openWatch(port, '/plugins/hooks/log');
  for (let index = 0; index < 10; index += 1) {
    t.is((await stream.next()).line, index);
    // A request that is no stream would be over after a minute.
    await passTo((index + 1) * 60_000);
  }
  t.deepEqual(seats, [false, true]);
  t.is(state.released, 1);
  stream.close();
  while (!state.isOver || state.released < 2) await delay(5);
  t.is(state.released, 2);
});

const extended = configMaps({
  subresources: [
    { name: 'restart', verbs: ['create'] },
    { name: 'log', verbs: ['get'] },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
});
const action: ServedAction = {
  engine: 'platform',
  group: '',
  plural: 'configmaps',
  name: 'restart',
  description: 'Begins it anew.',
  input: {},
  output: {},
  isLong: false,
  handle: async ({ key, input, dryRun }, { caller }) => ({ output: { key, input, dryRun, by: caller.name } }),
};

test('an action is a POST on the object, with its input and whether it is only tried', async (t) => {
  const engine = createFakeEngine([extended]);
  const { ask, audited } = await startServer(t, { engines: () => new Map([['platform', engine]]), actions: () => [action] });
  const answer = await ask(`${path}/a/restart?dryRun=All`, { method: 'POST', body: { why: 'test' } });
  t.is(answer.status, 200);
  t.deepEqual(answer.json, { key: { namespace: 'default', name: 'a' }, input: { why: 'test' }, dryRun: true, by: 'admin' });
  t.is(audited[0]?.outcome?.annotations?.get('tappaas.dev/dry-run'), 'true');
  t.is((await ask(`${path}/a/restart`, { method: 'POST', body: { why: 'test' }, as: 'viewer' })).status, 403);
  t.is((await ask(`${path}/a/restart`)).status, 405);
  t.is((await ask(`${path}/a/unknown`, { method: 'POST', body: {} })).status, 404);
  t.is((await ask(`${path}/a/restart`, { method: 'POST', body: '{"a":{"__proto__":1}}' })).status, 400);
});

test('an action that goes on is answered 202 with the place of its Operation', async (t) => {
  const operation = '/apis/ops.tappaas.dev/v1alpha1/namespaces/default/operations/restart-1';
  const engine = createFakeEngine([extended]);
  const { ask } = await startServer(t, {
    engines: () => new Map([['platform', engine]]),
    actions: () => [{ ...action, handle: async () => ({ output: {}, operation }) }],
  });
  const answer = await ask(`${path}/a/restart`, { method: 'POST' });
  t.is(answer.status, 202);
  t.is(answer.headers['location'], operation);
});

test('a subresource of a plugin is answered by its handler, others by the engine', async (t) => {
  const engine = createFakeEngine([extended]);
  const part: ServedSubresource = {
    engine: 'platform',
    group: '',
    plural: 'configmaps',
    name: 'log',
    method: 'GET',
    handle: async ({ key, query }) => ({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: `${key.namespace}/${key.name} ${query['tail']}`,
    }),
  };
  const { ask } = await startServer(t, { engines: () => new Map([['platform', engine]]), subresources: () => [part] });
  t.is((await ask(`${path}/a/log?tail=5`)).text, 'default/a 5');
  t.is((await ask(`${path}/a/status`)).status, 404);
  await ask(`${path}/a/status`, { method: 'PUT', body: { metadata: { name: 'a' } } });
  t.is(engine.writes[0]?.write.target.subresource, 'status');
});

test('a part of a plugin that does something refuses conditions, which nobody would look at', async (t) => {
  const engine = createFakeEngine([configMaps({ subresources: [{ name: 'restart', verbs: ['create'] }] })]);
  let calls = 0;
  const part = { engine: 'platform', group: '', plural: 'configmaps', name: 'restart', method: 'POST' } as const;
  const handle = async () => {
    calls += 1;
    return { status: 200 };
  };
  const { ask } = await startServer(t, {
    engines: () => new Map([['platform', engine]]),
    subresources: () => [{ ...part, handle }],
  });
  for (const name of ['idempotency-key', 'if-match', 'if-none-match']) {
    const { status, json } = await ask(`${path}/a/restart`, { method: 'POST', headers: { [name]: '"1"' } });
    t.is(status, 400, name);
    t.regex(json.message, new RegExp(name, 'i'));
  }
  t.is((await ask(`${path}/a/restart`, { method: 'POST' })).status, 200);
  t.is(calls, 1);
});

test('a further engine is served under its mount, with its own kinds and documents', async (t) => {
  const local = { ...createFakeEngine([configMaps({ plural: 'things', kind: 'Thing', group: 'x.dev', shortNames: [] })]), name: 'local' };
  const platform = createFakeEngine();
  const { ask, audited } = await startServer(t, {
    engines: () =>
      new Map([
        ['platform', platform],
        ['local', local],
      ]),
  });
  t.is((await ask('/clusters/local/apis')).json.groups[0].name, 'x.dev');
  t.deepEqual((await ask('/apis')).json.groups, []);
  t.is((await ask('/clusters/local/apis/x.dev/v1/namespaces/default/things')).json.kind, 'ThingList');
  t.is((await ask('/apis/x.dev/v1/namespaces/default/things')).status, 404);
  t.is((await ask('/clusters/local/version')).status, 200);
  for (const path of [
    '/clusters/local/metrics',
    '/clusters/none/version',
    '/clusters/platform/version',
    '/clusters/platform/api/v1/configmaps',
  ]) {
    t.is((await ask(path)).status, 404, path);
  }
  t.is((await ask('/clusters/platform/livez', { as: '' })).status, 401);
  const index = await ask('/clusters/local/openapi/v3');
  const url = index.json.paths['apis/x.dev/v1'].serverRelativeURL;
  t.true(url.startsWith('/clusters/local/openapi/v3/apis/x.dev/v1?hash='));
  t.is((await ask(url)).status, 200);
  t.is(audited[2]?.engine, 'local');
});

test('where browsers know the certificate, answers of routes tell them to come by TLS only, unless the plugin says otherwise', async (t) => {
  const own = { 'Strict-Transport-Security': 'max-age=60' };
  const routes = () => [route({}), route({ path: '/own', handle: async () => ({ status: 204, headers: own }) })];
  const reported = async (server: Awaited<ReturnType<typeof startServer>>, name: string) =>
    (await server.ask(`/plugins/hooks/${name}`, { method: 'POST', body: '' })).headers['strict-transport-security'];
  const known = await startServer(t, { routes, strictTransport: true });
  t.is(await reported(known, 'in/x'), 'max-age=31536000');
  t.is(await reported(known, 'own'), 'max-age=60');
  t.is(await reported(await startServer(t, { routes }), 'in/x'), undefined, 'localhost serves other things over plain http');
});
