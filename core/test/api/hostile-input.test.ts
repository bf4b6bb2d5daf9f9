import test from 'ava';
import { requestPort, startServer } from './running-server.ts';
import { rawRequest, sendRaw } from './raw-socket.ts';

const path = '/api/v1/namespaces/default/configmaps';

/** Every refusal is a Status: no page, no stack, nothing that a browser would take for markup. */
const paths: Readonly<Record<string, string>> = {
  'an encoded slash': `${path}/a%2fb`,
  'an encoded backslash': `${path}/a%5Cb`,
  'an encoded dot segment': `${path}/%2e%2e/secrets`,
  'a dot segment': `${path}/../secrets`,
  'an encoded NUL byte': `${path}/a%00b`,
  'an encoded line break': `${path}/a%0d%0ab`,
  'a doubly encoded slash': `${path}/a%252fb`,
  'a letter that is escaped': '/plugins/%70latform/explain',
  'a dash that is escaped': '/plugins/access%2Dabac/shadow',
  'an empty segment': '/api/v1//configmaps',
  'a backslash': `${path}\\a`,
  'a broken escape': `${path}/a%zz`,
  'a broken UTF-8 escape': `${path}/%ff`,
  'an absolute form': 'http://other.example/api/v1',
  'an asterisk': '*',
  markup: `${path}/<script>`,
};

for (const [what, target] of Object.entries(paths)) {
  test(`a path with ${what} is refused with 400`, async (t) => {
    const server = await startServer(t);
    const answer = await sendRaw(server.port, rawRequest(`GET ${target} HTTP/1.1`, ['Connection: close']));
    t.is(answer.status, 400, answer.head);
    t.is(answer.json.kind, 'Status');
    t.false(/<|\bat \S+:\d+/.test(answer.body), answer.body);
    t.is(server.engine.writes.length, 0);
  });
}

test('a path is taken as it is written: neither upper case nor a slash at the end reaches another route', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  t.is((await ask(`${path}/a`)).status, 200);
  t.is((await ask(`/API/v1/namespaces/default/configmaps/a`)).status, 404);
  t.is((await ask(`${path}/a/`)).status, 404);
  t.is((await ask('/version/')).status, 404);
  t.is((await ask('/Version')).status, 404);
});

const heads: Readonly<Record<string, readonly [status: number, text: string]>> = {
  'two content lengths': [400, rawRequest(`POST ${path} HTTP/1.1`, ['Content-Length: 2', 'Content-Length: 3'], '{}')],
  'content length beside chunks': [
    400,
    rawRequest(`POST ${path} HTTP/1.1`, ['Content-Length: 2', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  'an unknown transfer encoding': [400, rawRequest(`POST ${path} HTTP/1.1`, ['Transfer-Encoding: chunked, gzip'], '0\r\n\r\n')],
  'a space before the colon': [400, rawRequest(`GET ${path} HTTP/1.1`, ['X-A : 1'])],
  'a folded header': [400, rawRequest(`GET ${path} HTTP/1.1`, ['X-A: 1', ' 2'])],
  'a bare line feed': [400, `GET ${path} HTTP/1.1\nHost: localhost\n\n`],
  'no host': [400, `GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`],
  'two authorizations': [400, rawRequest(`GET ${path} HTTP/1.1`, ['Authorization: Bearer viewer'])],
  'two hosts': [400, rawRequest(`GET ${path} HTTP/1.1`, ['Host: other'])],
  'a method override': [400, rawRequest(`GET ${path} HTTP/1.1`, ['X-HTTP-Method-Override: DELETE'])],
  'a body on a read': [400, rawRequest(`GET ${path} HTTP/1.1`, ['Content-Length: 2'], '{}')],
  'an unknown method': [400, rawRequest(`BREW ${path} HTTP/1.1`)],
  'headers of 20 KiB': [431, rawRequest(`GET ${path} HTTP/1.1`, [`X-A: ${'a'.repeat(20_000)}`])],
  'headers without number': [
    431,
    rawRequest(
      `GET ${path} HTTP/1.1`,
      Array.from({ length: 500 }, (_, index) => `X-${index}: a`),
    ),
  ],
  'one header too many, which asks for somebody else': [
    400,
    rawRequest(`GET ${path} HTTP/1.1`, [...Array.from({ length: 98 }, (_, index) => `X-${index}: a`), 'Impersonate-User: viewer']),
  ],
  'an unknown expectation': [417, rawRequest(`POST ${path} HTTP/1.1`, ['Expect: something', 'Content-Length: 2'], '{}')],
  'something that is no HTTP': [400, '\x16\x03\x01 hello\r\n\r\n'],
};

for (const [what, [status, text]] of Object.entries(heads)) {
  test(`a request with ${what} is refused with ${status}`, async (t) => {
    const server = await startServer(t);
    const answer = await sendRaw(server.port, text);
    t.is(answer.status, status, answer.head);
    t.is(answer.json.kind, 'Status');
    t.is(server.engine.writes.length, 0);
    t.is((await server.ask('/livez')).text, 'ok');
  });
}

test('what an unknown expectation is answered has the headers that every answer has', async (t) => {
  const server = await startServer(t);
  const { head } = await sendRaw(server.port, rawRequest(`POST ${path} HTTP/1.1`, ['Expect: something', 'Content-Length: 2'], '{}'));
  for (const name of ['X-Request-Id', 'X-Content-Type-Options: nosniff', 'Content-Security-Policy', 'Connection: close'])
    t.true(head.includes(name), name);
});

test('two requests in one piece are two requests, each with its own caller', async (t) => {
  const server = await startServer(t);
  const text = rawRequest('DELETE /livez HTTP/1.1') + `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const answer = await sendRaw(server.port, text);
  t.is(answer.status, 405);
});

test('a method that a path does not know is answered 405 with those it knows', async (t) => {
  const { ask } = await startServer(t);
  const put = await ask(path, { method: 'PUT', body: {} });
  t.is(put.status, 405);
  t.is(put.headers['allow'], 'DELETE, GET, POST');
  t.is(put.json.reason, 'MethodNotAllowed');
  t.is((await ask('/version', { method: 'POST', body: {} })).status, 405);
  t.is((await ask(path, { method: 'OPTIONS' })).status, 405);
});

for (const type of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/cbor',
  'text/html',
  'application/json+evil',
  'application/json; charset=utf-16',
  'application/json; charset="utf-7"',
  '__proto__',
]) {
  test(`a body of type ${type} is refused with 415`, async (t) => {
    const { ask, engine } = await startServer(t);
    const answer = await ask(path, { method: 'POST', body: '{}', headers: { 'content-type': type } });
    t.is(answer.status, 415);
    t.is(answer.json.reason, 'UnsupportedMediaType');
    t.is(engine.writes.length, 0);
  });
}

test('a body that says that it is UTF-8 is taken', async (t) => {
  const { ask } = await startServer(t);
  for (const [index, charset] of ['utf-8', '"UTF-8"', 'UTF8'].entries()) {
    const headers = { 'content-type': `application/json;charset=${charset}` };
    t.is((await ask(path, { method: 'POST', body: `{"metadata":{"name":"a${index}"}}`, headers })).status, 201);
  }
});

test('a compressed body is refused: nothing is unpacked', async (t) => {
  const { ask, engine } = await startServer(t);
  t.is((await ask(path, { method: 'POST', body: 'x', headers: { 'content-encoding': 'gzip' } })).status, 415);
  t.is(engine.writes.length, 0);
});

test('a body above one MiB is refused with 413, announced or not', async (t) => {
  const { ask, port, engine } = await startServer(t);
  const announced = await ask(path, { method: 'POST', body: Buffer.alloc(1024 * 1024 + 1, 32) });
  t.is(announced.status, 413);
  t.is(announced.json.reason, 'RequestEntityTooLarge');
  const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
  const chunked = await sendRaw(port, rawRequest(`POST ${path} HTTP/1.1`, ['Transfer-Encoding: chunked'], chunk.repeat(18)));
  t.is(chunked.status, 413);
  t.is(engine.writes.length, 0);
  t.is((await ask(path, { method: 'POST', body: `{"metadata":{"name":"a"},"data":{"x":"${'a'.repeat(1_000_000)}"}}` })).status, 201);
});

test('a client that waits for 100 Continue is refused before it sends its body', async (t) => {
  const { port } = await startServer(t);
  const refused = await sendRaw(port, rawRequest(`POST ${path} HTTP/1.1`, ['Expect: 100-continue', 'Content-Length: 2000000']));
  t.is(refused.status, 413);
  const head = rawRequest(`POST ${path} HTTP/1.1`, ['Expect: 100-continue', 'Content-Length: 2', 'Connection: close']);
  const continued = await sendRaw(port, `${head}{}`);
  t.true(continued.head.startsWith('HTTP/1.1 100 Continue'));
});

const parameters: Readonly<Record<string, string>> = {
  'a limit that is no number': `${path}?limit=many`,
  'a negative limit': `${path}?limit=-1`,
  'a limit given twice': `${path}?limit=1&limit=2`,
  'a watch that is no flag': `${path}?watch=true&allowWatchBookmarks=perhaps`,
  'a resourceVersion of letters': `${path}?resourceVersion=abc`,
  'an endless timeout': `${path}?watch=1&timeoutSeconds=99999999`,
  'an unknown match rule': `${path}?resourceVersion=1&resourceVersionMatch=Newest`,
};

for (const [what, target] of Object.entries(parameters)) {
  test(`${what} is refused with 400`, async (t) => {
    const { ask } = await startServer(t);
    const answer = await ask(target);
    t.is(answer.status, 400);
    t.is(answer.json.details.code, 'TAP_REQUEST_PARAMETER_INVALID');
  });
}

test('delete options that are no delete options are refused and nothing is deleted', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const bodies = [
    '[]',
    '"x"',
    '{',
    '{"gracePeriodSeconds":"now"}',
    '{"propagationPolicy":"Sometimes"}',
    '{"preconditions":{"uid":1}}',
    '{"preconditions":[{"uid":"u"}]}',
    '{"__proto__":{}}',
    '\xff',
  ];
  for (const body of [...bodies, `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`]) {
    t.is((await ask(`${path}/a`, { method: 'DELETE', body: Buffer.from(body, 'latin1') })).status, 400, body);
  }
  const bomb = `a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n`;
  for (const body of [bomb, 'a: b: c', 'a: 1\na: 2', '{a: ']) {
    const answer = await ask(`${path}/a`, { method: 'DELETE', body, headers: { 'content-type': 'application/yaml' } });
    t.is(answer.status, 400, body);
  }
  t.is(engine.writes.length, 0);
  t.is((await ask(`${path}/a`)).status, 200);
});

test('names of JavaScript itself are no kinds, engines or parameters', async (t) => {
  const { ask } = await startServer(t);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.is((await ask(`/api/v1/namespaces/default/${name}`)).status, 404);
    t.is((await ask(`/apis/${name}/v1/things`)).status, 404);
    t.is((await ask(`/clusters/${name}/api/v1/configmaps`)).status, 404);
    t.is((await ask(`/openapi/v3/${name}`)).status, 404);
    t.is((await ask(`/${name}`)).status, 404);
    t.is((await ask(`${path}?${name}=1`)).status, 200);
  }
});

test('input of a caller is escaped in responses, and no response is HTML', async (t) => {
  const { port } = await startServer(t);
  const answer = await requestPort(port, `${path}?limit=<script>alert(1)</script>&x=%3Cb%3E`, { headers: { accept: '*/*' } });
  t.is(answer.status, 400);
  t.is(answer.headers['content-type'], 'application/json');
  t.is(answer.headers['x-content-type-options'], 'nosniff');
  t.false(answer.text.includes('<'));
});

test('a client that connects and says nothing, or speaks slowly, holds up nobody', async (t) => {
  const { ask, port } = await startServer(t);
  const slow = sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: `, { msMax: 60_000 }).catch(() => undefined);
  t.is((await ask('/livez')).status, 200);
  await slow;
});

test('broken protobuf is refused with 400', async (t) => {
  const { ask, engine } = await startServer(t);
  const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
  const bodies = [
    '',
    'k8s',
    'k8s\0',
    'k8s\0\x0a\xff\xff\xff\xff\x0f',
    'k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x05\x0a\xff\xff\xff\x0f',
    'k8s\0\x0a\x0b\x0a\x02v1\x12\x05Thing',
  ];
  for (const body of bodies) {
    const answer = await ask(path, { method: 'POST', body: Buffer.from(body, 'latin1'), headers });
    t.is(answer.status, 400, JSON.stringify(body));
  }
  t.is(engine.writes.length, 0);
});
