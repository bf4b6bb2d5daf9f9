import type { Condition } from '@tappaas/sdk';
import test from 'ava';
import { releaseEvent, stateEvent } from '../../dist/platform/rendering/rendering-events.js';

type End = NonNullable<Parameters<typeof stateEvent>[1]['end']>;

const condition = (type: string, status: Condition['status'], reason: string, message = reason): Condition => ({
  type,
  status,
  reason,
  message,
});
const rollingOut = condition('Progressing', 'True', 'RollingOut');
const object = (generation: number, before?: Condition, observedGeneration = generation) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'team-a', uid: 'u1', resourceVersion: '1', generation },
  status: { conditions: before ? [{ ...before, lastTransitionTime: '', observedGeneration }] : [] },
});
const serving = condition('Ready', 'True', 'Serving', 'release shop-1 serves');
const crashing = condition('Ready', 'False', 'CrashLoop', 'ended 3 times');
const reported = (before: ReturnType<typeof object>, conditions: readonly Condition[], end?: End) => {
  const event = stateEvent(before, { conditions, ...(end ? { end } : {}) });
  return event && `${event.type} ${event.reason}: ${event.message}`;
};

test('that an application serves is told once for each change, and not again while it does', (t) => {
  t.is(reported(object(1), [serving]), 'Normal Serving: release shop-1 serves');
  t.is(reported(object(1, serving), [serving]), undefined);
  t.is(reported(object(2, serving, 1), [serving]), 'Normal Serving: release shop-1 serves');
});

test('that a release is on its way is no event, and what is in its way is one as long as it is the same', (t) => {
  const waiting = condition('Ready', 'False', 'RollingOut', '1 of 2 replicas');
  const blocked = condition('Ready', 'False', 'Unschedulable', 'no node');
  t.is(reported(object(1), [waiting, rollingOut]), undefined);
  t.is(reported(object(1, waiting), [blocked, rollingOut]), 'Warning Unschedulable: no node');
  t.is(reported(object(1, blocked), [{ ...blocked, message: 'no node for 3 pods' }, rollingOut]), undefined);
  t.is(reported(object(1, blocked), [serving]), 'Normal Serving: release shop-1 serves');
});

test('a change that fails is a warning with what goes on serving, and what follows from it is none', (t) => {
  const failed: End = { phase: 'Failed', message: 'ended 3 times; release shop-1 goes on serving' };
  t.is(reported(object(2, serving, 1), [crashing], failed), 'Warning CrashLoop: ended 3 times; release shop-1 goes on serving');
  t.is(reported(object(2, crashing), [condition('Ready', 'False', 'ReleaseFailed')], failed), undefined);
  t.is(reported(object(3, crashing, 2), [condition('Ready', 'False', 'ReleaseFailed', 'as before')]), 'Warning ReleaseFailed: as before');
});

test('a change that a person has stopped is no warning', (t) => {
  const cancelled = condition('Ready', 'False', 'Cancelled', 'the change was cancelled');
  t.is(reported(object(1), [cancelled], { phase: 'Cancelled', message: '' }), 'Normal Cancelled: the change was cancelled');
});

test('the same trouble of the same generation is the same event, whatever its figures', (t) => {
  const [one, other] = ['ended 3 times', 'ended 4 times'].map((message) =>
    stateEvent(object(1), { conditions: [{ ...crashing, message }] }),
  );
  t.not(one?.message, other?.message);
  t.is(one?.sameAs, other?.sameAs);
  t.not(one?.sameAs, stateEvent(object(2), { conditions: [crashing] })?.sameAs);
});

test('a release is told with the images that it runs, each once and not too many', (t) => {
  const { message } = releaseEvent('shop-1', 'local', { web: 'a', worker: 'a', one: 'b', two: 'c', three: 'd' });
  t.is(message, 'release shop-1 of image a, b, c and 1 more, for cluster local');
});
