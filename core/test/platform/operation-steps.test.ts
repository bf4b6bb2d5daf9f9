import * as fc from 'fast-check';
import test from 'ava';
import { operationStatus, stepsMax, type NotedStep } from '../../dist/platform/operations/operation-steps.js';

const planned = ['prepare', 'render', 'apply', 'rollout'];
const step = (name: string, percent: number, firstMs = 0, lastMs = firstMs): NotedStep => ({ name, percent, firstMs, lastMs });
const text = (ms: number) => new Date(ms).toISOString();

test('a new operation has its planned steps, of which only those that were told have begun', (t) => {
  const { phase, percent, steps } = operationStatus(undefined, { planned, steps: [step('prepare', 0, 1000)] }, 2000);
  t.deepEqual([phase, percent], ['Running', 0]);
  t.deepEqual(steps, [
    { name: 'prepare', phase: 'Running', percent: 0, startTime: text(1000) },
    ...['render', 'apply', 'rollout'].map((name) => ({ name, phase: 'Pending' as const, percent: 0 })),
  ]);
});

test('a step that nobody planned stands before what has not begun', (t) => {
  const first = operationStatus(undefined, { planned, steps: [step('prepare', 0)] }, 0);
  const { steps } = operationStatus(first, { planned, steps: [step('prepare', 0), step('build', 50)] }, 0);
  t.deepEqual(
    steps?.map(({ name }) => name),
    ['prepare', 'build', 'render', 'apply', 'rollout'],
  );
});

test('a step keeps the time at which it began and ended', (t) => {
  const first = operationStatus(undefined, { planned, steps: [step('prepare', 100, 1000, 2000)] }, 3000);
  const second = operationStatus(first, { planned, steps: [step('prepare', 100, 5000, 5000), step('render', 0, 5000)] }, 6000);
  t.deepEqual(second.steps?.[0], first.steps?.[0]);
  t.is(second.startTime, text(1000));
});

test('a step that has ended stays so when the next run goes through it again', (t) => {
  const first = operationStatus(undefined, { planned, steps: [step('prepare', 100, 1000)] }, 1000);
  const { steps } = operationStatus(first, { planned, steps: [step('prepare', 0, 5000)] }, 5000);
  t.deepEqual(steps?.[0], first.steps?.[0]);
});

test('the running step says what its operation waits for', (t) => {
  const { steps } = operationStatus(undefined, { planned, steps: [step('prepare', 100), step('render', 10)], message: 'a plugin' }, 0);
  t.deepEqual(
    steps?.map(({ message }) => message),
    [undefined, 'a plugin', undefined, undefined],
  );
});

test('success ends every step and gives the result', (t) => {
  const end = { phase: 'Succeeded', message: 'serves', result: { release: 'shop-1' } } as const;
  const status = operationStatus(undefined, { planned, steps: [step('prepare', 100, 10)], end }, 50);
  t.deepEqual([status.phase, status.percent, status.completionTime, status.error], ['Succeeded', 100, text(50), undefined]);
  t.deepEqual(status.result, { release: 'shop-1' });
  t.true(status.steps?.every(({ phase, completionTime }) => phase === 'Succeeded' && completionTime !== undefined));
});

test('failure is told by the step that ran, and what had not begun never will', (t) => {
  const end = { phase: 'Failed', message: 'no such image' } as const;
  const status = operationStatus(undefined, { planned, steps: [step('prepare', 100), step('render', 0)], end }, 50);
  t.is(status.error, 'no such image');
  t.deepEqual(
    status.steps?.map(({ phase }) => phase),
    ['Succeeded', 'Failed', 'Cancelled', 'Cancelled'],
  );
  t.is(status.steps?.[1]?.message, 'no such image');
});

test('there are never more than the most steps, and only what succeeded is at 100 percent', (t) => {
  const noted = fc.record({
    planned: fc.array(fc.string(), { maxLength: 80 }),
    steps: fc.uniqueArray(
      fc.record({ name: fc.string(), percent: fc.integer({ min: -10, max: 200 }), firstMs: fc.nat(), lastMs: fc.nat() }),
      {
        maxLength: 80,
        selector: ({ name }) => name,
      },
    ),
  });
  fc.assert(
    fc.property(noted, noted, (one, other) => {
      const { steps = [], percent = 0, phase } = operationStatus(operationStatus(undefined, one, 0), other, 1);
      t.true(steps.length <= stepsMax);
      t.is(new Set(steps.map(({ name }) => name)).size, steps.length);
      t.true(percent >= 0 && percent <= 99 && phase === 'Running');
      t.true(steps.every((each) => (each.percent === 100) === (each.phase === 'Succeeded')));
    }),
  );
});
