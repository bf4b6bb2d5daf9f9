import test from 'ava';
import * as fc from 'fast-check';
import {
  configMap,
  configMaps,
  namespaces,
  never,
  options,
  secrets,
  startEngine,
  widget,
  widgets,
  type Fixture,
} from './engine-fixture.ts';

const send = ({ engine }: Fixture, body: Uint8Array | string, mediaType: 'json' | 'yaml' = 'json', kind = widgets) =>
  engine.write(
    { verb: 'create', target: { kind, namespace: 'default' }, body: typeof body === 'string' ? Buffer.from(body) : body, mediaType },
    options(),
  );

const statusOf = (error: unknown): number => (error as { spec?: { httpStatus?: number } }).spec?.httpStatus ?? 0;

test('bodies that are no objects are answered with a clear 4xx', async (t) => {
  const fixture = await startEngine();
  const before = await fixture.store.currentRevision();
  const bodies: (string | Uint8Array)[] = [
    '',
    ' ',
    'null',
    '7',
    '"text"',
    '[]',
    '{',
    '{"metadata":7}',
    '{"metadata":[]}',
    '{"metadata":null}',
    '{"metadata":{"name":7,"namespace":"default"}}',
    '{"metadata":{"name":"a","namespace":"default","labels":[]}}',
    '{"metadata":{"name":"a","namespace":"default","labels":{"a":1}}}',
    '{"metadata":{"name":"a","namespace":"default","finalizers":"x"}}',
    '{"metadata":{"name":"a","namespace":"default","ownerReferences":[null]}}',
    '{"metadata":{"name":"a","namespace":"default","ownerReferences":[{}]}}',
    '{"metadata":{"name":"a","namespace":"default"},"spec":[]}',
    '{"metadata":{"name":"a","namespace":"default"},"spec":"x"}',
    '{"metadata":{"name":"a\\u0000b","namespace":"default"}}',
    '{"metadata":{"name":"..","namespace":"default"}}',
    '{"metadata":{"name":"a/b","namespace":"default"}}',
    '{"metadata":{"name":"__proto__","namespace":"default"}}',
    '{"__proto__":{"polluted":true},"metadata":{"name":"a","namespace":"default"}}',
    '{"metadata":{"name":"a","namespace":"default","__proto__":{"x":1}}}',
    '{"constructor":{"prototype":{"polluted":true}},"metadata":{"name":"a","namespace":"default"}}',
    `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
    `{"spec":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`,
    `"${'x'.repeat(2 * 1024 * 1024)}"`,
    Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
    Buffer.from([0xc3, 0x28]),
    '\uFEFF{"metadata":{"name":"a b"}}',
  ];
  for (const body of bodies) {
    const error = await t.throwsAsync(send(fixture, body), undefined, String(body).slice(0, 80));
    const status = statusOf(error);
    t.true(status >= 400 && status < 500, `${String(body).slice(0, 80)}: ${status} ${error.message}`);
    t.true(error.message.length < 3_000);
  }
  t.is(await fixture.store.currentRevision(), before);
  t.is(({} as { polluted?: boolean }).polluted, undefined);
});

test('YAML that is broken or a bomb is answered with a clear 4xx', async (t) => {
  const fixture = await startEngine();
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...Array.from(
      { length: 8 },
      (_, index) => `${'bcdefghi'[index]}: &${'bcdefghi'[index]} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`,
    ),
  ].join('\n');
  for (const body of [bomb, 'a: [', '!!js/function "x"', 'a: 1\n---\nb: 2', '\ta: 1', '? {a: 1}\n: b', '<<: *x', '@']) {
    const error = await t.throwsAsync(send(fixture, body, 'yaml'), undefined, body.slice(0, 40));
    t.true(statusOf(error) >= 400 && statusOf(error) < 500, `${body.slice(0, 40)}: ${error.message}`);
  }
});

test('whatever JSON is sent, the answer is an object or a 4xx', async (t) => {
  const fixture = await startEngine();
  const noise = fc.jsonValue({ maxDepth: 4 });
  await fc.assert(
    fc.asyncProperty(noise, noise, noise, fc.constantFrom(widgets, configMaps, namespaces), async (metadata, spec, status, kind) => {
      const named =
        typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? { ...metadata, generateName: 'x-' } : metadata;
      const body = JSON.stringify({ metadata: named, spec, data: spec, status });
      await send(fixture, body, 'json', kind).catch((error: unknown) => {
        const code = statusOf(error);
        if (code < 400 || code >= 500) throw error;
      });
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('whatever patch is sent, the answer is an object or a 4xx, and the object stays whole', async (t) => {
  const fixture = await startEngine();
  const { create, patch, get } = fixture;
  await create(widgets, widget('a', { color: 'red', serial: 'one' }));
  await create(configMaps, configMap('a', { x: '1' }));
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'odd'),
    path: fc.constantFrom(
      '/spec/size',
      '/metadata/name',
      '/metadata',
      '',
      '/kind',
      '/spec/parts/-',
      '/status',
      '/metadata/uid',
      '/__proto__/x',
      '/a~2',
    ),
    from: fc.constantFrom('/spec', '/metadata', '', '/nowhere'),
    value: fc.jsonValue({ maxDepth: 2 }),
  });
  const patches = fc.oneof(
    fc.tuple(fc.constantFrom('merge', 'strategic', 'apply', 'json'), fc.jsonValue({ maxDepth: 4 })),
    fc.tuple(fc.constant('json'), fc.array(operation, { maxLength: 4 })),
    fc.tuple(fc.constant('merge'), fc.record({ metadata: fc.jsonValue({ maxDepth: 3 }), spec: fc.jsonValue({ maxDepth: 3 }) })),
  );
  await fc.assert(
    fc.asyncProperty(patches, fc.constantFrom(widgets, configMaps), async ([type, body], kind) => {
      await patch(kind, 'default/a', body, { type }).catch((error: unknown) => {
        const code = statusOf(error);
        if (code < 400 || code >= 500) throw error;
      });
      const object = await get(kind, 'default/a');
      if (object.metadata.name !== 'a' || object.metadata.namespace !== 'default') throw new Error('lost its identity');
      if (kind === widgets && object.spec.serial !== 'one') throw new Error('lost what is immutable');
      if (object.kind !== (kind === widgets ? 'Widget' : 'ConfigMap')) throw new Error('lost its kind');
    }),
    { numRuns: 400 },
  );
  t.pass();
});

test('names in paths cannot reach another place', async (t) => {
  const { engine, create } = await startEngine();
  await create(configMaps, configMap('a'));
  for (const [namespace, name] of [
    ['default', '../default/a'],
    ['', 'default/a'],
    ['default/', 'a'],
    ['default', ''],
    ['.', 'a'],
    ['default\0', 'a'],
  ] as const) {
    const error = await t.throwsAsync(
      async () => engine.get({ kind: configMaps, namespace, name }, { signal: never }),
      undefined,
      `${namespace} ${name}`,
    );
    t.true([400, 404].includes(statusOf(error)));
  }
  t.deepEqual((await engine.list({ target: { kind: configMaps, namespace: 'def' }, signal: never })).items, []);
});

test('annotations, finalizers, owners and values have their limits', async (t) => {
  const { create } = await startEngine();
  const invalid = { code: 'TAP_OBJECT_INVALID' };
  await t.throwsAsync(create(configMaps, configMap('a', {}, { annotations: { x: 'y'.repeat(257 * 1024) } })), invalid);
  await t.throwsAsync(
    create(configMaps, configMap('a', {}, { finalizers: Array.from({ length: 1_001 }, (_, index) => `t.dev/f${index}`) })),
    invalid,
  );
  const owner = (index: number) => ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: `u${index}` });
  await t.throwsAsync(
    create(configMaps, configMap('a', {}, { ownerReferences: Array.from({ length: 1_001 }, (_, index) => owner(index)) })),
    invalid,
  );
  await t.throwsAsync(create(configMaps, configMap('a', { x: 'y'.repeat(1024 * 1024) })), { code: 'TAP_REQUEST_TOO_LARGE' });
  t.is((await create(configMaps, configMap('a', {}, { annotations: { x: 'y'.repeat(200 * 1024) } }))).outcome, 'created');
});

test('an object that patches make larger than the store takes is refused, and stays', async (t) => {
  const { create, patch, get } = await startEngine();
  await create(widgets, widget('a'));
  const chunk = 'z'.repeat(900 * 1024);
  const grow = (index: number) => patch(widgets, 'default/a', { metadata: { annotations: { [`k${index}`]: chunk.slice(0, 100 * 1024) } } });
  await grow(1);
  await grow(2);
  await t.throwsAsync(grow(3), { code: 'TAP_OBJECT_INVALID' });
  t.is(Object.keys((await get(widgets, 'default/a')).metadata.annotations).length, 2);
});

test('a secret of a type called like something that every object of JavaScript has is one of a type that nobody knows', async (t) => {
  const { create } = await startEngine();
  for (const type of ['constructor', '__proto__', 'toString']) {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kept', namespace: 'default' }, type };
    t.like((await create(secrets, secret, { dryRun: true })).served.object, { type });
  }
});
