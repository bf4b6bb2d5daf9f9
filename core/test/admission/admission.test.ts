import { change, deny } from '@tappaas/sdk';
import test from 'ava';
import { createAdmission } from '../../dist/admission/admission.js';
import { redacted, restored } from '../../dist/resources/redaction.js';
import {
  configMap,
  configMaps,
  objectOf,
  startEngine,
  widget,
  widgets,
  type FixtureOptions,
  type TestObject,
} from '../resources/engine-fixture.ts';
import { settled } from '../virtual-clock.ts';
import { fakeDispatch, type FakeTap } from './fake-dispatch.ts';

const withTaps = (taps: Readonly<Record<string, readonly FakeTap[]>>, more: FixtureOptions = {}) =>
  startEngine({
    admission: createAdmission({
      dispatch: fakeDispatch(taps),
      confidentiality: { isVisibleTo: (plugin) => plugin === 'trusted', redacted, restored },
      isProjectOnly: () => false,
    }),
    ...more,
  });

const paint = (plugin: string, color: string): FakeTap => ({
  plugin,
  kind: 'Widget',
  run: ({ object }) => change(object, (draft: TestObject) => void (draft.spec.color = `${draft.spec.color ?? ''}${color}`)),
});

test('mutating taps change the object in order, and it is remembered who changed what', async (t) => {
  const once = (plugin: string, color: string): FakeTap => ({
    ...paint(plugin, color),
    run: ({ object }) => (object.spec.color?.includes(color) ? undefined : paint(plugin, color).run({ object })),
  });
  const { create, patch, engine } = await withTaps({ 'admission.mutate': [once('one', 'r'), once('two', 'g')] });
  t.is(objectOf(await create(widgets, widget('a'))).spec.color, 'rg');
  const target = { kind: widgets, namespace: 'default', name: 'a' };
  const said = () => engine.attribution(target).map(({ plugin, operation, paths }) => [plugin, operation, paths]);
  t.deepEqual(said(), [
    ['one', 'create', ['/spec']],
    ['two', 'create', ['/spec']],
  ]);
  await patch(widgets, 'default/a', { spec: { color: 'g' } });
  t.deepEqual(said(), [
    ['two', 'create', ['/spec']],
    ['one', 'update', ['/spec']],
  ]);
});

test('what counts of a caller’s rights is found out once for a write, and only where a tap is asked', async (t) => {
  const requested: (string | undefined)[] = [];
  const seen: unknown[] = [];
  const see: FakeTap = { plugin: 'one', kind: 'Widget', run: ({ isProjectOnly }) => void seen.push(isProjectOnly) };
  const taps = { 'admission.mutate': [see], 'admission.validate': [{ ...see, operations: ['create', 'update', 'delete'] }] };
  const admission = createAdmission({
    dispatch: fakeDispatch(taps),
    confidentiality: { isVisibleTo: () => false, redacted, restored },
    isProjectOnly: async ({ namespace }) => requested.push(namespace) > 0,
  });
  const { create, remove } = await startEngine({ admission });
  await create(configMaps, configMap('a'));
  t.deepEqual(requested, []);
  await create(widgets, widget('a'));
  t.deepEqual(requested, ['default']);
  t.deepEqual(seen, [true, true]);
  await remove(widgets, 'default/a');
  t.deepEqual(requested, ['default', 'default']);
  t.deepEqual(seen, [true, true, true]);
});

test('what a tap makes of an object is checked like what its author wrote', async (t) => {
  const { create, names } = await withTaps({
    'admission.mutate': [{ plugin: 'big', run: ({ object }) => change(object, (draft: TestObject) => void (draft.spec.size = 5000)) }],
  });
  const error = await t.throwsAsync(create(widgets, widget('a')), { code: 'TAP_OBJECT_INVALID' });
  t.regex(error.message, /spec\.size/);
  t.deepEqual(await names(widgets), []);
});

test('a tap cannot make another object of the one it was shown', async (t) => {
  const forge: FakeTap = {
    plugin: 'forger',
    kind: 'Widget',
    run: ({ object }) => ({
      ...object,
      kind: 'Gadget',
      metadata: { ...object.metadata, name: 'other', uid: 'u', namespace: 'kube-system', generation: 9, labels: { seen: 'yes' } },
      status: { phase: 'Forged' },
    }),
  };
  const { create } = await withTaps({ 'admission.mutate': [forge] });
  const created = objectOf(await create(widgets, widget('a')));
  t.is(created.kind, 'Widget');
  t.is(created.metadata.name, 'a');
  t.is(created.metadata.namespace, 'default');
  t.not(created.metadata.uid, 'u');
  t.is(created.metadata.generation, 1);
  t.deepEqual(created.metadata.labels, { seen: 'yes' });
  t.is(created.status, undefined);
});

test('every denial is told, with its plugin, and nothing is stored', async (t) => {
  const refuse = (plugin: string, field: string): FakeTap => ({
    plugin,
    run: () => deny({ field, reason: 'No', message: `not with ${plugin}` }),
  });
  const { create, names } = await withTaps(
    { 'admission.validate': [refuse('one', 'spec.size'), refuse('two', 'spec.color')] },
    { firstNamespaces: [] },
  );
  await t.throwsAsync(create({ group: '', version: 'v1', plural: 'namespaces' }, { metadata: { name: 'x' } }), {
    code: 'TAP_OBJECT_DENIED',
  });
  const only = await withTaps({
    'admission.validate': [
      { ...refuse('one', 'spec.size'), kind: 'Widget' },
      { ...refuse('two', 'spec.color'), kind: 'Widget' },
    ],
  });
  const error = await t.throwsAsync(only.create(widgets, widget('a')), { code: 'TAP_OBJECT_DENIED' });
  t.is(error.message, 'widgets.test.tappaas.dev "a" is denied: [spec.size: not with one (one), spec.color: not with two (two)]');
  const { causes } = error as unknown as { causes: object };
  t.deepEqual(causes, [
    { field: 'spec.size', reason: 'No', message: 'not with one', plugin: 'one' },
    { field: 'spec.color', reason: 'No', message: 'not with two', plugin: 'two' },
  ]);
  t.deepEqual(await only.names(widgets), []);
  t.deepEqual(await names(widgets), []);
});

test('a plugin that fails denies and is named', async (t) => {
  const broken: FakeTap = {
    plugin: 'broken',
    kind: 'Widget',
    run: () => {
      throw new Error('out of order');
    },
  };
  for (const hook of ['admission.mutate', 'admission.validate', 'admission.claim']) {
    const { create, names } = await withTaps({ [hook]: [broken] });
    const error = await t.throwsAsync(create(widgets, widget('a')), { code: 'TAP_ADMISSION_PLUGIN_FAILED' });
    t.is(error.message, 'plugin broken could not be asked, so the write is denied: out of order', hook);
    t.is((error as unknown as { plugin: string }).plugin, 'broken');
    t.deepEqual(await names(widgets), []);
  }
});

test('a denial is told even when another plugin fails', async (t) => {
  const { create } = await withTaps({
    'admission.validate': [
      {
        plugin: 'broken',
        kind: 'Widget',
        run: () => {
          throw new Error('out of order');
        },
      },
      { plugin: 'strict', kind: 'Widget', run: () => deny({ field: 'spec', reason: 'No', message: 'no' }) },
    ],
  });
  const error = await t.throwsAsync(create(widgets, widget('a')), { code: 'TAP_OBJECT_DENIED' });
  t.deepEqual(
    (error as unknown as { causes: { plugin: string }[] }).causes.map(({ plugin }) => plugin),
    ['strict', 'broken'],
  );
});

test('a plugin that answers garbage is named', async (t) => {
  for (const garbage of [null, 7, 'text', []]) {
    const { create } = await withTaps({ 'admission.mutate': [{ plugin: 'odd', kind: 'Widget', run: () => garbage }] });
    await t.throwsAsync(create(widgets, widget('a')), { code: 'TAP_ADMISSION_ANSWER_INVALID', message: /plugin odd/ });
  }
});

test('taps are asked about specs, also of objects under deletion: not about status, metadata or finalizers', async (t) => {
  const requested: string[] = [];
  const note: FakeTap = {
    plugin: 'note',
    kind: 'Widget',
    operations: ['create', 'update', 'delete', 'scale'],
    run: ({ operation }) => void requested.push(operation),
  };
  const { create, patch, remove } = await withTaps({ 'admission.validate': [note] });
  await create(widgets, widget('a', {}, { finalizers: ['test.dev/one'] }));
  await patch(widgets, 'default/a', { metadata: { labels: { x: 'y' } } });
  await patch(widgets, 'default/a', { status: { phase: 'x' } }, { subresource: 'status' });
  await patch(widgets, 'default/a', { spec: { size: 2 } });
  await patch(widgets, 'default/a', { spec: { replicas: 3 } }, { subresource: 'scale' });
  await remove(widgets, 'default/a');
  await remove(widgets, 'default/a');
  await patch(widgets, 'default/a', { spec: { size: 9 } });
  await patch(widgets, 'default/a', { status: { phase: 'y' } }, { subresource: 'status' });
  await patch(widgets, 'default/a', { metadata: { finalizers: null } });
  t.deepEqual(requested, ['create', 'update', 'scale', 'delete', 'update']);
});

test('a plugin that denies or fails every write holds up no deletion, and lets no change of a spec through meanwhile', async (t) => {
  for (const [answer, code] of [
    ['denies', 'TAP_OBJECT_DENIED'],
    ['fails', 'TAP_ADMISSION_PLUGIN_FAILED'],
  ]) {
    let isStrict = false;
    const strict: FakeTap = {
      plugin: 'strict',
      kind: 'Widget',
      run: () => {
        if (isStrict && answer === 'fails') throw new Error('broken');
        return isStrict ? deny({ field: 'spec', reason: 'No', message: 'no' }) : undefined;
      },
    };
    const { create, patch, remove, get, names } = await withTaps({ 'admission.validate': [strict] });
    await create(widgets, widget('a', { size: 1 }, { finalizers: ['test.dev/one', 'test.dev/two'] }));
    await remove(widgets, 'default/a');
    isStrict = true;
    await t.throwsAsync(patch(widgets, 'default/a', { spec: { size: 9 } }), { code });
    t.is((await get(widgets, 'default/a')).spec.size, 1);
    await patch(widgets, 'default/a', { status: { phase: 'Ending' } }, { subresource: 'status' });
    await patch(widgets, 'default/a', { metadata: { finalizers: ['test.dev/two'] } });
    await patch(widgets, 'default/a', { metadata: { finalizers: null } });
    t.deepEqual(await names(widgets), []);
  }
});

test('a mutating tap completes the spec of an object under deletion, and cannot keep the object by a finalizer', async (t) => {
  const hold: FakeTap = {
    ...paint('hold', 'r'),
    run: ({ object }) =>
      change(object, (draft: TestObject) => {
        draft.spec.color = 'r';
        draft.metadata.finalizers = ['hold.dev/on', 'hold.dev/again'];
      }),
  };
  const { create, patch, remove, get, names } = await withTaps({ 'admission.mutate': [hold] });
  await create(widgets, widget('a', { size: 1 }));
  await remove(widgets, 'default/a');
  await patch(widgets, 'default/a', { spec: { size: 2, color: null }, metadata: { finalizers: ['hold.dev/on'] } });
  const { spec, metadata } = await get(widgets, 'default/a');
  t.deepEqual([spec, metadata.finalizers], [{ size: 2, color: 'r' }, ['hold.dev/on']]);
  await patch(widgets, 'default/a', { spec: { size: 3 }, metadata: { finalizers: null } });
  t.deepEqual(await names(widgets), []);
});

test('taps that ask for it hear of changes of labels and annotations alone, also under deletion, and may deny them', async (t) => {
  const requested: string[] = [];
  const note: FakeTap = {
    plugin: 'note',
    kind: 'Widget',
    operations: ['metadata'],
    run: ({ operation, object, previous }) => {
      const { labels = {} } = (object as { metadata: { labels?: Record<string, string> } }).metadata;
      requested.push(`${operation} ${previous === undefined ? 'new' : 'known'} ${Object.keys(labels).join()}`);
      return labels['owner'] === 'me' ? deny({ field: 'metadata.labels[owner]', reason: 'No', message: 'not yours' }) : undefined;
    },
  };
  const { create, patch, remove } = await withTaps({ 'admission.validate': [note] });
  await create(widgets, widget('a', {}, { finalizers: ['test.dev/one'] }));
  await patch(widgets, 'default/a', { metadata: { labels: { x: 'y' } } });
  await patch(widgets, 'default/a', { spec: { size: 2 } });
  await patch(widgets, 'default/a', { status: { phase: 'x' } }, { subresource: 'status' });
  await t.throwsAsync(patch(widgets, 'default/a', { metadata: { labels: { owner: 'me' } } }), { code: 'TAP_OBJECT_DENIED' });
  await remove(widgets, 'default/a');
  await patch(widgets, 'default/a', { metadata: { annotations: { z: '1' } } });
  await patch(widgets, 'default/a', { metadata: { finalizers: null } });
  t.deepEqual(requested, ['metadata known x', 'metadata known x,owner', 'metadata known x']);
});

test('taps see on dry runs that they are', async (t) => {
  const requested: boolean[] = [];
  const { create } = await withTaps({
    'admission.validate': [{ plugin: 'note', kind: 'Widget', run: ({ dryRun }) => void requested.push(dryRun) }],
  });
  await create(widgets, widget('a'), { dryRun: true });
  await create(widgets, widget('a'));
  t.deepEqual(requested, [true, false]);
});

test('a dry run that a tap cannot keep from having effects on is refused, with its name, before any tap of the hook is asked', async (t) => {
  for (const hook of ['admission.mutate', 'admission.validate']) {
    const requested: string[] = [];
    const note = (plugin: string, sideEffects?: string): FakeTap => ({
      plugin,
      kind: 'Widget',
      ...(sideEffects && { sideEffects }),
      run: () => void requested.push(plugin),
    });
    const { create } = await withTaps({ [hook]: [note('first'), note('heeds', 'none-on-dry-run'), note('books', 'some')] });
    const error = await t.throwsAsync(create(widgets, widget('a'), { dryRun: true }), { code: 'TAP_ADMISSION_DRY_RUN_REFUSED' });
    t.regex(error.message, new RegExp(`plugin books .* ${hook.replace('.', '\\.')} .* Widget`));
    t.deepEqual(requested, []);
    await create(widgets, widget('a'));
    t.deepEqual(requested, ['first', 'heeds', 'books']);
  }
});

test('taps of another engine are not asked', async (t) => {
  const { create } = await withTaps({
    'admission.validate': [{ plugin: 'far', engine: 'local', run: () => deny({ field: 'x', reason: 'No', message: 'no' }) }],
  });
  t.is((await create(widgets, widget('a'))).outcome, 'created');
});

const hostClaim: FakeTap = {
  plugin: 'domains',
  kind: 'Widget',
  run: (object) =>
    object.spec.color === undefined
      ? []
      : [
          {
            unique: `host/${object.spec.color}`,
            denial: deny({ field: 'spec.color', reason: 'HostTaken', message: 'belongs to somebody else' }),
          },
        ],
};
const quotaClaim: FakeTap = {
  plugin: 'quota',
  kind: 'Widget',
  run: (object) => [
    {
      counter: 'size',
      amount: object.spec.size,
      max: 10,
      denial: deny({ field: 'spec.size', reason: 'OverQuota', message: 'over the quota of 10' }),
    },
  ],
};

test('a unique claim has one holder, and is free again when it is let go', async (t) => {
  const { create, patch, remove } = await withTaps({ 'admission.claim': [hostClaim] });
  const taken = { code: 'TAP_OBJECT_DENIED', message: 'widgets.test.tappaas.dev "b" is denied: spec.color: belongs to somebody else' };
  await create(widgets, widget('a', { color: 'shop' }));
  const error = await t.throwsAsync(create(widgets, widget('b', { color: 'shop' })), taken);
  t.deepEqual((error as unknown as { causes: object }).causes, [
    { field: 'spec.color', reason: 'HostTaken', message: 'belongs to somebody else', plugin: 'domains' },
  ]);
  await patch(widgets, 'default/a', { spec: { size: 2 } });
  await patch(widgets, 'default/a', { spec: { color: 'other' } });
  await create(widgets, widget('b', { color: 'shop' }));
  await t.throwsAsync(patch(widgets, 'default/b', { spec: { color: 'other' } }), taken);
  await remove(widgets, 'default/a');
  await patch(widgets, 'default/b', { spec: { color: 'other' } });
  t.pass();
});

test('a counter never exceeds its maximum, however many ask at once', async (t) => {
  const { create, patch, remove, names } = await withTaps({ 'admission.claim': [quotaClaim] });
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => create(widgets, widget(`w${index}`, { size: 3 }))));
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  const [first = '', second = ''] = await names(widgets);
  await t.throwsAsync(patch(widgets, `default/${first}`, { spec: { size: 5 } }), { code: 'TAP_OBJECT_DENIED' });
  await patch(widgets, `default/${first}`, { spec: { size: 4 } });
  await remove(widgets, `default/${second}`);
  await create(widgets, widget('fits', { size: 3 }));
  await t.throwsAsync(create(widgets, widget('not', { size: 1 })), { code: 'TAP_OBJECT_DENIED' });
});

test('claims are held until the object is gone, not only marked', async (t) => {
  const { create, patch, remove } = await withTaps({ 'admission.claim': [hostClaim] });
  await create(widgets, widget('a', { color: 'shop' }, { finalizers: ['test.dev/one'] }));
  await remove(widgets, 'default/a');
  await t.throwsAsync(create(widgets, widget('b', { color: 'shop' })), { code: 'TAP_OBJECT_DENIED' });
  await patch(widgets, 'default/a', { metadata: { finalizers: null } });
  t.is((await create(widgets, widget('b', { color: 'shop' }))).outcome, 'created');
});

test('an object under deletion claims what its spec comes to ask for, and gives back what it no longer asks for', async (t) => {
  const { create, patch, remove, get } = await withTaps({ 'admission.claim': [hostClaim, quotaClaim] });
  await create(widgets, widget('a', { color: 'shop', size: 3 }, { finalizers: ['test.dev/one'] }));
  await create(widgets, widget('b', { color: 'mail', size: 5 }));
  await remove(widgets, 'default/a');
  for (const spec of [{ color: 'mail' }, { size: 6 }]) {
    await t.throwsAsync(patch(widgets, 'default/a', { spec }), { code: 'TAP_OBJECT_DENIED' });
  }
  t.like((await get(widgets, 'default/a')).spec, { color: 'shop', size: 3 });
  await patch(widgets, 'default/a', { spec: { color: 'blog', size: 1 } });
  await t.throwsAsync(create(widgets, widget('c', { color: 'blog', size: 1 })), { code: 'TAP_OBJECT_DENIED' });
  t.is((await create(widgets, widget('c', { color: 'shop', size: 4 }))).outcome, 'created');
});

test('claims of a deleted object are released even when its plugin is not loaded', async (t) => {
  const first = await withTaps({ 'admission.claim': [hostClaim, quotaClaim] });
  await first.create(widgets, widget('a', { color: 'shop', size: 9 }));
  await first.engine.close();
  const without = await withTaps({}, { store: first.store, clock: first.clock });
  await without.remove(widgets, 'default/a');
  await without.engine.close();
  const { create } = await withTaps({ 'admission.claim': [hostClaim, quotaClaim] }, { store: first.store, clock: first.clock });
  t.is((await create(widgets, widget('b', { color: 'shop', size: 9 }))).outcome, 'created');
});

test('a dry run claims nothing', async (t) => {
  const { create } = await withTaps({ 'admission.claim': [hostClaim] });
  await create(widgets, widget('a', { color: 'shop' }), { dryRun: true });
  t.is((await create(widgets, widget('b', { color: 'shop' }))).outcome, 'created');
});

test('attribution says nothing of values', async (t) => {
  const canary = 'canary-7f3a';
  const { create, store } = await withTaps({
    'admission.mutate': [
      { plugin: 'p', kind: 'ConfigMap', run: ({ object }) => change(object, (draft: TestObject) => void (draft.data.x = canary)) },
    ],
  });
  await create(configMaps, configMap('a', { x: '1' }));
  const stored = await store.get('/registry/platform/core/configmaps/default/a');
  const { attribution } = JSON.parse(Buffer.from(stored?.value ?? []).toString()) as { attribution: object };
  t.false(JSON.stringify(attribution).includes(canary));
});

test('what a tap leaves in an object that JSON does not know is gone at once, not only after a restart', async (t) => {
  const odd: FakeTap = {
    plugin: 'odd',
    kind: 'ConfigMap',
    run: ({ object }) => ({ ...object, data: { a: '1', b: undefined }, metadata: { ...object.metadata, labels: { day: new Date(0) } } }),
  };
  const { create, get } = await withTaps({ 'admission.mutate': [odd] });
  await t.throwsAsync(create(configMaps, configMap('a')), { code: 'TAP_OBJECT_INVALID', message: /metadata\.labels/ });
  const circular: FakeTap = {
    plugin: 'circular',
    kind: 'ConfigMap',
    run: ({ object }) => {
      const data: Record<string, unknown> = {};
      data['self'] = data;
      return { ...object, data };
    },
  };
  const other = await withTaps({ 'admission.mutate': [{ ...odd, run: ({ object }) => ({ ...object, data: { a: '1', b: undefined } }) }] });
  const created = objectOf(await other.create(configMaps, configMap('a')));
  t.deepEqual(Object.keys(created.data), ['a']);
  t.deepEqual(Object.keys((await other.get(configMaps, 'default/a')).data), ['a']);
  const broken = await withTaps({ 'admission.mutate': [circular] });
  await t.throwsAsync(broken.create(configMaps, configMap('a')), { code: 'TAP_OBJECT_NOT_JSON', message: /circular/ });
  await t.throwsAsync(get(configMaps, 'default/a'), { code: 'TAP_OBJECT_NOT_FOUND' });
});

test('what is there is counted when the plugin comes later, also beyond the limit, and more is refused', async (t) => {
  const first = await withTaps({});
  for (const name of ['a', 'b', 'c']) await first.create(widgets, widget(name, { color: 'red' }));
  await first.engine.close();
  const denial = { field: 'spec', reason: 'QuotaExceeded', message: 'up to 1500m' };
  const counts: FakeTap = {
    plugin: 'quota',
    kind: 'Widget',
    run: () => [{ counter: 'cpu', amount: 1500, max: 1500, unit: 'cpuMillis', denial }],
  };
  const { engine, create } = await withTaps({ 'admission.claim': [counts] }, { store: first.store, clock: first.clock });
  t.deepEqual(await engine.rebuildClaims(new AbortController().signal), { changed: 3, refused: [] });
  await t.throwsAsync(create(widgets, widget('d', { color: 'red' })), { message: /up to 1500m \(4500m is in use\)/ });
});

test('claims can be rebuilt when the plugin that makes them comes later, and nothing is taken from its holder', async (t) => {
  const first = await withTaps({});
  await first.create(widgets, widget('a', { color: 'shop' }));
  await first.create(widgets, widget('b', { color: 'shop' }));
  await first.create(widgets, widget('c', { color: 'other' }));
  await first.engine.close();
  const { engine, create, get } = await withTaps({ 'admission.claim': [hostClaim] }, { store: first.store, clock: first.clock });
  const { metadata } = await get(widgets, 'default/a');
  const { changed, refused } = await engine.rebuildClaims(new AbortController().signal);
  t.is(changed, 2);
  t.deepEqual(
    refused.map(({ key, causes }) => [key, causes.map(({ reason, plugin }) => [reason, plugin])]),
    [['/registry/platform/test.tappaas.dev/widgets/default/b', [['HostTaken', 'domains']]]],
  );
  await t.throwsAsync(create(widgets, widget('d', { color: 'other' })), { code: 'TAP_OBJECT_DENIED' });
  t.is((await get(widgets, 'default/a')).metadata.uid, metadata.uid);
  await settled();
  t.is((await engine.rebuildClaims(new AbortController().signal)).changed, 0);
});
