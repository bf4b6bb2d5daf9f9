import type { Condition } from '@tappaas/sdk';
import test from 'ava';
import { operationStatus } from '../../dist/platform/operation-steps.js';

const condition = (type: string, status: Condition['status'], reason = 'Because'): Condition => ({
  type,
  status,
  reason,
  message: `${type} is ${status}`,
});
const all = (status: Condition['status']) => ['Built', 'Rendered', 'Applied', 'Ready'].map((type) => condition(type, status));

test('an operation whose conditions all hold has succeeded', (t) => {
  const { phase, percent, completionTime } = operationStatus(undefined, all('True'), 1000);
  t.deepEqual({ phase, percent, completionTime }, { phase: 'Succeeded', percent: 100, completionTime: '1970-01-01T00:00:01.000Z' });
});

test('what comes after the first open step is pending, whatever older conditions say', (t) => {
  const { steps, phase } = operationStatus(undefined, [condition('Built', 'False'), condition('Ready', 'True')], 0);
  t.is(phase, 'Running');
  t.deepEqual(
    steps?.map((step) => step.phase),
    ['Running', 'Pending', 'Pending', 'Pending'],
  );
});

test('a build that failed fails the operation with its message', (t) => {
  const { phase, error } = operationStatus(undefined, [condition('Built', 'False', 'BuildFailed')], 0);
  t.is(phase, 'Failed');
  t.is(error, 'Built is False');
});

test('a step keeps the time at which it began and ended', (t) => {
  const first = operationStatus(undefined, [condition('Built', 'True')], 1000);
  const second = operationStatus(first, all('True'), 5000);
  t.deepEqual(second.steps?.[0], first.steps?.[0]);
  t.is(second.startTime, first.startTime);
  t.is(second.steps?.[3]?.completionTime, '1970-01-01T00:00:05.000Z');
});
