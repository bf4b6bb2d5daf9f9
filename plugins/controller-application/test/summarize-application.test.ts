import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import test from 'ava';
import { summarizeApplication } from '../dist/summarize-application.js';
import { facts, shop } from './fixture.ts';

const deployment = (status: object, generation = 1) =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop-web', generation },
    status,
  }) as unknown as Immutable<KubernetesObject>;
const pod = (status: object) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop-web-1', labels: { 'app.kubernetes.io/component': 'web' } },
    status,
  }) as unknown as Immutable<KubernetesObject>;
const summarize = (...observed: Immutable<KubernetesObject>[]) =>
  summarizeApplication({ object: shop(), facts, release: { name: 'shop-3', number: 3 }, observed });
const conditionOf = (summary: ReturnType<typeof summarize>, type: string) =>
  summary.conditions.find((condition) => condition.type === type);

test('an application is ready when every replica of the new release is', (t) => {
  const summary = summarize(deployment({ readyReplicas: 2, updatedReplicas: 2, observedGeneration: 1 }));
  t.is(conditionOf(summary, 'Ready')?.status, 'True');
  t.is(summary.status.url, 'http://shop.team-a.localhost:8080');
});

test('replicas of the old release do not make the new one ready', (t) => {
  t.is(conditionOf(summarize(deployment({ readyReplicas: 2, updatedReplicas: 1, observedGeneration: 1 })), 'Ready')?.status, 'False');
});

test('a ready replica of the old release beside one of the new release that is not does not count as ready', (t) => {
  const surging = deployment({ replicas: 3, readyReplicas: 2, updatedReplicas: 2, observedGeneration: 1 });
  t.is(conditionOf(summarize(surging), 'Ready')?.status, 'False');
});

test('a deployment whose controller has not seen the new spec says nothing about it', (t) => {
  t.is(conditionOf(summarize(deployment({ readyReplicas: 2, updatedReplicas: 2, observedGeneration: 1 }, 2)), 'Ready')?.status, 'False');
});

test('an application without its objects is not ready', (t) => {
  t.is(conditionOf(summarize(), 'Ready')?.status, 'False');
});

test('a pod that fits nowhere is named with the scheduler’s own reason', (t) => {
  const unscheduled = pod({
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes: too little memory' }],
  });
  t.regex(
    conditionOf(summarize(deployment({ readyReplicas: 0 }), unscheduled), 'Ready')?.message ?? '',
    /shop-web-1 has no node: 0\/1 nodes: too little memory/,
  );
});

test('a process that keeps failing is named with its reason, and restarts are counted', (t) => {
  const failing = pod({
    containerStatuses: [{ name: 'web', restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff', message: 'exit code 1' } } }],
  });
  const summary = summarize(deployment({ readyReplicas: 0 }), failing);
  t.regex(conditionOf(summary, 'Ready')?.message ?? '', /web is in CrashLoopBackOff: exit code 1/);
  t.is(summary.status.processes?.[0]?.restarts, 4);
});

test('a process that keeps ending is told with its exit code and where to look', (t) => {
  const failing = pod({
    containerStatuses: [
      {
        name: 'web',
        restartCount: 2,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'ended 3 times in a row' } },
        lastState: { terminated: { exitCode: 3 } },
      },
    ],
  });
  t.is(
    conditionOf(summarize(deployment({ readyReplicas: 0 }), failing), 'Ready')?.message,
    'process web is in CrashLoopBackOff: ended 3 times in a row; it last ended with exit code 3, tappaas logs shop shows what it wrote',
  );
});

test('why a pod is not ready is told where its cluster knows more than that', (t) => {
  const unready = (reason: string) =>
    pod({ conditions: [{ type: 'Ready', status: 'False', reason, message: 'container web: listens on 1 instead of 2' }] });
  const messageFor = (reason: string) => conditionOf(summarize(deployment({ readyReplicas: 0 }), unready(reason)), 'Ready')?.message ?? '';
  t.is(messageFor('PortNotListening'), 'pod shop-web-1 is not ready: container web: listens on 1 instead of 2');
  t.regex(messageFor('ContainersNotReady'), /process web has 0 of 2 replicas ready/);
});

test('a rollout past its deadline has failed', (t) => {
  const late = deployment({
    readyReplicas: 0,
    observedGeneration: 1,
    conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
  });
  t.is(conditionOf(summarize(late), 'Ready')?.reason, 'RolloutFailed');
  t.is(summarize(late).failed, 'rollback');
});

test('an application without routes states that it has no URL, so that an earlier one goes', (t) => {
  const { status } = summarizeApplication({ object: shop({ routes: [] }), facts, release: { name: 'shop-3', number: 3 }, observed: [] });
  t.true('url' in status);
  t.is(status.url, undefined);
});

test('a new release that crashes says so where it counts, and not of the replicas that serve', (t) => {
  const failing = pod({
    containerStatuses: [{ name: 'web', restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff', message: 'exit code 1' } } }],
  });
  const summary = summarize(deployment({ replicas: 3, readyReplicas: 2, updatedReplicas: 1, observedGeneration: 1 }), failing);
  t.like(conditionOf(summary, 'Available'), { status: 'True', reason: 'ReplicasReady' });
  t.notRegex(conditionOf(summary, 'Available')?.message ?? '', /CrashLoopBackOff/);
  t.regex(conditionOf(summary, 'Progressing')?.message ?? '', /CrashLoopBackOff/);
});

test('what keeps a pod from running is the reason why an application is not ready, while it goes on being rolled out', (t) => {
  const unscheduled = pod({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node' }] });
  const blocked = summarize(deployment({ readyReplicas: 0 }), unscheduled);
  t.is(conditionOf(blocked, 'Ready')?.reason, 'Unschedulable');
  t.like(conditionOf(blocked, 'Progressing'), { status: 'True', reason: 'RollingOut' });
  const starting = pod({ containerStatuses: [{ name: 'web', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } }] });
  t.is(conditionOf(summarize(deployment({ readyReplicas: 0 }), starting), 'Ready')?.reason, 'RollingOut');
});
