/** Writes that are repeated, and writes that hold only while an object is as its writer has seen it; over HTTP, on the real engine. */
import test from 'ava';
import { startRealServer, type RealServer } from './real-server.ts';
import { requestPort, type Answer, type RequestOptions } from './running-server.ts';

const collection = '/api/v1/namespaces/default/configmaps';
let server: RealServer;
test.before(async () => {
  server = await startRealServer();
});
test.after.always(() => server.close());

const configMap = (name: string, value = 'x') => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } });
const ask = (path: string, options: RequestOptions = {}): Promise<Answer> =>
  requestPort(server.port, path, { as: server.token, ...options });
const post = (body: object, key: string, query = ''): Promise<Answer> =>
  ask(collection + query, { method: 'POST', body, headers: { 'idempotency-key': key } });

test('a create that is repeated with its key is answered as the first time, and creates nothing', async (t) => {
  const first = await post(configMap('again'), 'again');
  const second = await post(configMap('again'), 'again');
  t.is(first.status, 201);
  t.is(second.status, first.status);
  t.deepEqual(second.json, first.json);
  t.is((await ask(collection, { method: 'POST', body: configMap('again') })).status, 409);
});

test('a key that comes with another payload is 422, and creates nothing', async (t) => {
  t.is((await post(configMap('one'), 'reused')).status, 201);
  const other = await post(configMap('two'), 'reused');
  t.is(other.status, 422);
  t.is((await ask(`${collection}/two`)).status, 404);
});

test('requests with the same key at once create one object; whoever comes while it is created is told 409 and may repeat', async (t) => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(configMap('racing'), 'racing')));
  const created = answers.filter(({ status }) => status === 201);
  t.true(created.length > 0);
  t.is(new Set(created.map(({ json }) => json.metadata.uid)).size, 1);
  t.true(answers.every(({ status }) => status === 201 || status === 409));
  t.is((await post(configMap('racing'), 'racing')).json.metadata.uid, created[0]?.json.metadata.uid);
});

test('a dry run takes no key: the create after it creates', async (t) => {
  t.is((await post(configMap('dry'), 'dry', '?dryRun=All')).status, 201);
  t.is((await ask(`${collection}/dry`)).status, 404);
  t.is((await post(configMap('dry'), 'dry')).status, 201);
  t.is((await ask(`${collection}/dry`)).status, 200);
});

const merge = { 'content-type': 'application/merge-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };
const verbs: Readonly<Record<string, (name: string, headers: Readonly<Record<string, string>>) => Promise<Answer>>> = {
  PUT: (name, headers) => ask(`${collection}/${name}`, { method: 'PUT', body: configMap(name, 'put'), headers }),
  'merge patch': (name, headers) =>
    ask(`${collection}/${name}`, { method: 'PATCH', body: { data: { value: 'patched' } }, headers: { ...merge, ...headers } }),
  apply: (name, headers) =>
    ask(`${collection}/${name}?fieldManager=t&force=true`, {
      method: 'PATCH',
      body: configMap(name, 'applied'),
      headers: { ...apply, ...headers },
    }),
  DELETE: (name, headers) => ask(`${collection}/${name}`, { method: 'DELETE', headers }),
};

for (const [verb, write] of Object.entries(verbs)) {
  test(`${verb} with If-Match holds only for the version it names`, async (t) => {
    const name = `match-${verb.toLowerCase().replace(' ', '-')}`;
    const created = await ask(collection, { method: 'POST', body: configMap(name) });
    const stale = String(created.headers['etag']);
    const changed = await ask(`${collection}/${name}`, { method: 'PUT', body: configMap(name, 'changed') });
    const refused = await write(name, { 'if-match': stale });
    t.is(refused.status, 412, refused.text);
    t.is((await ask(`${collection}/${name}`)).json.data.value, 'changed');
    const taken = await write(name, { 'if-match': String(changed.headers['etag']) });
    t.is(taken.status, 200, taken.text);
    const gone = await write(`${name}-gone`, { 'if-match': stale });
    t.is(gone.status, verb === 'DELETE' ? 404 : 412, gone.text);
  });
}

test('with If-Match: * a write changes whatever is there, and creates nothing', async (t) => {
  const some = { 'if-match': '*' };
  for (const [verb, write] of Object.entries(verbs)) {
    const gone = await write('nowhere', some);
    t.is(gone.status, verb === 'DELETE' ? 404 : 412, `${verb}: ${gone.text}`);
    t.is((await ask(`${collection}/nowhere`)).status, 404, verb);
  }
  await ask(collection, { method: 'POST', body: configMap('somewhere') });
  for (const [verb, write] of Object.entries(verbs)) t.is((await write('somewhere', some)).status, 200, verb);
});

test('If-None-Match: * creates only what is not there, by POST, by PUT and by apply', async (t) => {
  const absent = { 'if-none-match': '*' };
  t.is((await ask(collection, { method: 'POST', body: configMap('fresh'), headers: absent })).status, 201);
  const again = await ask(collection, { method: 'POST', body: configMap('fresh'), headers: absent });
  t.true([409, 412].includes(again.status), again.text);
  for (const verb of ['PUT', 'apply']) {
    const refused = await verbs[verb]?.('fresh', absent);
    t.is(refused?.status, 412, refused?.text);
  }
  t.is((await ask(`${collection}/fresh`)).json.data.value, 'x');
});

test('a GET with the ETag it was answered before is 304 without a body, until the object changes', async (t) => {
  const { headers } = await ask(collection, { method: 'POST', body: configMap('seen') });
  const known = { 'if-none-match': String(headers['etag']) };
  const same = await ask(`${collection}/seen`, { headers: known });
  t.is(same.status, 304);
  t.is(same.text, '');
  await ask(`${collection}/seen`, { method: 'PUT', body: configMap('seen', 'anew') });
  t.is((await ask(`${collection}/seen`, { headers: known })).status, 200);
});
