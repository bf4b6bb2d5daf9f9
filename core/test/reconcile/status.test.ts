import test from 'ava';
import type { Condition } from '@tappaas/sdk';
import { mergeConditions, type StoredCondition } from '../../dist/reconcile/conditions.js';
import { nextStatus } from '../../dist/reconcile/status.js';

const at = (second: number): string => new Date(second * 1_000).toISOString();
const ready = (status: Condition['status'], message = ''): Condition => ({ type: 'Ready', status, reason: 'R', message });
const stored = (condition: Condition, second: number, observedGeneration = 1): StoredCondition => ({
  ...condition,
  lastTransitionTime: at(second),
  observedGeneration,
});

test('the transition time changes only when the status does', (t) => {
  const facts = (second: number) => ({ nowMs: second * 1_000, observedGeneration: 1 });
  const first = mergeConditions([], [ready('False', 'starting')], facts(10));
  const second = mergeConditions(first, [ready('False', 'nearly')], facts(20));
  const third = mergeConditions(second, [ready('True', 'there')], facts(30));
  t.deepEqual(
    [first, second, third].map(([condition]) => [condition?.message, condition?.lastTransitionTime]),
    [
      ['starting', at(10)],
      ['nearly', at(10)],
      ['there', at(30)],
    ],
  );
});

test('stating the same again changes nothing, not even the reference', (t) => {
  const before = [stored(ready('True'), 10)];
  t.is(mergeConditions(before, [ready('True')], { nowMs: 20_000, observedGeneration: 1 }), before);
});

test('a new generation is noted without a transition', (t) => {
  const [condition] = mergeConditions([stored(ready('True'), 10)], [ready('True')], { nowMs: 20_000, observedGeneration: 2 });
  t.deepEqual([condition?.observedGeneration, condition?.lastTransitionTime], [2, at(10)]);
});

test('conditions of other types stay as they are and in their order', (t) => {
  const built: Condition = { type: 'Built', status: 'True', reason: 'B', message: '' };
  const merged = mergeConditions([stored(built, 5), stored(ready('False'), 6)], [ready('True')], { nowMs: 10_000, observedGeneration: 3 });
  t.deepEqual(merged, [stored(built, 5), stored(ready('True'), 10, 3)]);
});

test('a type that is stated twice has its last statement', (t) => {
  const merged = mergeConditions([], [ready('False'), ready('True')], { nowMs: 10_000, observedGeneration: 1 });
  t.deepEqual(
    merged.map(({ status }) => status),
    ['True'],
  );
});

test('a status that says what is stored already is no write', (t) => {
  const object = { metadata: { generation: 4 }, status: undefined as unknown };
  const first = nextStatus(object, { url: 'http://a', processes: [{ name: 'web', ready: 1 }] }, [ready('True')], 1_000);
  t.is(first?.['observedGeneration'], 4);
  const again = { ...object, status: first };
  t.is(nextStatus(again, { processes: [{ ready: 1, name: 'web' }] }, [ready('True')], 2_000), undefined);
  t.deepEqual(nextStatus(again, { url: 'http://b' }, [], 2_000), {
    observedGeneration: 4,
    conditions: first?.['conditions'],
    url: 'http://b',
  });
});

test('a field stated as undefined goes, one that is not named stays, and inside a field nothing stays that is not stated', (t) => {
  const status = { observedGeneration: 1, url: 'http://a', operation: 'web-deploy-1', used: { cpu: 1, memory: { max: 2, now: 1 } } };
  const object = { metadata: { generation: 1 }, status };
  t.deepEqual(nextStatus(object, { url: undefined, build: undefined, used: { memory: { now: 3 } } }, [], 0), {
    url: null,
    used: { cpu: null, memory: { max: null, now: 3 } },
    observedGeneration: 1,
  });
  t.is(nextStatus(object, { build: undefined }, [], 0), undefined);
});

test('a new generation alone is a write: the spec was looked at', (t) => {
  const object = { metadata: { generation: 2 }, status: { observedGeneration: 1 } };
  t.deepEqual(nextStatus(object, {}, [], 0), { observedGeneration: 2 });
});
