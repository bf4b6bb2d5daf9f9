import { definePlugin, deny, hooks, type Hook, type Plugin, type Shape } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import type { Kernel } from '../../dist/kernel/kernel.js';
import { load, metric, never, only, rejection, request, selector, start } from './fixture.ts';

const { admission, scheduling, reconcile, secrets, telemetry } = hooks;
const { object } = request();
const kinds = [Application] as const;

/** How each hook is tapped and called, whatever it is for; the answer lists what failed. */
interface Way {
  readonly hook: Hook<Shape>;
  readonly options: object;
  ask(kernel: Kernel): Promise<readonly (string | undefined)[]> | readonly (string | undefined)[];
}

const fakeSet = (): object => Object.assign([], { add: fakeSet, changePodTemplates: fakeSet });
const candidates = { pod: {}, count: 1, out: new Int32Array(1), columns: {} };
const codes = (failures: readonly { readonly plugin: string; readonly error: { readonly code: string } }[]) =>
  failures.map(({ plugin, error }) => `${plugin} ${error.code}`);
const codesOf = (failure: { readonly plugin: string; readonly error: { readonly code: string } } | undefined) =>
  codes(failure ? [failure] : []);

const way = (hook: unknown, options: object, ask: Way['ask']): Way => ({ hook: hook as Hook<Shape>, options, ask });
const step = (hook: typeof scheduling.permit): Way =>
  way(hook, {}, async (kernel) => codesOf((await kernel.hooks.series(hook, {}, { pod: {} as never })).failure));
const telling = (hook: unknown): Way => way(hook, {}, (kernel) => codes(kernel.hooks.observe(hook as typeof telemetry.log, {} as never)));
const batch = (hook: unknown, options: object): Way =>
  way(hook, options, (kernel) => {
    const [tap] = kernel.hooks.batch(hook as typeof scheduling.filter);
    const error = tap?.run(candidates as never);
    return error === undefined ? [] : [`${tap?.plugin ?? ''} ${error.code}`];
  });

const ways: readonly Way[] = [
  way(admission.validate, { kinds }, async (kernel) => codes((await kernel.hooks.gate(admission.validate, selector, request())).failures)),
  way(admission.mutate, { kinds }, async (kernel) =>
    codesOf(
      (await kernel.hooks.transform(admission.mutate, selector, { value: object, input: (value) => ({ ...request(), object: value }) }))
        .failure,
    ),
  ),
  way(admission.claim, { kinds }, (kernel) => codes(kernel.hooks.collectSync(admission.claim, selector, object).failures)),
  way(reconcile.render, { kinds, phase: 'runtime' }, (kernel) => {
    const input = () => ({ object, set: fakeSet() as never, capabilities: [] });
    return codesOf(kernel.hooks.transformSync(reconcile.render, selector, { value: fakeSet(), input, diff: () => [] }).failure);
  }),
  way(reconcile.observe, { kinds, conditions: ['Healthy'] }, async (kernel) =>
    codes((await kernel.hooks.collect(reconcile.observe, selector, { object, observed: [] })).failures),
  ),
  way(reconcile.finalize, { kinds }, async (kernel) =>
    codesOf((await kernel.hooks.series(reconcile.finalize, selector, { object }, { reverse: true })).failure),
  ),
  way(scheduling.cluster, { kinds }, async (kernel) =>
    codesOf((await kernel.hooks.choose(scheduling.cluster, selector, { object, clusters: ['a'] })).failure),
  ),
  way(scheduling.postFilter, {}, async (kernel) =>
    codesOf((await kernel.hooks.choose(scheduling.postFilter, {}, { pod: {} as never, rejected: {}, nodes: [], pods: [] })).failure),
  ),
  way(scheduling.bind, {}, async (kernel) =>
    codesOf((await kernel.hooks.choose(scheduling.bind, {}, { pod: {} as never, node: 'n' })).failure),
  ),
  way(scheduling.reserve, {}, async (kernel) =>
    codesOf((await kernel.hooks.series(scheduling.reserve, {}, { pod: {} as never, node: 'n' })).failure),
  ),
  ...[scheduling.preEnqueue, scheduling.preFilter, scheduling.permit, scheduling.preBind].map(step),
  batch(scheduling.filter, { reads: {}, reasons: [] }),
  batch(scheduling.score, { reads: {}, scale: 'points' }),
  way(secrets.accessed, {}, async (kernel) =>
    codes(
      await kernel.hooks.observeAsync(
        secrets.accessed,
        {},
        { ref: { store: 's', path: 'p' }, version: '1', caller: { name: 'a', groups: [] }, purpose: 'x' },
      ),
    ),
  ),
  ...[telemetry.event, telemetry.metric, telemetry.span, telemetry.log, telemetry.audit].map(telling),
];

const tapping = ({ hook, options }: Way, run: (input: unknown) => unknown): Plugin =>
  definePlugin({ id: 'culprit', setup: (host) => host.tap(hook, options, run as never) });

const declarationOf = (hook: Hook<Shape>) => {
  const declaration = definitionOf(hook, 'hook');
  if (declaration === undefined) throw new TypeError('no hook');
  return declaration;
};

const garbage: Readonly<Record<string, readonly unknown[]>> = {
  'admission.validate': ['denied', 7, { reason: 'X' }, [deny({ field: '', reason: 'A', message: 'a' }), null], false, null],
  'admission.mutate': ['x', null, [], {}, { ...object, kind: 'Other' }, { ...object, metadata: { ...object.metadata, name: 'other' } }],
  'admission.claim': [undefined, {}, [{}], [{ unique: '' }], [{ unique: 'a', denial: 'no' }]],
  'reconcile.render': [null, 'x', {}, []],
  'reconcile.observe': [undefined, {}, [{ type: 'Healthy' }], [{ type: 'Foreign', status: 'True', reason: 'A', message: '' }]],
  'scheduling.cluster': ['b', 7, {}, null],
  'scheduling.postFilter': [true, {}, { node: 'n' }],
  'scheduling.bind': [false, 'yes'],
  'scheduling.reserve': [true, {}],
  'scheduling.permit': [true, {}, { reject: '' }, { waitMs: Number.NaN }, { waitMs: -1 }],
};

test('every hook of the platform is among those tried here', (t) => {
  const all = Object.values(hooks).flatMap((family) => Object.values(family as Record<string, Hook<Shape>>).map(({ name }) => name));
  t.deepEqual(ways.map(({ hook }) => hook.name).toSorted(), all.toSorted());
});

for (const one of ways) {
  const { name } = one.hook;
  const { synchronous, onFailure, deadlineMs } = declarationOf(one.hook);
  const reported = (code: string) => (onFailure === 'ignore' && one.hook.name.startsWith('telemetry.') ? [] : [`culprit ${code}`]);

  test(`a plugin that throws in ${name} is named, and nothing else breaks`, async (t) => {
    const { kernel } = await start(
      only(
        tapping(one, () => {
          throw new Error('boom');
        }),
      ),
    );
    t.deepEqual(await one.ask(kernel), reported('TAP_PLUGIN_FAILED'));
    t.true((metric(kernel, `tappaas_tap_duration_seconds_count{plugin="culprit",hook="${name}",outcome="error"}`) ?? 0) >= 1);
    t.deepEqual((await kernel.stop()).errors, []);
  });

  test(`a plugin that is not running answers ${name} with the hook's failure policy`, async (t) => {
    const { kernel } = await load(only(tapping(one, () => undefined)));
    const plugin = definePlugin({
      id: 'culprit',
      setup(host) {
        host.tap(one.hook, one.options as never, () => undefined);
        host.onStart(() => Promise.reject(new Error('no start')));
      },
    });
    await kernel.stop();
    if (name === 'reconcile.render') {
      const error = await rejection(load([{ id: 'culprit', plugin, options: { onBootFailure: 'continue' } }]));
      t.regex(error.message, /TAP_CONFIG_BOOT_FAILURE/);
      return;
    }
    const loaded = await start([{ id: 'culprit', plugin, options: { onBootFailure: 'continue' } }]);
    t.is(loaded.kernel.plugins()[0]?.phase, 'failed');
    t.deepEqual(await one.ask(loaded.kernel), reported('TAP_PLUGIN_NOT_RUNNING'));
    await loaded.kernel.stop();
  });

  if (synchronous) {
    test(`a promise from the synchronous ${name} is refused, also one that rejects`, async (t) => {
      const { kernel } = await start(only(tapping(one, () => Promise.reject(new Error('nobody looks at it')))));
      t.deepEqual(await one.ask(kernel), reported('TAP_PLUGIN_RESULT_INVALID'));
      await kernel.stop();
    });
  } else {
    test(`a plugin that never settles in ${name} is cut off after ${deadlineMs} ms`, async (t) => {
      const { kernel, clock } = await start(only(tapping(one, never)));
      const requested = one.ask(kernel);
      await clock.advance(deadlineMs + 20);
      t.deepEqual(await requested, reported('TAP_PLUGIN_TIMEOUT'));
      await kernel.stop();
    });
  }
}

for (const [name, values] of Object.entries(garbage)) {
  test(`garbage from ${name} is refused, naming the plugin and what was wrong`, async (t) => {
    const one = ways.find(({ hook }) => hook.name === name);
    t.truthy(one);
    if (one === undefined) return;
    for (const value of values) {
      const { kernel } = await start(only(tapping(one, () => value)));
      t.deepEqual(await one.ask(kernel), ['culprit TAP_PLUGIN_RESULT_INVALID'], JSON.stringify(value));
      await kernel.stop();
    }
  });
}

test('garbage from batch taps is refused: entries outside of what they declare', async (t) => {
  for (const [hook, options, entry] of [
    ['scheduling.filter', { reads: {}, reasons: [{ message: 'full', retryOn: [] }] }, 2],
    ['scheduling.filter', { reads: {}, reasons: [] }, -1],
    ['scheduling.score', { reads: {}, scale: 'points' }, 101],
  ] as const) {
    const one = ways.find((each) => each.hook.name === hook);
    if (one === undefined) throw new TypeError(hook);
    const plugin = tapping({ ...one, options }, (input) => {
      (input as { out: Int32Array }).out[0] = entry;
    });
    const { kernel } = await start(only(plugin));
    t.deepEqual(await one.ask(kernel), ['culprit TAP_PLUGIN_RESULT_INVALID']);
    await kernel.stop();
  }
});
