import test from 'ava';
import { columns, hooks, type Hook, type Shape } from '@tappaas/sdk';
import type { Dispatch, Registrations } from '../../dist/kernel/kernel.js';
import { scheduleErrors } from '../../dist/schedule/errors.js';
import { hookedTaps } from '../../dist/schedule/hooked-taps.js';
import { makeNode, makePod } from './world.ts';

const failure = { plugin: 'bad', error: scheduleErrors.TAP_SCHEDULE_STEP_FAILED({ message: 'boom' }) };
const placement = { pod: makePod('web'), node: 'a' };

/** What the kernel answers at each hook; hooks that are left out have no taps. */
interface Given {
  readonly batch?: Readonly<Record<string, readonly object[]>>;
  readonly series?: Readonly<Record<string, unknown>>;
  readonly choose?: Readonly<Record<string, unknown>>;
  readonly columns?: readonly object[];
}

function tapsOf(given: Given, weights: Readonly<Record<string, number>> = {}) {
  const answer = (from: Readonly<Record<string, unknown>> | undefined) => async (hook: Hook<Shape>) => from?.[hook.name];
  const dispatch = {
    has: (hook: Hook<Shape>) => hook.name in { ...given.series, ...given.choose },
    batch: (hook: Hook<Shape>) => given.batch?.[hook.name] ?? [],
    series: answer(given.series),
    choose: answer(given.choose),
  };
  const registrations = { columns: given.columns ?? [] };
  return hookedTaps(dispatch as unknown as Dispatch, registrations as unknown as Registrations, { weightOf: (tap) => weights[tap] ?? 1 });
}

test('hooks without taps have no step, so a cycle stays synchronous', (t) => {
  t.deepEqual(Object.keys(tapsOf({})).sort(), ['columns', 'filter', 'score']);
});

test('a step lets the pod go on, refuses it or makes it wait, naming the plugin', async (t) => {
  const at = (answers: readonly object[]) => tapsOf({ series: { [hooks.scheduling.permit.name]: { answers } } }).permit?.(placement);
  t.is(await at([]), undefined);
  t.deepEqual(await at([{ plugin: 'gang', value: { reject: 'too few' } }]), { plugin: 'gang', message: 'too few' });
  t.deepEqual(await at([{ plugin: 'gang', value: { waitMs: 50 } }]), { plugin: 'gang', message: 'asked to wait 50 ms', waitMs: 50 });
});

test('a step, a choice or a binder that fails throws the error that names the plugin', async (t) => {
  const { preFilter, postFilter, bind } = tapsOf({
    series: { [hooks.scheduling.preFilter.name]: { answers: [], failure } },
    choose: { [hooks.scheduling.postFilter.name]: { failure }, [hooks.scheduling.bind.name]: { failure } },
  });
  await t.throwsAsync(async () => preFilter?.(placement), { message: 'boom' });
  await t.throwsAsync(async () => postFilter?.({ pod: placement.pod, rejected: {}, nodes: [], pods: [] }), { message: 'boom' });
  await t.throwsAsync(async () => bind?.(placement), { message: 'boom' });
});

test('reserve answers the undos in order, and the failure beside them', async (t) => {
  const undo = () => undefined;
  const taps = tapsOf({ series: { [hooks.scheduling.reserve.name]: { answers: [{ plugin: 'volume', value: undo }], failure } } });
  t.deepEqual(await taps.reserve?.(placement), { undos: [{ plugin: 'volume', undo }], failure: failure.error });
});

test('the binder that answers has bound the pod, and none leaves it to the scheduler', async (t) => {
  const at = (choice: object) => tapsOf({ choose: { [hooks.scheduling.bind.name]: choice } }).bind?.(placement);
  t.is(await at({ answer: { plugin: 'special', value: true } }), 'bound');
  t.is(await at({}), undefined);
});

const batch = (more: object) => ({
  plugin: 'cost',
  name: 'cost/cheap',
  options: { reads: { cpu: columns.free('cpu') }, reasons: [{ message: 'dear', retryOn: [] }], scale: 'points' },
  failurePolicy: 'fail',
  shadow: false,
  run: ({ out }: { out: Int32Array }) => void out.fill(1),
  ...more,
});
const call = () => ({ pod: {} as never, count: 2, out: new Int32Array(2), columns: {} });

test('batch taps keep what they were registered with, and scores get the weight of the operator', (t) => {
  const taps = tapsOf(
    { batch: { [hooks.scheduling.filter.name]: [batch({})], [hooks.scheduling.score.name]: [batch({})] } },
    { 'cost/cheap': 7 },
  );
  t.like(taps.filter[0], { plugin: 'cost', reasons: [{ message: 'dear', retryOn: [] }] });
  t.like(taps.score[0], { plugin: 'cost', scale: 'points', weight: 7 });
  const input = call();
  taps.filter[0]?.run(input);
  t.deepEqual([...input.out], [1, 1]);
});

test('a failed batch tap throws, unless its policy ignores that; in shadow it decides nothing', (t) => {
  const run = (more: object) => {
    const input = call();
    tapsOf({ batch: { [hooks.scheduling.filter.name]: [batch(more)] } }).filter[0]?.run(input);
    return [...input.out];
  };
  const failing = ({ out }: { out: Int32Array }) => {
    out[0] = 1;
    return failure.error;
  };
  t.throws(() => run({ run: failing }), { message: 'boom' });
  t.deepEqual(run({ run: failing, failurePolicy: 'ignore' }), [0, 0]);
  t.deepEqual(run({ shadow: true }), [0, 0]);
  t.deepEqual(run({ shadow: true, run: failing }), [0, 0]);
});

test('a column is computed inside the guard of its plugin', (t) => {
  const guarded: string[] = [];
  const guard = {
    callSync: ({ name }: { name: string }, run: () => number) => {
      guarded.push(name);
      return run();
    },
  };
  const value = { name: 'cost/price', unit: 'cents', of: () => 5, onChanged: () => () => undefined };
  const [column] = tapsOf({ columns: [{ plugin: 'cost', guard, value }] }).columns;
  t.is(column?.of(makeNode('a')), 5);
  t.deepEqual(guarded, ['scheduling.column']);
});
