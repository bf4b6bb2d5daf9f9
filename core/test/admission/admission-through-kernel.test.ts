import { change, definePlugin, deny, hooks, type Plugin } from '@tappaas/sdk';
import test from 'ava';
import { createAdmission } from '../../dist/admission/admission.js';
import { redacted, restored } from '../../dist/resources/redaction.js';
import { start } from '../kernel/fixture.ts';
import { configMap, configMaps, objectOf, startEngine, Widget, widget, widgets } from '../resources/engine-fixture.ts';

/** An engine whose admission asks the taps of real plugins through the real kernel. */
async function withPlugins(...plugins: readonly { readonly id: string; readonly plugin: Plugin }[]) {
  const { kernel, clock: kernelClock } = await start(plugins);
  const admission = createAdmission({
    dispatch: kernel.hooks,
    confidentiality: { isVisibleTo: () => false, redacted, restored },
    isProjectOnly: () => false,
  });
  return { kernel, kernelClock, ...(await startEngine({ admission })) };
}

test('plugins mutate, deny and claim through the kernel, each under its own name', async (t) => {
  const painter = definePlugin({
    id: 'painter',
    setup(host) {
      host.tap(hooks.admission.mutate, { kinds: [Widget] }, ({ object }) =>
        object.spec.color === undefined ? change(object, (draft) => void (draft.spec.color = 'red')) : undefined,
      );
    },
  });
  const guard = definePlugin({
    id: 'guard',
    setup(host) {
      host.tap(hooks.admission.validate, { kinds: [Widget] }, ({ object }) =>
        object.spec.size > 5 ? deny({ field: 'spec.size', reason: 'TooBig', message: 'at most 5' }) : undefined,
      );
      host.tap(hooks.admission.claim, { kinds: [Widget] }, (object) => [
        { unique: `color/${object.spec.color}`, denial: deny({ field: 'spec.color', reason: 'Taken', message: 'taken' }) },
      ]);
    },
  });
  const { kernel, create, engine } = await withPlugins({ id: 'paint-1', plugin: painter }, { id: 'guard-1', plugin: guard });
  t.is(objectOf(await create(widgets, widget('a'))).spec.color, 'red');
  const attribution = engine.attribution({ kind: widgets, namespace: 'default', name: 'a' });
  t.deepEqual(
    attribution.map(({ plugin, paths }) => [plugin, paths]),
    [['paint-1', ['/spec/color']]],
  );
  const denied = await t.throwsAsync(create(widgets, widget('b', { size: 9, color: 'blue' })), { code: 'TAP_OBJECT_DENIED' });
  t.regex(denied.message, /spec\.size: at most 5 \(guard-1\)/);
  const taken = await t.throwsAsync(create(widgets, widget('b')), { code: 'TAP_OBJECT_DENIED' });
  t.deepEqual((taken as unknown as { causes: object }).causes, [
    { field: 'spec.color', reason: 'Taken', message: 'taken', plugin: 'guard-1' },
  ]);
  await kernel.stop();
});

test('an object of one tenant that makes a plugin throw shuts its hook to nobody', async (t) => {
  const fragile = definePlugin({
    id: 'fragile',
    setup(host) {
      host.tap(hooks.admission.mutate, { kinds: [Widget] }, ({ object }) => {
        if (object.spec.color === 'none') throw new Error('no such color');
      });
      host.tap(hooks.admission.validate, { kinds: [Widget] }, ({ object }) => {
        if (object.spec.color === 'odd') throw new Error('no such color');
      });
      host.tap(hooks.admission.claim, { kinds: [Widget] }, ({ spec }) => {
        if (spec.color === 'dear') throw new Error('no such color');
        return [];
      });
    },
  });
  const { kernel, create } = await withPlugins({ id: 'fragile-1', plugin: fragile });
  const make = (name: string, color: string, tenant: string) =>
    create(widgets, widget(name, { color }), { caller: { name: 'joe', groups: [], tenant } });
  for (const color of ['none', 'odd', 'dear']) {
    for (let index = 0; index < 12; index += 1) await t.throwsAsync(make('bad', color, 'acme'), { code: 'TAP_ADMISSION_PLUGIN_FAILED' });
  }
  await make('good', 'red', 'rival');
  await make('own', 'red', 'acme');
  for (const tenant of ['rival', 'rival', 'third']) await t.throwsAsync(make('bad', 'none', tenant), { message: /no such color/ });
  await t.throwsAsync(make('next', 'red', 'rival'), { message: /is skipped for a while/ });
  await kernel.stop();
});

test('what a plugin declares of its side effects reaches admission through its manifest, and only its own kinds are concerned', async (t) => {
  const ledger = definePlugin({
    id: 'ledger',
    setup(host) {
      host.tap(hooks.admission.validate, { kinds: [Widget], sideEffects: 'some' }, () => undefined);
    },
  });
  const { kernel, create, names } = await withPlugins({ id: 'ledger-1', plugin: ledger });
  const refused = await t.throwsAsync(create(widgets, widget('a'), { dryRun: true }), { code: 'TAP_ADMISSION_DRY_RUN_REFUSED' });
  t.regex(refused.message, /plugin ledger-1 has side effects at admission\.validate/);
  t.is((await create(configMaps, configMap('c'), { dryRun: true })).outcome, 'created');
  await create(widgets, widget('a'));
  t.deepEqual(await names(widgets), ['a']);
  await kernel.stop();
});

test('a plugin that throws, never answers or answers garbage denies, is named, and other kinds go on', async (t) => {
  const faults: Readonly<Record<string, () => never>> = {
    throws: () => {
      throw new Error('out of order');
    },
    garbage: () => 7 as never,
    silent: () => new Promise(() => {}) as never,
  };
  for (const [id, fault] of Object.entries(faults)) {
    const plugin = definePlugin({ id, setup: (host) => host.tap(hooks.admission.mutate, { kinds: [Widget] }, fault) });
    const { kernel, kernelClock, create, names } = await withPlugins({ id, plugin });
    const created = create(widgets, widget('a'));
    created.catch(() => {});
    await kernelClock.advance(5_000);
    const error = await t.throwsAsync(created);
    t.regex(error.message, new RegExp(`plugin ${id}`));
    t.deepEqual(await names(widgets), []);
    t.is((await create(configMaps, configMap('c'))).outcome, 'created');
    await kernel.stop();
  }
});
