import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { change, type ResourceStore } from '@tappaas/sdk';
import test from 'ava';
import { createAdmission } from '../../dist/admission/admission.js';
import { redacted, restored } from '../../dist/resources/redaction.js';
import { createSealer } from '../../dist/secrets/envelope.js';
import { KeyFile } from '../../dist/secrets/key-file.js';
import { reencrypt } from '../../dist/secrets/reencryption.js';
import { fakeDispatch, type FakeTap } from '../admission/fake-dispatch.ts';
import { never, objectOf, options, secrets, startEngine, type FixtureOptions, type TestObject } from '../resources/engine-fixture.ts';

const canary = 'canary-value-91c2';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const secret = (name: string, more: object = {}): TestObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name,
    namespace: 'default',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"stringData":{"a":"${canary}"}}` },
  },
  stringData: { password: canary },
  ...more,
});

const scratch = await mkdtemp(join(tmpdir(), 'rest-'));
test.after.always(() => rm(scratch, { recursive: true, force: true }));

async function sealed(more: FixtureOptions = {}) {
  const keys = await KeyFile.open(join(await mkdtemp(join(scratch, 'case-')), 'key.json'));
  const sealer = createSealer(keys);
  return { keys, sealer, ...(await startEngine({ sealer, ...more })) };
}

/** Everything that a backup would hold. */
async function bytesOf(store: ResourceStore): Promise<string> {
  const chunks = await Array.fromAsync(store.snapshot());
  const text = Buffer.concat(chunks).toString('latin1');
  // Values may stand in the snapshot in base64 of their own.
  const inner = [...text.matchAll(/[A-Za-z0-9+/]{24,}={0,2}/g)].map(([part]) => Buffer.from(part, 'base64').toString('latin1'));
  return [
    text,
    ...inner,
    ...inner.flatMap((part) =>
      [...part.matchAll(/[A-Za-z0-9+/]{24,}={0,2}/g)].map(([deep]) => Buffer.from(deep, 'base64').toString('latin1')),
    ),
  ].join('\n');
}

test('a secret is read as it was written, and its value is nowhere in the store', async (t) => {
  const { create, get, patch, store, update } = await sealed();
  const created = await create(secrets, secret('a'), { idempotencyKey: 'k' });
  t.deepEqual(objectOf(created).data, { password: base64(canary) });
  t.is(objectOf(created).stringData, undefined);
  t.is(objectOf(created).type, 'Opaque');
  t.deepEqual((await get(secrets, 'default/a')).data, { password: base64(canary) });
  await patch(secrets, 'default/a', { stringData: { more: canary } });
  await update(secrets, { ...(await get(secrets, 'default/a')), stringData: { again: canary } });
  t.deepEqual(Object.keys((await get(secrets, 'default/a')).data), ['password', 'more', 'again']);
  const bytes = await bytesOf(store);
  t.true(bytes.includes('/registry/platform/core/secrets/default/a'), 'the search sees what is stored');
  for (const trace of [canary, base64(canary), base64(canary).slice(4, 20)]) t.false(bytes.includes(trace), trace);
  t.deepEqual((await create(secrets, secret('a'), { idempotencyKey: 'k' })).served.object, created.served.object, 'the kept answer opens');
});

test('without a key nothing confidential is stored', async (t) => {
  const { create, store } = await startEngine();
  await t.throwsAsync(create(secrets, secret('a')), { code: 'TAP_OBJECT_UNSEALED' });
  t.false((await bytesOf(store)).includes(canary));
});

test('errors about a secret do not show its values', async (t) => {
  const { create } = await sealed();
  const bad = [
    secret('a', { data: { password: canary, bad: `${canary}!` } }),
    secret('a', { data: { [`${canary} key`]: '' } }),
    secret('a', { stringData: { x: 7, y: { deep: canary } } }),
    secret('a', { type: 'kubernetes.io/tls' }),
    secret('Bad Name', {}),
  ];
  for (const object of bad) {
    const error = (await t.throwsAsync(create(secrets, object))) as Error & { causes?: unknown };
    const shown = `${error.message} ${JSON.stringify(error.causes ?? [])}`.replaceAll(`${canary} key`, 'key');
    t.false(shown.includes(canary), shown);
  }
});

test('a body that cannot be read is not quoted when it may hold a secret', async (t) => {
  const { create, engine, patch } = await sealed();
  await create(secrets, secret('a'));
  const target = { kind: secrets, namespace: 'default', name: 'b' };
  for (const [text, mediaType] of [
    [`{"data": ${canary}`, 'json'],
    [`data: [${canary}`, 'yaml'],
    [`{"__proto__": "${canary}"}`, 'json'],
  ] as const) {
    const error = await t.throwsAsync(engine.write({ verb: 'create', target, body: Buffer.from(text), mediaType }, options()));
    t.false(error.message.includes(canary.slice(0, 6)), error.message);
  }
  const operations = [{ op: 'test', path: '/data/password', value: canary }];
  const error = await t.throwsAsync(patch(secrets, 'default/a', operations, { type: 'json' }), { code: 'TAP_PATCH_REJECTED' });
  t.false(error.message.includes(canary));
});

test('a sealed secret moved to another place does not open', async (t) => {
  const { create, store, engine, clock, sealer } = await sealed();
  await create(secrets, secret('a'));
  const stored = await store.get('/registry/platform/core/secrets/default/a');
  await engine.close();
  await t.throwsAsync(async () => sealer.open(stored?.value ?? new Uint8Array(), '/registry/platform/core/secrets/default/b'), {
    code: 'TAP_SEAL_BROKEN',
  });
  t.truthy(clock);
});

test('after a rotation and a reencryption secrets are read as before, also after a restart', async (t) => {
  const { create, keys, sealer, store, engine, clock } = await sealed();
  for (let index = 0; index < 10; index += 1) await create(secrets, secret(`s${index}`));
  const old = keys.currentKeyId;
  await keys.rotate();
  t.deepEqual(await reencrypt(store, sealer, never), { examined: 10, resealed: 10, isComplete: true });
  await keys.retire(old);
  await engine.close();
  const { get } = await startEngine({ store, clock, sealer });
  t.deepEqual((await get(secrets, 'default/s7')).data, { password: base64(canary) });
});

test('a plugin without the permission sees no value, and what it leaves alone keeps its value', async (t) => {
  const seen: string[] = [];
  const label = (plugin: string): FakeTap => ({
    plugin,
    run: ({ object, previous }) => {
      seen.push(`${plugin} ${JSON.stringify({ object, previous })}`);
      return change(object, (draft: TestObject) => {
        draft.metadata.labels = { ...draft.metadata.labels, [plugin]: 'yes' };
        draft.data[plugin] = base64('added');
      });
    },
  });
  const look = (plugin: string): FakeTap => ({ plugin, run: ({ object }) => void seen.push(`${plugin} ${JSON.stringify(object)}`) });
  const admission = createAdmission({
    dispatch: fakeDispatch({
      'admission.mutate': [
        { ...label('curious'), kind: 'Secret' },
        { ...label('trusted'), kind: 'Secret' },
      ],
      'admission.validate': [
        { ...look('curious'), kind: 'Secret' },
        { ...look('trusted'), kind: 'Secret' },
      ],
      'admission.claim': [{ plugin: 'curious', kind: 'Secret', run: (object) => (seen.push(`curious ${JSON.stringify(object)}`), []) }],
    }),
    confidentiality: { isVisibleTo: (plugin) => plugin === 'trusted', redacted, restored },
    isProjectOnly: () => false,
  });
  const { create, patch, get, engine } = await sealed({ admission });
  await create(secrets, secret('a'));
  await patch(secrets, 'default/a', { stringData: { extra: canary } });
  const stored = await get(secrets, 'default/a');
  t.deepEqual(Object.keys(stored.data).sort(), ['curious', 'extra', 'password', 'trusted']);
  t.deepEqual(Object.values(stored.data).map(String).sort(), [base64('added'), base64('added'), base64(canary), base64(canary)].sort());
  t.true(stored.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'].includes(canary));
  const traces = [canary, base64(canary)];
  t.false(seen.some((line) => line.startsWith('curious') && traces.some((trace) => line.includes(trace))));
  t.true(seen.some((line) => line.startsWith('trusted') && line.includes(base64(canary))));
  const client = engine.client({
    caller: { name: 'p', groups: [] },
    fieldManager: 'p',
    requestId: 'r',
    signal: never,
    authorize: () => {},
    showsSecrets: false,
  });
  const shown = await client.get({ group: '', kind: 'Secret', version: 'v1' }, { namespace: 'default', name: 'a' });
  t.false(traces.some((trace) => JSON.stringify(shown).includes(trace)));
});
