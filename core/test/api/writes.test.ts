import test from 'ava';
import { configMaps, createFakeEngine } from './fake-engine.ts';
import { startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';
const body = { metadata: { name: 'a', namespace: 'default' } };

test('conditions, keys and options of a write reach the engine as they were sent', async (t) => {
  const { ask, engine } = await startServer(t);
  const headers = { 'idempotency-key': 'k1', 'if-none-match': '*', 'user-agent': 'kubectl/v1.32 (linux)' };
  await ask(`${path}?dryRun=All&fieldValidation=Ignore`, { method: 'POST', body, headers });
  const { options } = engine.writes[0] ?? t.fail();
  t.true(options.dryRun);
  t.is(options.fieldValidation, 'Ignore');
  t.is(options.fieldManager, 'kubectl');
  t.is(options.idempotencyKey, 'k1');
  t.true(options.ifNoneMatch);
  t.is(options.caller.name, 'admin');
  engine.put('default', 'a', {});
  await ask(`${path}/a?fieldManager=me`, { method: 'PUT', body, headers: { 'if-match': '"101"' } });
  t.is(engine.writes[1]?.options.ifMatch, '101');
  t.is(engine.writes[1]?.options.fieldManager, 'me');
  t.is(engine.writes[1]?.options.idempotencyKey, undefined);
  t.is(engine.writes[1]?.options.fieldValidation, 'Warn');
});

test("fields are validated strictly for the platform's kinds, with warnings for Kubernetes' own", async (t) => {
  const engine = createFakeEngine([configMaps({ strategicMerge: false })]);
  const { ask } = await startServer(t, { engines: () => new Map([['platform', engine]]) });
  await ask(path, { method: 'POST', body });
  t.is(engine.writes[0]?.options.fieldValidation, 'Strict');
});

const patches: Readonly<Record<string, string>> = {
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

for (const [type, patchType] of Object.entries(patches)) {
  test(`a patch of type ${type} is passed on as ${patchType}`, async (t) => {
    const { ask, engine } = await startServer(t);
    engine.put('default', 'a', {});
    const answer = await ask(`${path}/a?fieldManager=me`, {
      method: 'PATCH',
      body: '{}',
      headers: { 'content-type': `${type}; charset=utf-8` },
    });
    t.is(answer.status, 200);
    const write = engine.writes[0]?.write;
    t.true(write?.verb === 'patch' && write.patchType === patchType && !write.force);
  });
}

test('a strategic patch of a kind without one is refused with 415 and the types it takes', async (t) => {
  const engine = createFakeEngine([configMaps({ strategicMerge: false })]);
  const { ask } = await startServer(t, { engines: () => new Map([['platform', engine]]) });
  const answer = await ask(`${path}/a`, {
    method: 'PATCH',
    body: '{}',
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
  });
  t.is(answer.status, 415);
  t.regex(answer.json.message, /application\/merge-patch\+json/);
});

test('an apply needs its manager, and only an apply can be forced', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const apply = { method: 'PATCH', body: '{}', headers: { 'content-type': 'application/apply-patch+yaml' } };
  t.is((await ask(`${path}/a`, apply)).status, 400);
  t.is((await ask(`${path}/a?fieldManager=me&force=true`, apply)).status, 200);
  const write = engine.writes[0]?.write;
  t.true(write?.verb === 'patch' && write.force);
  const merge = { ...apply, headers: { 'content-type': 'application/merge-patch+json' } };
  t.is((await ask(`${path}/a?force=true`, merge)).status, 400);
});

test('delete options are read from the query and from the body, in each encoding', async (t) => {
  const { ask, engine } = await startServer(t);
  const optionsOf = async (query: string, sent?: string, type = 'application/json'): Promise<unknown> => {
    engine.put('default', 'a', {});
    const answer = await ask(`${path}/a${query}`, {
      method: 'DELETE',
      ...(sent !== undefined && { body: Buffer.from(sent, 'latin1') }),
      headers: { 'content-type': type },
    });
    t.is(answer.status, 200, answer.text);
    const { write, options } = engine.writes.at(-1) ?? t.fail();
    return write.verb === 'delete' && { ...write.options, dryRun: options.dryRun };
  };
  t.deepEqual(await optionsOf('?propagationPolicy=Orphan&gracePeriodSeconds=3'), {
    propagationPolicy: 'Orphan',
    gracePeriodSeconds: 3,
    dryRun: false,
  });
  t.deepEqual(
    await optionsOf('', '{"propagationPolicy":"Foreground","preconditions":{"uid":"u","resourceVersion":"5"},"dryRun":["All"]}'),
    {
      propagationPolicy: 'Foreground',
      preconditions: { uid: 'u', resourceVersion: '5' },
      dryRun: true,
    },
  );
  t.deepEqual(await optionsOf('', 'gracePeriodSeconds: 0', 'application/yaml'), { gracePeriodSeconds: 0, dryRun: false });
  t.deepEqual(await optionsOf('?orphanDependents=true'), { propagationPolicy: 'Orphan', dryRun: false });
  const protobuf = 'k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x0e\x08\x07\x22\x0aForeground';
  t.deepEqual(await optionsOf('', protobuf, 'application/vnd.kubernetes.protobuf'), {
    gracePeriodSeconds: 7,
    propagationPolicy: 'Foreground',
    dryRun: false,
  });
});

test('delete options that contradict each other are refused by the names of both, and those that agree are not', async (t) => {
  const { ask, engine } = await startServer(t);
  const remove = (query: string, sent: object, headers: Readonly<Record<string, string>> = {}) =>
    ask(`${path}/a${query}`, { method: 'DELETE', body: sent, headers });
  const refused: readonly (readonly [Parameters<typeof remove>, expected: string])[] = [
    [
      ['?propagationPolicy=Orphan', { propagationPolicy: 'Foreground' }],
      'propagationPolicy: expected the same as query parameter propagationPolicy, which is Orphan, found Foreground',
    ],
    [
      ['?gracePeriodSeconds=3', { gracePeriodSeconds: 0 }],
      'gracePeriodSeconds: expected the same as query parameter gracePeriodSeconds, which is 3, found 0',
    ],
    [
      ['?orphanDependents=true', { orphanDependents: false }],
      'orphanDependents: expected the same as query parameter orphanDependents, which is true, found false',
    ],
    [
      ['', { orphanDependents: true, propagationPolicy: 'Background' }],
      'orphanDependents: expected none beside propagationPolicy, found true beside Background',
    ],
    [
      ['?propagationPolicy=Orphan', { orphanDependents: true }],
      'orphanDependents: expected none beside propagationPolicy, found true beside Orphan',
    ],
    [
      ['', { preconditions: { resourceVersion: '5' } }, { 'if-match': '"101"' }],
      'preconditions.resourceVersion: expected the same as header If-Match, which is "101", found "5"',
    ],
    [['', { orphanDependents: 'yes' }], 'orphanDependents: expected true or false'],
  ];
  for (const [request, expected] of refused) {
    const { status, json } = await remove(...request);
    t.deepEqual([status, json.message], [400, `delete options: ${expected}`]);
  }
  t.is(engine.writes.length, 0);
  const agreeing: readonly Parameters<typeof remove>[] = [
    ['?propagationPolicy=Orphan&gracePeriodSeconds=3', { propagationPolicy: 'Orphan', gracePeriodSeconds: 3 }],
    ['', { preconditions: { resourceVersion: '101' } }, { 'if-match': '"101"' }],
    ['', { preconditions: { resourceVersion: '101' } }, { 'if-match': '*' }],
  ];
  for (const request of agreeing) {
    engine.put('default', 'a', {});
    t.is((await remove(...request)).status, 200, JSON.stringify(request));
  }
});

test('an empty gracePeriodSeconds is as none, and only a decimal integer is one', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  t.is((await ask(`${path}/a?gracePeriodSeconds=`, { method: 'DELETE' })).status, 200);
  const { write } = engine.writes.at(-1) ?? t.fail();
  t.deepEqual(write.verb === 'delete' && write.options, {});
  for (const given of ['-1', '1e3', '0x10', '%205', '1.5', '2147483648']) {
    t.is((await ask(`${path}/a?gracePeriodSeconds=${given}`, { method: 'DELETE' })).status, 400, given);
  }
  for (const given of [-1, 1.5, 2 ** 31, '5']) {
    t.is((await ask(`${path}/a`, { method: 'DELETE', body: { gracePeriodSeconds: given } })).status, 400, JSON.stringify(given));
  }
  t.is(engine.writes.length, 1);
});

test('a collection is deleted without conditions, which are those of one object', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const conditions: readonly Readonly<Record<string, string>>[] = [{ 'if-match': '"101"' }, { 'if-match': '*' }, { 'if-none-match': '*' }];
  for (const headers of conditions) {
    const { status, json } = await ask(path, { method: 'DELETE', headers });
    t.is(status, 400, JSON.stringify(headers));
    t.regex(json.message, /^header If-(None-)?Match: a collection is deleted without conditions/);
  }
  for (const preconditions of [{ uid: 'u' }, { resourceVersion: '101' }]) {
    t.is((await ask(path, { method: 'DELETE', body: { preconditions } })).status, 400, JSON.stringify(preconditions));
  }
  t.is(engine.writes.length, 0);
  await ask(path, { method: 'DELETE', body: { preconditions: {} } });
  t.is(engine.writes.length, 1);
});

test('a completed delete answers a Status with the uid', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const { json } = await ask(`${path}/a`, { method: 'DELETE' });
  t.is(json.status, 'Success');
  t.deepEqual(json.details, { name: 'a', kind: 'configmaps', uid: 'uid-a' });
});

test('headers of a write that mean nothing are refused', async (t) => {
  const { ask, engine } = await startServer(t);
  const bad: readonly Readonly<Record<string, string>>[] = [
    { 'if-match': 'abc' },
    { 'if-match': '"1", "2"' },
    { 'if-none-match': '"1"' },
    { 'idempotency-key': 'x'.repeat(256) },
  ];
  for (const headers of bad) {
    t.is((await ask(path, { method: 'POST', body, headers })).status, 400, JSON.stringify(headers));
  }
  for (const query of ['dryRun=Some', 'fieldValidation=Loud', `fieldManager=${'x'.repeat(129)}`, 'fieldManager=%00']) {
    t.is((await ask(`${path}?${query}`, { method: 'POST', body })).status, 400, query);
  }
  t.is(engine.writes.length, 0);
});

test('an idempotency key is refused where none is kept: on anything but POST', async (t) => {
  const { ask, engine } = await startServer(t);
  engine.put('default', 'a', {});
  const headers = { 'idempotency-key': 'k1' };
  const merge = { 'content-type': 'application/merge-patch+json' };
  const answers = {
    PUT: await ask(`${path}/a`, { method: 'PUT', body, headers }),
    PATCH: await ask(`${path}/a`, { method: 'PATCH', body: { data: {} }, headers: { ...headers, ...merge } }),
    DELETE: await ask(`${path}/a`, { method: 'DELETE', headers }),
  };
  for (const [method, { status, json }] of Object.entries(answers)) {
    const message = `header Idempotency-Key: expected on POST only, found on ${method}; to repeat it safely, send If-Match instead`;
    t.deepEqual([status, json.message], [400, message]);
  }
  t.is(engine.writes.length, 0);
});

test('warnings become headers that cannot break out of their line, and their number is bounded', async (t) => {
  const { ask, engine } = await startServer(t);
  const plain = engine.write.bind(engine);
  const warnings = ['unknown field "spec.x"', 'a\r\nSet-Cookie: x', ...Array.from({ length: 30 }, (_, index) => `w${index}`)];
  engine.write = async (write, options) => ({ ...(await plain(write, options)), warnings });
  const answer = await ask(path, { method: 'POST', body });
  const all = String(answer.headers['warning']).split(', 299').length;
  t.is(all, 20);
  t.regex(String(answer.headers['warning']), /299 - "unknown field \\"spec\.x\\""/);
  t.is(answer.headers['set-cookie'], undefined);
});

test('audit is told of a write that was a dry run, wherever the request says so', async (t) => {
  const { ask, engine, audited } = await startServer(t);
  engine.put('default', 'a', {});
  const inBody = { kind: 'DeleteOptions', apiVersion: 'v1', dryRun: ['All'] };
  await ask(`${path}?dryRun=All`, { method: 'POST', body });
  await ask(`${path}/a?dryRun=All`, { method: 'DELETE' });
  await ask(`${path}/a`, { method: 'DELETE', body: inBody });
  await ask(path, { method: 'DELETE', body: inBody });
  await ask(`${path}/a`, { method: 'DELETE' });
  t.deepEqual(
    audited.map(({ outcome }) => outcome?.annotations?.get('tappaas.dev/dry-run')),
    ['true', 'true', 'true', 'true', undefined],
  );
});
