import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import test from 'ava';
import { crashLoopOf } from '../dist/crashes.js';
import { summarizeApplication } from '../dist/summarize-application.js';
import { facts, shop } from './fixture.ts';

type Frozen = Immutable<KubernetesObject>;

const revision = (number: number) => ({ annotations: { 'deployment.kubernetes.io/revision': String(number) } });
const deployment = (number: number, status: object = { observedGeneration: 1 }) =>
  ({ kind: 'Deployment', metadata: { name: 'shop-web', uid: 'd', generation: 1, ...revision(number) }, status }) as unknown as Frozen;
const replicaSet = (number: number) =>
  ({ kind: 'ReplicaSet', metadata: { uid: `rs-${number}`, ownerReferences: [{ uid: 'd' }], ...revision(number) } }) as unknown as Frozen;
const podOf = (set: number, container: object, metadata: object = {}) =>
  ({
    kind: 'Pod',
    metadata: { name: `shop-web-${set}`, ownerReferences: [{ uid: `rs-${set}` }], ...metadata },
    status: { containerStatuses: [{ name: 'web', restartCount: 2, ...container }] },
  }) as unknown as Frozen;
const backOff = { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1, reason: 'Error' } } };

test('a process of the new pods that has ended so often, and waits to be started again, is a crash loop', (t) => {
  const observed = [deployment(2), replicaSet(1), replicaSet(2), podOf(2, backOff)];
  t.like(crashLoopOf(observed, 3), { process: 'web', ends: 3, exitCode: 1, reason: undefined });
  t.is(crashLoopOf(observed, 4), undefined);
});

test('pods of the release before, pods that go, and a process that runs again are none', (t) => {
  const around = [deployment(2), replicaSet(1), replicaSet(2)];
  t.is(crashLoopOf([...around, podOf(1, backOff)], 3), undefined, 'what was broken before may be what is mended now');
  t.is(crashLoopOf([...around, podOf(2, backOff, { deletionTimestamp: '2026-01-01T00:00:00Z' })], 3), undefined);
  t.is(crashLoopOf([...around, podOf(2, { ...backOff, restartCount: 9, state: { running: {} } })], 3), undefined);
});

test('nothing is said of a deployment whose controller has not seen its present spec', (t) => {
  const unseen = deployment(1, { observedGeneration: 0 });
  t.is(crashLoopOf([unseen, replicaSet(1), podOf(1, backOff)], 3), undefined);
});

test('a crash loop fails the rollout as the spec says, and the reason is told', (t) => {
  const killed = { ...backOff, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } };
  const observed = [deployment(1), replicaSet(1), podOf(1, killed)];
  const rollout = { strategy: 'Rolling', maxUnavailable: 0, maxSurge: 1, timeoutSeconds: 600, crashesMax: 3, onFailure: 'Stop' } as const;
  const summary = (crashesMax: number) =>
    summarizeApplication({
      object: shop({ rollout: { ...rollout, crashesMax } }),
      facts,
      release: { name: 'shop-2', number: 2 },
      observed,
    });
  t.is(summary(3).failed, 'stop');
  const ready = summary(3).conditions.find(({ type }) => type === 'Ready');
  t.is(
    `${ready?.reason}: ${ready?.message}`,
    'CrashLoop: process web of release shop-2 has ended 3 times, the last time with exit code 137 (OOMKilled)',
  );
  t.is(summary(4).failed, undefined);
});

test('what keeps the new pods from serving is told before what is wrong with those of the release before', (t) => {
  const message = 'container web: listens on 34567 instead of 22795';
  const misled = podOf(2, { state: { running: {} } }) as unknown as { status: object };
  Object.assign(misled.status, { conditions: [{ type: 'Ready', status: 'False', reason: 'PortMismatch', message }] });
  const observed = [podOf(1, backOff), deployment(2), replicaSet(1), replicaSet(2), misled as unknown as Frozen];
  const { conditions } = summarizeApplication({ object: shop(), facts, release: { name: 'shop-2', number: 2 }, observed });
  t.is(conditions.find(({ type }) => type === 'Ready')?.message, `pod shop-web-2 is not ready: ${message}`);
});
