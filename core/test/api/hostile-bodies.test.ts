/** The whole way of a body: listener, decoding, schema, store. Nothing of what is refused may be stored. */
import test from 'ava';
import { requestPort, type Answer } from './running-server.ts';
import { startRealServer, type RealServer } from './real-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
let server: RealServer;

test.before(async () => {
  server = await startRealServer();
});
test.after.always(() => server.close());

function post(body: string | Uint8Array, type = 'application/json', query = ''): Promise<Answer> {
  return requestPort(server.port, `${path}${query}`, { method: 'POST', as: server.token, body, headers: { 'content-type': type } });
}

function isRefusal(answer: Answer): boolean {
  return answer.status >= 400 && answer.status < 500 && answer.json.kind === 'Status' && !/<|\bat \S+:\d+/.test(answer.text);
}

const object = (inside: string): string => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"refused"}${inside}}`;
const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const json: Readonly<Record<string, string | Uint8Array>> = {
  nothing: '',
  'no JSON': '{',
  'a list': '[]',
  'a word': '"x"',
  null: 'null',
  'two documents': `${object('')}${object('')}`,
  'bytes that are not UTF-8': Buffer.concat([Buffer.from(object('').slice(0, -2)), Buffer.of(0xff, 0xfe)]),
  'a byte order mark of UTF-16': Buffer.from(`\ufeff${object('')}`, 'utf16le'),
  'another kind': '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"refused"}}',
  'another version': '{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"refused"}}',
  'no name': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}',
  'a name with a slash': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a/b"}}',
  'a name with a NUL byte': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a\\u0000"}}',
  'a name of 300 letters': `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${'a'.repeat(300)}"}}`,
  'another namespace': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"refused","namespace":"kube-system"}}',
  'a uid of its own choice': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"refused","resourceVersion":"5"}}',
  'a number for a word': object(',"data":{"x":1}'),
  'a list for a map': object(',"data":[]'),
  'a map for a word': object(',"data":{"x":{}}'),
  'a key called __proto__': object(',"__proto__":{"polluted":true}'),
  'a key __proto__ inside': object(',"data":{"__proto__":"x"}'),
  'a number too large for JSON': object(',"immutable":1e999'),
  'a depth of 1,000': object(`,"data":${deep(1000)}`),
  'a depth of 100,000': object(`,"data":${deep(100_000)}`),
  'no base64 where bytes belong': object(',"binaryData":{"x":"***"}'),
  'a label that is none': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"refused","labels":{"a b":"c"}}}',
};

for (const [what, body] of Object.entries(json)) {
  test(`JSON with ${what} is refused, and nothing is stored`, async (t) => {
    const answer = await post(body, 'application/json', '?fieldValidation=Strict');
    t.true(isRefusal(answer), `${answer.status} ${answer.text}`);
    t.is((await requestPort(server.port, `${path}/refused`, { as: server.token })).status, 404);
  });
}

test('unknown and duplicate fields are refused when asked for, else told', async (t) => {
  const unknown = (name: string) =>
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"surprise":1,"data":{"x":"1","x":"2"}}`;
  const strict = await post(unknown('strict'), 'application/json', '?fieldValidation=Strict');
  t.is(strict.status, 400);
  t.regex(strict.json.message, /surprise/);
  t.regex(strict.json.message, /duplicate field "data\.x"/);
  const warned = await post(unknown('warned'));
  t.is(warned.status, 201);
  t.regex(String(warned.headers['warning']), /surprise/);
  t.is(warned.json.surprise, undefined);
  const ignored = await post(unknown('ignored'), 'application/json', '?fieldValidation=Ignore');
  t.is(ignored.headers['warning'], undefined);
});

/** Nine lists, each of ten times the one before: some kilobytes that would become a billion words. */
function aliasBomb(): string {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  const lists = names.map(
    (name, index) => `${name}: &${name} [${Array.from({ length: 10 }, () => (index === 0 ? 'x' : `*${names[index - 1]}`)).join(',')}]`,
  );
  return `${lists.join('\n')}\n`;
}

const yaml: Readonly<Record<string, string>> = {
  'a broken structure': 'a: b: c',
  'an open bracket': '{a: ',
  'a tab for indentation': 'a:\n\tb: c',
  'the same key twice': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: refused}\nkind: ConfigMap\n',
  'two documents': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: refused}\n---\na: 1\n',
  'an unknown alias': 'a: *b',
  'a tag of a language': 'a: !!js/function "function () {}"',
  'aliases of aliases': aliasBomb(),
  'an anchor inside of itself': 'a: &a [*a]',
  'a key that is a map': '{a: 1}: b\n',
};

for (const [what, body] of Object.entries(yaml)) {
  // By itself, and in the processor time of this thread, which is the server's, too.
  test.serial(`YAML with ${what} is refused at once, and nothing is stored`, async (t) => {
    const before = process.threadCpuUsage();
    const answer = await post(body, 'application/yaml', '?fieldValidation=Strict');
    const { user } = process.threadCpuUsage(before);
    t.true(isRefusal(answer), `${answer.status} ${answer.text}`);
    t.true(user < 2_000_000, `${user} µs`);
    t.is((await requestPort(server.port, `${path}/refused`, { as: server.token })).status, 404);
  });
}

test('YAML as people write it is taken', async (t) => {
  const answer = await post(
    '# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: written\ndata:\n  text: |\n    a\n    b\n',
    'application/yaml',
  );
  t.is(answer.status, 201);
  t.is(answer.json.data.text, 'a\nb\n');
});

const patches: Readonly<Record<string, readonly [type: string, body: string]>> = {
  'a JSON patch of 10,001 operations': [
    'application/json-patch+json',
    JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' }))),
  ],
  'a JSON patch into the prototype': ['application/json-patch+json', '[{"op":"add","path":"/__proto__/polluted","value":true}]'],
  'a JSON patch into a constructor': [
    'application/json-patch+json',
    '[{"op":"add","path":"/constructor/prototype/polluted","value":true}]',
  ],
  'a JSON patch that is a map': ['application/json-patch+json', '{"op":"add"}'],
  'a merge patch with __proto__': ['application/merge-patch+json', '{"__proto__":{"polluted":true},"data":{"__proto__":"x"}}'],
  'a merge patch that is a list': ['application/merge-patch+json', '[]'],
  'a merge patch of the uid': ['application/merge-patch+json', '{"metadata":{"uid":"other"}}'],
  'a strategic patch with an unknown directive': ['application/strategic-merge-patch+json', '{"$patch":"explode"}'],
  'an apply of another name': ['application/apply-patch+yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n'],
  'an apply with managedFields': [
    'application/apply-patch+yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: patched, managedFields: [{manager: x}]}\n',
  ],
};

test('patches that are none, or reach where they must not, change nothing', async (t) => {
  await post('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"patched"},"data":{"x":"1"}}');
  const before = await requestPort(server.port, `${path}/patched`, { as: server.token });
  for (const [what, [type, body]] of Object.entries(patches)) {
    const answer = await requestPort(server.port, `${path}/patched?fieldManager=test&fieldValidation=Strict`, {
      method: 'PATCH',
      as: server.token,
      body,
      headers: { 'content-type': type },
    });
    t.true(isRefusal(answer), `${what}: ${answer.status} ${answer.text}`);
  }
  t.deepEqual((await requestPort(server.port, `${path}/patched`, { as: server.token })).json, before.json);
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
});
