import { change, columns, definePlugin, deny, hooks, type AdmissionRequest, type Candidates } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import test from 'ava';
import { load, metric, request, selector, start } from './fixture.ts';

const { admission, scheduling, telemetry, secrets, reconcile } = hooks;
const kinds = [Application] as const;
const denial = (reason: string) => deny({ field: 'spec', reason, message: `because of ${reason}` });

test('a gate tells every denial, in the order of the taps and not of their answers', async (t) => {
  const late = definePlugin({
    id: 'late',
    setup(host) {
      host.tap(admission.validate, { kinds }, async () => {
        await Promise.resolve();
        return [denial('First'), denial('Second')];
      });
    },
  });
  const early = definePlugin({ id: 'early', setup: (host) => host.tap(admission.validate, { kinds }, () => denial('Third')) });
  const fine = definePlugin({ id: 'fine', setup: (host) => host.tap(admission.validate, { kinds }, () => undefined) });
  const { kernel } = await start([
    { id: 'late', plugin: late },
    { id: 'fine', plugin: fine },
    { id: 'early', plugin: early },
  ]);
  const { denials, failures } = await kernel.hooks.gate(admission.validate, selector, request());
  t.deepEqual(
    denials.map(({ plugin, reason }) => `${plugin} ${reason}`),
    ['late First', 'late Second', 'early Third'],
  );
  t.deepEqual(failures, []);
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="late",hook="admission.validate",outcome="denied"}'), 1);
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="fine",hook="admission.validate",outcome="ok"}'), 1);
  await kernel.stop();
});

test('a tap is asked only for its kinds, engine and operations', async (t) => {
  const requested: string[] = [];
  const plugin = definePlugin({
    id: 'picky',
    setup(host) {
      host.tap(admission.validate, { kinds, name: 'usual' }, () => void requested.push('usual'));
      host.tap(admission.validate, { kinds, name: 'scale', operations: ['scale', 'delete'] }, () => void requested.push('scale'));
      host.tap(admission.validate, { kinds, name: 'elsewhere', engine: 'local' }, () => void requested.push('elsewhere'));
    },
  });
  const { kernel } = await start([{ id: 'picky', plugin }]);
  const ask = async (one: object): Promise<readonly string[]> => {
    requested.length = 0;
    await kernel.hooks.gate(admission.validate, one, request());
    return [...requested];
  };
  t.deepEqual(await ask({ kind: Application, operation: 'create' }), ['usual']);
  t.deepEqual(await ask({ kind: Application, operation: 'update' }), ['usual']);
  t.deepEqual(await ask({ kind: Application, operation: 'delete' }), ['scale']);
  t.deepEqual(await ask({ kind: Application, operation: 'create', engine: 'local' }), ['elsewhere']);
  t.deepEqual(await ask({ kind: { group: 'apps.tappaas.dev', kind: 'Build' }, operation: 'create' }), []);
  t.true(kernel.hooks.has(admission.validate));
  t.false(kernel.hooks.has(admission.validate, { kind: { group: '', kind: 'Pod' } }));
  t.false(kernel.hooks.has(admission.mutate));
  await kernel.stop();
});

test('a transform attributes each change to its tap, as paths and never as values', async (t) => {
  const first = definePlugin({
    id: 'first',
    setup: (host) =>
      host.tap(admission.mutate, { kinds }, ({ object }) =>
        change(object, (draft) => Object.assign(draft.spec, { secretValue: 'hunter2', 'a/b~c': 1 })),
      ),
  });
  const idle = definePlugin({ id: 'idle', setup: (host) => host.tap(admission.mutate, { kinds }, async ({ object }) => ({ ...object })) });
  const second = definePlugin({
    id: 'second',
    setup: (host) =>
      host.tap(admission.mutate, { kinds }, async ({ object }) =>
        change(object, (draft) => Object.assign(draft.spec, { secretValue: 'other' })),
      ),
  });
  const { kernel } = await start([first, idle, second].map((plugin) => ({ id: plugin.id, plugin })));
  const requested = request({ processes: [] });
  const result = await kernel.hooks.transform(admission.mutate, selector, {
    value: requested.object,
    input: (object) => ({ ...requested, object }),
  });
  t.deepEqual(result.changes, [
    { plugin: 'first', paths: ['/spec/secretValue', '/spec/a~1b~0c'] },
    { plugin: 'second', paths: ['/spec/secretValue'] },
  ]);
  t.false(JSON.stringify(result.changes).includes('hunter2'));
  t.like(result.value, { spec: { secretValue: 'other', 'a/b~c': 1 } });
  t.true(Object.isFrozen(result.value));
  t.is(result.failure, undefined);
  await kernel.stop();
});

test('a failed tap of a transform leaves no trace and ends the chain; with policy "ignore" the chain goes on', async (t) => {
  const good = definePlugin({
    id: 'good',
    setup: (host) =>
      host.tap(admission.mutate, { kinds }, ({ object }) => change(object, (draft) => Object.assign(draft.spec, { good: 1 }))),
  });
  const bad = definePlugin({
    id: 'bad',
    setup: (host) =>
      host.tap(admission.mutate, { kinds }, ({ object }) => {
        (object.spec as Record<string, unknown>)['bad'] = 1;
      }),
  });
  const last = definePlugin({
    id: 'last',
    setup: (host) =>
      host.tap(admission.mutate, { kinds }, ({ object }) => change(object, (draft) => Object.assign(draft.spec, { last: 1 }))),
  });
  const requested = request();
  const thread = { value: requested.object as object, input: (object: object) => ({ ...requested, object }) as never };
  for (const [policy, spec, changed] of [
    ['fail', { good: 1 }, ['good']],
    ['ignore', { good: 1, last: 1 }, ['good', 'last']],
  ] as const) {
    const { kernel } = await start([
      { id: 'good', plugin: good },
      { id: 'bad', plugin: bad, options: { limits: { 'admission.mutate': { failurePolicy: policy } } } },
      { id: 'last', plugin: last },
    ]);
    const result = await kernel.hooks.transform(admission.mutate, selector, thread);
    t.deepEqual((result.value as { spec: unknown }).spec, spec);
    t.deepEqual(
      result.changes.map(({ plugin }) => plugin),
      changed,
    );
    t.is(result.failure?.plugin, policy === 'fail' ? 'bad' : undefined);
    await kernel.stop();
  }
});

test('a stage may hide parts of an object from a tap and put them back', async (t) => {
  const seen: unknown[] = [];
  const nosy = definePlugin({
    id: 'nosy',
    setup(host) {
      host.tap(admission.mutate, { kinds }, ({ object }) => {
        seen.push(object.spec);
        return change(object, (draft) => Object.assign(draft.spec, { label: 'set' }));
      });
      host.tap(admission.validate, { kinds }, ({ object }) => void seen.push(object.spec));
    },
  });
  const { kernel } = await start([{ id: 'nosy', plugin: nosy }]);
  const requested = request({ secret: 'canary' });
  type Part = { spec: Record<string, unknown> };
  const hidden = (object: unknown) => ({ ...(object as Part), spec: { secret: '[hidden]' } });
  const result = await kernel.hooks.transform(admission.mutate, selector, {
    value: requested.object,
    input: (object, plugin) => ({ ...requested, object: plugin === 'nosy' ? hidden(object) : object }),
    take: (before, answered) => {
      const { secret: _, ...spec } = (answered as Part).spec;
      return { ...before, spec: { ...before.spec, ...spec } };
    },
  });
  await kernel.hooks.gate(admission.validate, selector, requested, undefined, (_plugin, input) => ({
    ...input,
    object: hidden(input.object) as never,
  }));
  t.deepEqual(seen, [{ secret: '[hidden]' }, { secret: '[hidden]' }]);
  t.deepEqual((result.value as Part).spec, { secret: 'canary', label: 'set' });
  t.deepEqual(result.changes, [{ plugin: 'nosy', paths: ['/spec/label'] }]);
  await kernel.stop();
});

test('taps get frozen inputs, and what they return is frozen before others see it', async (t) => {
  const seen: boolean[] = [];
  const plugin = definePlugin({
    id: 'looker',
    setup(host) {
      host.tap(admission.validate, { kinds }, (requested) => {
        seen.push(
          Object.isFrozen(requested),
          Object.isFrozen(requested.object),
          Object.isFrozen(requested.object.metadata),
          Object.isFrozen(requested.caller.groups),
        );
      });
    },
  });
  const { kernel } = await start([{ id: 'looker', plugin }]);
  await kernel.hooks.gate(admission.validate, selector, request());
  t.deepEqual(seen, [true, true, true, true]);
  await kernel.stop();
});

test('the first tap that answers a choose hook ends it', async (t) => {
  const requested: string[] = [];
  const chooser = (id: string, answer: string | undefined) =>
    definePlugin({
      id,
      setup: (host) =>
        host.tap(scheduling.cluster, { kinds }, async () => {
          requested.push(id);
          return answer;
        }),
    });
  const { kernel } = await start(
    [chooser('none', undefined), chooser('east', 'east'), chooser('west', 'west')].map((plugin) => ({ id: plugin.id, plugin })),
  );
  const choice = await kernel.hooks.choose(
    scheduling.cluster,
    { kind: Application },
    { object: request().object, clusters: ['west', 'east'] },
  );
  t.deepEqual(choice, { answer: { plugin: 'east', value: 'east' } });
  t.deepEqual(requested, ['none', 'east']);
  t.deepEqual(await kernel.hooks.choose(scheduling.bind, {}, { pod: {} as never, node: 'n' }), {});
  await kernel.stop();
});

test('claims are collected from every tap at once', async (t) => {
  const plugin = definePlugin({
    id: 'quota',
    setup: (host) =>
      host.tap(admission.claim, { kinds }, (object) => [{ unique: `host/${object.metadata.name}`, denial: denial('Taken') }]),
  });
  const other = definePlugin({
    id: 'other',
    setup: (host) => host.tap(admission.claim, { kinds }, () => [{ counter: 'cpu', amount: 1, max: 2, denial: denial('Full') }]),
  });
  const { kernel } = await start([
    { id: 'quota', plugin },
    { id: 'other', plugin: other },
  ]);
  const { answers, failures } = kernel.hooks.collectSync(admission.claim, { kind: Application }, request().object);
  t.deepEqual(failures, []);
  t.deepEqual(
    answers.map(({ plugin, value }) => [plugin, Object.keys(value[0] ?? {})]),
    [
      ['quota', ['unique', 'denial']],
      ['other', ['counter', 'amount', 'max', 'denial']],
    ],
  );
  await kernel.stop();
});

test('a series ends at the first failure, and the undo of what ran is guarded', async (t) => {
  const undone: string[] = [];
  const reserve = (id: string, outcome: 'undo' | 'throw') =>
    definePlugin({
      id,
      setup: (host) =>
        host.tap(scheduling.reserve, {}, () => {
          if (outcome === 'throw') throw new Error('no room');
          return () => {
            undone.push(id);
            if (id === 'b') throw new Error('cannot undo');
          };
        }),
    });
  const { kernel } = await start(
    [reserve('a', 'undo'), reserve('b', 'undo'), reserve('c', 'throw'), reserve('d', 'undo')].map((plugin) => ({ id: plugin.id, plugin })),
  );
  const { answers, failure } = await kernel.hooks.series(scheduling.reserve, {}, { pod: {} as never, node: 'n1' });
  t.is(failure?.plugin, 'c');
  t.is(failure?.error.message, 'plugin c failed in scheduling.reserve: no room');
  t.deepEqual(
    answers.map(({ plugin }) => plugin),
    ['a', 'b'],
  );
  const faults: string[] = [];
  for (const { value } of answers.toReversed()) await (async () => value())().catch((error: Error) => void faults.push(error.message));
  t.deepEqual(undone, ['b', 'a']);
  t.deepEqual(faults, ['plugin b failed in scheduling.reserve: cannot undo']);
  await kernel.stop();
});

test('a series can run in reverse and end at an answer', async (t) => {
  const ran: string[] = [];
  const step = (id: string) =>
    definePlugin({
      id,
      setup(host) {
        host.tap(reconcile.finalize, { kinds }, async () => void ran.push(id));
        host.tap(scheduling.permit, {}, () => {
          ran.push(id);
          return id === 'b' ? { reject: 'not today' } : undefined;
        });
      },
    });
  const { kernel } = await start([step('a'), step('b'), step('c')].map((plugin) => ({ id: plugin.id, plugin })));
  await kernel.hooks.series(reconcile.finalize, { kind: Application }, { object: request().object }, { reverse: true });
  t.deepEqual(ran.splice(0), ['c', 'b', 'a']);
  const { answers } = await kernel.hooks.series(scheduling.permit, {}, { pod: {} as never }, { endsAt: (verdict) => 'reject' in verdict });
  t.deepEqual(ran, ['a', 'b']);
  t.deepEqual(answers, [{ plugin: 'b', value: { reject: 'not today' } }]);
  await kernel.stop();
});

test('observers are told; only failures that must not be dropped are answered', async (t) => {
  const reported: string[] = [];
  const plugin = definePlugin({
    id: 'exporter',
    setup(host) {
      host.tap(telemetry.log, {}, ({ message }) => {
        reported.push(message);
        throw new Error('full');
      });
      host.tap(telemetry.audit, {}, () => {
        throw new Error('disk full');
      });
      host.tap(secrets.accessed, {}, () => Promise.reject(new Error('no audit')));
    },
  });
  const { kernel } = await start([{ id: 'exporter', plugin }]);
  t.deepEqual(kernel.hooks.observe(telemetry.log, { level: 'info', atMs: 0, message: 'hello', fields: {} }), []);
  t.deepEqual(reported, ['hello']);
  const failed = kernel.hooks.observe(telemetry.audit, { auditID: '1', stage: 'RequestReceived', verb: 'get' });
  t.is(failed[0]?.error.message, 'plugin exporter failed in telemetry.audit: disk full');
  const access = { ref: { store: 's', path: 'p' }, version: '1', caller: { name: 'ann', groups: [] }, purpose: 'render' };
  const closed = await kernel.hooks.observeAsync(secrets.accessed, { store: 's' }, access);
  t.is(closed[0]?.plugin, 'exporter');
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="exporter",hook="telemetry.log",outcome="error"}'), 1);
  await kernel.stop();
});

test('batch taps are plain functions over their own candidates', async (t) => {
  const plugin = definePlugin({
    id: 'fit',
    setup: (host) =>
      host.tap(
        scheduling.filter,
        { reads: { cpu: columns.free('cpu') }, reasons: [{ message: 'full', retryOn: [] }] },
        ({ count, out, columns: { cpu } }) => {
          for (let i = 0; i < count; i += 1) out[i] = (cpu[i] ?? 0) < 100 ? 1 : 0;
        },
      ),
  });
  const { kernel } = await start([{ id: 'fit', plugin }]);
  const [tap] = kernel.hooks.batch(scheduling.filter);
  const out = new Int32Array(2);
  const input = { pod: {}, count: 2, out, columns: { cpu: Float64Array.of(50, 500) } } as unknown as Candidates<never>;
  t.is(tap?.run(input as never), undefined);
  t.deepEqual([...out], [1, 0]);
  t.is(tap?.failurePolicy, 'fail');
  t.is(kernel.hooks.batch(scheduling.filter), kernel.hooks.batch(scheduling.filter));
  t.deepEqual(kernel.hooks.batch(scheduling.score), []);
  await kernel.stop();
});

test('shadow mode runs and records gates, transforms and batches, and changes nothing', async (t) => {
  const strict = definePlugin({
    id: 'strict',
    setup(host) {
      host.tap(admission.validate, { kinds }, () => denial('TooStrict'));
      host.tap(admission.mutate, { kinds }, ({ object }) => change(object, (draft) => Object.assign(draft.spec, { forced: true })));
      host.tap(scheduling.score, { reads: {}, scale: 'points' }, () => undefined);
    },
  });
  const { kernel, events, lines } = await start([{ id: 'strict', plugin: strict, options: { mode: 'shadow' } }]);
  const requested = request();
  t.deepEqual(await kernel.hooks.gate(admission.validate, selector, requested), { denials: [], failures: [] });
  const result = await kernel.hooks.transform(admission.mutate, selector, {
    value: requested.object,
    input: (object) => ({ ...requested, object }),
  });
  t.is(result.value, requested.object);
  t.deepEqual(result.changes, []);
  t.true(kernel.hooks.batch(scheduling.score)[0]?.shadow);
  t.deepEqual(
    events
      .filter(({ type }) => type === 'plugin.shadow')
      .map(({ attributes }) => [attributes['verdict'], attributes['paths'] ?? attributes['reasons']]),
    [
      ['denied', 'TooStrict'],
      ['changed', '/spec/forced'],
    ],
  );
  t.is(lines.filter(({ plugin }) => plugin === 'strict').length, 2);
  t.is(metric(kernel, 'tappaas_shadow_verdicts_total{plugin="strict",hook="admission.validate",verdict="denied"}'), 1);
  await kernel.stop();
});

test('render taps run phase by phase, whatever the order of the configuration', async (t) => {
  const ran: string[] = [];
  const shaper = (id: string, phase: 'runtime' | 'network' | 'policy') =>
    definePlugin({
      id,
      setup: (host) =>
        host.tap(reconcile.render, { kinds, phase }, ({ set }) => {
          ran.push(id);
          return set;
        }),
    });
  const { kernel } = await load(
    [shaper('policy', 'policy'), shaper('network', 'network'), shaper('runtime', 'runtime')].map((plugin) => ({ id: plugin.id, plugin })),
  );
  await kernel.start();
  const set = Object.assign([], { add: () => set, changePodTemplates: () => set }) as never;
  const requested = { object: request().object, set, capabilities: [] };
  const { changes, failure } = kernel.hooks.transformSync(
    reconcile.render,
    { kind: Application },
    { value: set, input: () => requested as never, diff: () => [] },
  );
  t.deepEqual([ran, changes, failure], [['runtime', 'network', 'policy'], [], undefined]);
  await kernel.stop();
});

test('what a platform without plugins answers is empty and costs no call', async (t) => {
  const { kernel } = await start([]);
  t.deepEqual(await kernel.hooks.gate(admission.validate, selector, request()), { denials: [], failures: [] });
  t.deepEqual(await kernel.hooks.collect(reconcile.observe, selector, { object: request().object, observed: [] }), {
    answers: [],
    failures: [],
  });
  t.deepEqual(kernel.hooks.observe(telemetry.event, { type: 'x', atMs: 0, attributes: {} }), []);
  const unknown = { name: 'admission.unknown', contract: 1 } as unknown as typeof admission.validate;
  t.throws(() => kernel.hooks.gate(unknown, selector, request() as AdmissionRequest<never>), { message: /none of the platform/ });
  await kernel.stop();
});
