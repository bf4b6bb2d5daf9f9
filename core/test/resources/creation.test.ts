import { storeLimits } from '@tappaas/sdk';
import test from 'ava';
import { apiErrors } from '../../dist/api/errors.js';
import { KeyCounts } from '../../dist/resources/key-counts.js';
import { configMap, configMaps, namespaces, never, objectOf, options, startEngine, widget, widgets } from './engine-fixture.ts';

test('generateName makes a name and steps aside when it is taken', async (t) => {
  let chances = 0;
  // The first two names are equal, the third is another.
  const { create } = await startEngine({ random: () => ((chances += 1) <= 10 ? 0 : 0.5) });
  const names: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const object = { ...widget('x'), metadata: { generateName: 'job-', namespace: 'default' } };
    names.push(objectOf(await create(widgets, object)).metadata.name);
  }
  t.deepEqual(names, ['job-bbbbb', 'job-rrrrr']);
});

test('generateName gives up when every name is taken', async (t) => {
  const { create } = await startEngine({ random: () => 0 });
  const object = { ...widget('x'), metadata: { generateName: 'job-', namespace: 'default' } };
  await create(widgets, object);
  const taken = await t.throwsAsync(create(widgets, object), { code: 'TAP_OBJECT_EXISTS' });
  t.false('uid' in (taken as unknown as { about: object }).about, 'what is there may be somebody’s of whom the caller may not know');
});

test('fields that the platform sets cannot be set by an object’s author', async (t) => {
  const { create } = await startEngine();
  const forged = {
    uid: 'mine',
    generation: 99,
    creationTimestamp: '1999-01-01T00:00:00Z',
    deletionTimestamp: '1999-01-01T00:00:00Z',
    selfLink: '/x',
  };
  const { metadata } = objectOf(await create(widgets, widget('a', {}, forged)));
  t.not(metadata.uid, 'mine');
  t.is(metadata.generation, 1);
  t.is(metadata.creationTimestamp, '2027-01-15T08:00:00Z');
  t.is(metadata.deletionTimestamp, undefined);
  t.is(metadata.selfLink, undefined);
});

test('a create needs a namespace that is there', async (t) => {
  const { create } = await startEngine();
  await t.throwsAsync(create(widgets, widget('a', {}, { namespace: 'nowhere' })), {
    code: 'TAP_OBJECT_NOT_FOUND',
    message: 'namespaces "nowhere" not found',
  });
});

test('a namespace that was just made can be used at once', async (t) => {
  const { create } = await startEngine();
  for (let index = 0; index < 20; index += 1) {
    await create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `n${index}` } });
    t.is((await create(widgets, widget('a', {}, { namespace: `n${index}` }))).outcome, 'created');
  }
});

test('a dry run answers what would be and stores nothing', async (t) => {
  const { create, patch, get, store, names } = await startEngine();
  await create(widgets, widget('a'));
  const revision = await store.currentRevision();
  const created = await create(widgets, widget('b', { color: 'red' }), { dryRun: true });
  t.is(created.outcome, 'created');
  t.is(objectOf(created).spec.color, 'red');
  const patched = await patch(widgets, 'default/a', { spec: { size: 7 } }, { dryRun: true });
  t.is(objectOf(patched).spec.size, 7);
  t.is(objectOf(patched).metadata.generation, 2);
  await t.throwsAsync(create(widgets, widget('a'), { dryRun: true }), { code: 'TAP_OBJECT_EXISTS' });
  await t.throwsAsync(create(widgets, widget('c', { size: -1 }), { dryRun: true }), { code: 'TAP_OBJECT_INVALID' });
  t.is(await store.currentRevision(), revision);
  t.is((await get(widgets, 'default/a')).spec.size, 1);
  t.deepEqual(await names(widgets), ['a']);
});

test('unknown and duplicate fields are refused, warned about or dropped, as asked', async (t) => {
  const { engine } = await startEngine();
  const body = (name: string): Uint8Array =>
    Buffer.from(`{"metadata":{"name":"${name}","namespace":"default"},"spec":{"size":1,"size":2,"wings":2}}`);
  const create = (name: string, fieldValidation: 'Strict' | 'Warn' | 'Ignore') =>
    engine.write(
      { verb: 'create', target: { kind: widgets, namespace: 'default' }, body: body(name), mediaType: 'json' },
      options({ fieldValidation }),
    );
  const error = await t.throwsAsync(create('a', 'Strict'), { code: 'TAP_REQUEST_INVALID' });
  t.is(error.message, 'strict decoding error: duplicate field "spec.size", unknown field "spec.wings"');
  const warned = await create('b', 'Warn');
  t.deepEqual(warned.warnings, ['duplicate field "spec.size"', 'unknown field "spec.wings"']);
  t.deepEqual(objectOf(warned).spec, { size: 2 });
  const ignored = await create('c', 'Ignore');
  t.deepEqual(ignored.warnings, []);
});

test('every finding of a bad object is told at once, with its field', async (t) => {
  const { create } = await startEngine();
  const bad = widget(
    'Bad_Name',
    { size: 5000, color: 7, parts: [{ name: 'a' }, { name: 'a' }] },
    { labels: { 'a b': 'x' }, namespace: 'default' },
  );
  const error = await t.throwsAsync(create(widgets, bad), { code: 'TAP_OBJECT_INVALID' });
  const { causes, about } = error as unknown as { causes: { field: string }[]; about: object };
  t.deepEqual([...new Set(causes.map(({ field }) => field))].sort(), [
    'metadata.labels',
    'metadata.name',
    'spec.color',
    'spec.parts[1]',
    'spec.size',
  ]);
  t.deepEqual(about, { group: 'test.tappaas.dev', kind: 'Widget', name: 'Bad_Name' });
});

test('a repeated request with the same key is answered with the first answer', async (t) => {
  const { create, patch, names } = await startEngine();
  const first = await create(widgets, widget('a'), { idempotencyKey: 'k1' });
  await patch(widgets, 'default/a', { spec: { size: 9 } });
  const again = await create(widgets, widget('a'), { idempotencyKey: 'k1' });
  t.is(again.outcome, 'created');
  t.deepEqual(again.served.object, first.served.object);
  t.deepEqual(again.served.bytes, first.served.bytes);
  await t.throwsAsync(create(widgets, widget('b'), { idempotencyKey: 'k1' }), { code: 'TAP_REQUEST_KEY_REUSED' });
  const other = { caller: { name: 'other', groups: [] }, idempotencyKey: 'k1' };
  t.is((await create(widgets, widget('b'), other)).outcome, 'created', 'keys belong to their caller');
  const elsewhere = { caller: { ...other.caller, tenant: 'rival' }, idempotencyKey: 'k1' };
  t.is((await create(widgets, widget('c'), elsewhere)).outcome, 'created', 'somebody of the same name in another tenant is another caller');
  t.deepEqual(await names(widgets), ['a', 'b', 'c']);
});

test('a repeated request that names nothing itself creates one object', async (t) => {
  const { create, names } = await startEngine();
  const object = { ...widget('x'), metadata: { generateName: 'job-', namespace: 'default' } };
  const first = await create(widgets, object, { idempotencyKey: 'k' });
  const again = await create(widgets, object, { idempotencyKey: 'k' });
  t.is(objectOf(again).metadata.name, objectOf(first).metadata.name);
  t.is((await names(widgets)).length, 1);
});

test('a request whose first sending still runs is told to wait', async (t) => {
  const { create } = await startEngine();
  const first = create(widgets, widget('a'), { idempotencyKey: 'k' });
  await t.throwsAsync(create(widgets, widget('a'), { idempotencyKey: 'k' }), { code: 'TAP_REQUEST_RUNNING' });
  t.is((await first).outcome, 'created');
});

test('a request that failed may be repeated with its key', async (t) => {
  const { create } = await startEngine();
  await t.throwsAsync(create(widgets, widget('a', { size: -1 }), { idempotencyKey: 'k' }), { code: 'TAP_OBJECT_INVALID' });
  t.is((await create(widgets, widget('a', { size: 2 }), { idempotencyKey: 'k' })).outcome, 'created');
});

test('replicas that get one request at the same time create one object and answer the same', async (t) => {
  const one = await startEngine();
  const other = await startEngine({ store: one.store, clock: one.clock });
  for (let round = 0; round < 20; round += 1) {
    const object = { ...widget('x'), metadata: { generateName: `r${round}-`, namespace: 'default' } };
    const answers = await Promise.allSettled([one, other].map(({ create }) => create(widgets, object, { idempotencyKey: `k${round}` })));
    const names = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [objectOf(answer.value).metadata.name] : []));
    t.is(new Set(names).size, 1);
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [(answer.reason as { code: string }).code] : []));
    t.true(refused.every((code) => code === 'TAP_REQUEST_RUNNING'));
  }
  t.is((await one.names(widgets)).length, 20);
});

test('there may be more keys of idempotency at a time than one lease of the store takes', async (t) => {
  const { create } = await startEngine();
  for (let index = 0; index <= storeLimits.leaseKeysMax; index += 1)
    await create(widgets, widget(`w${index}`), { idempotencyKey: `k${index}` });
  t.is((await create(widgets, widget('w0'), { idempotencyKey: 'k0' })).outcome, 'created');
});

test('an idempotency key is forgotten after a day', async (t) => {
  const { create, remove, clock } = await startEngine();
  await create(widgets, widget('a'), { idempotencyKey: 'k' });
  await remove(widgets, 'default/a');
  await clock.advance(22 * 3_600_000);
  t.is((await create(widgets, widget('a'), { idempotencyKey: 'k' })).outcome, 'created');
  t.is((await create(widgets, widget('a'), { idempotencyKey: 'k' })).outcome, 'created');
  await clock.advance(3 * 3_600_000);
  t.is((await create(widgets, widget('b'), { idempotencyKey: 'k' })).outcome, 'created');
});

test('keys that are no keys are refused', async (t) => {
  const { create } = await startEngine();
  for (const idempotencyKey of ['', 'a b', 'x'.repeat(256), 'k\n']) {
    await t.throwsAsync(create(widgets, widget('a'), { idempotencyKey }), { code: 'TAP_REQUEST_INVALID' });
  }
});

test('If-None-Match and If-Match are preconditions', async (t) => {
  const { create, patch, remove, engine } = await startEngine();
  const created = await create(configMaps, configMap('a'), { ifNoneMatch: true });
  await t.throwsAsync(create(configMaps, configMap('a'), { ifNoneMatch: true }), { code: 'TAP_OBJECT_PRECONDITION' });
  const ifMatch = created.served.resourceVersion;
  await patch(configMaps, 'default/a', { data: { x: '1' } }, { ifMatch });
  await t.throwsAsync(patch(configMaps, 'default/a', { data: { x: '2' } }, { ifMatch }), { code: 'TAP_OBJECT_PRECONDITION' });
  const target = { kind: configMaps, namespace: 'default', name: 'a' };
  await t.throwsAsync(engine.write({ verb: 'delete', target, options: {} }, options({ ifMatch })), { code: 'TAP_OBJECT_PRECONDITION' });
  t.is((await remove(configMaps, 'default/a')).outcome, 'deleted');
  await t.throwsAsync(patch(configMaps, 'default/a', { data: {} }, { ifMatch }), { code: 'TAP_OBJECT_PRECONDITION' });
});

test('a body about another object than its path is refused', async (t) => {
  const { engine } = await startEngine();
  const write = (object: object, target: object) =>
    engine.write(
      { verb: 'create', target: { kind: widgets, ...target }, body: Buffer.from(JSON.stringify(object)), mediaType: 'json' },
      options(),
    );
  const refused = { code: 'TAP_REQUEST_INVALID' };
  await t.throwsAsync(write(widget('a', {}, { namespace: 'other' }), { namespace: 'default' }), refused);
  await t.throwsAsync(write({ ...widget('a'), kind: 'Gadget' }, { namespace: 'default' }), refused);
  await t.throwsAsync(write({ ...widget('a'), apiVersion: 'v1' }, { namespace: 'default' }), refused);
  await t.throwsAsync(write(widget('a'), {}), refused);
  t.truthy(never);
});

test('the code of a kind is never shown fields of other types, and what it stumbles over for want of a field is the author’s fault', async (t) => {
  const seen: unknown[] = [];
  const { create } = await startEngine({ behaviour: { default: ({ spec }) => void seen.push(spec.color) } });
  const wrong = { ...widget('x'), spec: { color: { not: 'a colour' }, size: 1 } };
  const error = await t.throwsAsync(create(widgets, wrong), { code: 'TAP_OBJECT_INVALID' });
  t.regex(error?.message ?? '', /spec\.color/);
  t.deepEqual(seen, []);
  const stumbling = {
    default: ({ spec }: { spec: { parts?: { name: string }[] } }) => spec.parts?.forEach(({ name }) => void name.trim()),
  };
  const { create: createHere } = await startEngine({ behaviour: stumbling });
  await t.throwsAsync(createHere(widgets, { ...widget('x'), spec: { parts: [{}] } }), { code: 'TAP_OBJECT_INVALID', message: /parts/ });
});

test('taps are shown no field of another type than the schema says, so nobody makes one fail for everybody', async (t) => {
  let requested = 0;
  const admission = {
    mutate: async ({ kind, object }: { readonly kind: string; readonly object: object }) => {
      if (kind === 'Widget') requested += 1;
      return { object, changes: [] };
    },
    validate: async () => [],
    claims: () => [],
  };
  const { create } = await startEngine({ admission: admission as never });
  for (const spec of [true, 'x', 1, [], { size: 'large' }, { parts: {} }]) {
    await t.throwsAsync(create(widgets, { ...widget('x'), spec }), { code: 'TAP_OBJECT_INVALID' }, JSON.stringify(spec));
  }
  t.is(requested, 0);
  await create(widgets, widget('x'));
  t.is(requested, 1);
});

test('a repeated request whose object was large is answered with the object as it is, or that it is gone', async (t) => {
  const { create, patch, remove, store } = await startEngine();
  const large = widget('a', { color: 'red' }, { annotations: { note: 'x'.repeat(200_000) } });
  const first = await create(widgets, large, { idempotencyKey: 'k' });
  const again = await create(widgets, large, { idempotencyKey: 'k' });
  t.is(again.outcome, 'created');
  t.deepEqual(again.served.bytes, first.served.bytes);
  await patch(widgets, 'default/a', { spec: { size: 9 } });
  t.is(objectOf(await create(widgets, large, { idempotencyKey: 'k' })).spec.size, 9);
  await remove(widgets, 'default/a');
  await t.throwsAsync(create(widgets, large, { idempotencyKey: 'k' }), {
    code: 'TAP_REQUEST_ANSWER_GONE',
    message: /widgets.*"a".*was done.*uid.*has been deleted since/,
  });
  await create(widgets, widget('a'));
  await t.throwsAsync(create(widgets, large, { idempotencyKey: 'k' }), { code: 'TAP_REQUEST_ANSWER_GONE' }, 'another one of its name');
  const { items } = await store.range({ start: '/', end: '0', itemsMax: 1_000 });
  const records = items.filter(({ key }) => key.includes('idempotency'));
  t.is(records.length, 1);
  t.true((records[0]?.value.byteLength ?? Infinity) < 512, 'the record does not keep the object');
});

test('what others have made of a large object is answered to whoever may read it', async (t) => {
  const { create, patch } = await startEngine();
  const large = widget('a', { color: 'red' }, { annotations: { note: 'x'.repeat(2_000) } });
  const requested: (string | undefined)[] = [];
  const refuse = async ({ name }: { readonly name?: string }): Promise<void> => {
    requested.push(name);
    throw apiErrors.TAP_REQUEST_FORBIDDEN({ message: 'user bob cannot get widgets' });
  };
  const repeated = (authorizeGet: typeof refuse) => create(widgets, large, { idempotencyKey: 'k', authorizeGet });
  await repeated(refuse);
  t.is(objectOf(await repeated(refuse)).spec.color, 'red', 'what the caller has made is no secret');
  t.deepEqual(requested, []);
  await patch(widgets, 'default/a', { spec: { size: 9 } });
  await t.throwsAsync(repeated(refuse), { code: 'TAP_REQUEST_ANSWER_GONE', message: /"a".*was done.*has been changed/ });
  t.deepEqual(requested, ['a']);
  t.is(objectOf(await repeated(async () => {})).spec.size, 9);
  const failing = repeated(() => Promise.reject(new Error('the authorizer is away')));
  await t.throwsAsync(failing, { message: 'the authorizer is away' }, 'a failure says nothing of what the caller may');
});

test('a tenant has so many keys at a time and no more', (t) => {
  const counts = new KeyCounts(2, 1000);
  for (let index = 0; index < 2; index += 1) counts.add('tenant acme', index);
  const error = t.throws(() => counts.check('tenant acme', 400), {
    code: 'TAP_REQUEST_KEYS_TOO_MANY',
    message: /tenant acme has used 2 idempotency keys since .*, at most 2 are kept/,
  });
  t.like(error, { retryAfterMs: 600 });
  t.notThrows(() => counts.check('tenant rival', 400));
  t.notThrows(() => counts.check('tenant acme', 1000));
  counts.add('tenant acme', 1000);
  t.notThrows(() => counts.check('tenant acme', 1001));
});
