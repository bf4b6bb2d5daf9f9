import test from 'ava';
import { columns } from '@tappaas/sdk';
import { DecisionLog, refusalText, type Decision } from '../../dist/schedule/decision.js';
import { defaultLimits } from '../../dist/schedule/options.js';
import { scheduleErrors } from '../../dist/schedule/errors.js';
import { throttled, type SchedulingProblem } from '../../dist/schedule/problems.js';
import { filterTap, makeNode, makePod, scoreTap, World } from './world.ts';

const decision = (uid: string, attempt = 1): Decision => ({
  pod: { namespace: 'default', name: uid, uid },
  atMs: 0,
  attempt,
  outcome: 'failed',
  nodes: 0,
  feasibleNodes: 0,
  refused: [],
  retryOn: [],
});

test('the log keeps the last decisions and the latest of each pod', (t) => {
  const log = new DecisionLog(3);
  for (const [uid, attempt] of [
    ['a', 1],
    ['b', 1],
    ['a', 2],
    ['c', 1],
    ['d', 1],
  ] as const)
    log.add(decision(uid, attempt));
  t.is(log.get('a')?.attempt, 2);
  t.is(log.get('b'), undefined);
  t.deepEqual(
    log.latest(2).map(({ pod }) => pod.uid),
    ['d', 'c'],
  );
  t.deepEqual(
    log.latest(9).map(({ pod }) => pod.uid),
    ['d', 'c', 'a'],
  );
});

test('the scheduler remembers no more decisions than the limit', async (t) => {
  const world = new World({}, { limits: { ...defaultLimits, decisionsMax: 2 } });
  world.nodes(makeNode('a'));
  world.pods(makePod('one'), makePod('two'), makePod('three'));
  await world.idle();
  t.is(world.scheduler.decisions(10).length, 2);
  t.is(world.decision('one'), undefined);
  await world.scheduler.stop();
});

test('a refusal names the most frequent reason first', (t) => {
  const refused = [
    { plugin: 'fit', message: 'insufficient cpu', nodes: 1 },
    { plugin: 'cost', message: 'too dear', nodes: 2 },
  ];
  t.is(refusalText(3, refused), '0 of 3 nodes can take the pod: 2 too dear (cost), 1 insufficient cpu (fit)');
  t.is(refusalText(0, []), 'there is no node');
});

test('a decision says what each plugin refused and scored, and which node came next', async (t) => {
  const tooSmall = filterTap({
    plugin: 'size',
    reads: { cpu: columns.allocatable('cpu') },
    reasons: [{ message: 'too small', retryOn: ['node-changed'] }],
    run: ({ count, out, columns }) => {
      for (let i = 0; i < count; i++) out[i] = (columns['cpu']?.[i] ?? 0) < 2000 ? 1 : 0;
    },
  });
  const byCpu = scoreTap({
    plugin: 'roomy',
    weight: 2,
    reads: { cpu: columns.free('cpu') },
    run: ({ count, out, columns }) => {
      for (let i = 0; i < count; i++) out[i] = (columns['cpu']?.[i] ?? 0) / 100;
    },
  });
  const world = new World({ filter: [tooSmall], score: [byCpu] });
  world.nodes(
    makeNode('a', { cpu: '2' }),
    makeNode('b', { cpu: '3' }),
    makeNode('c', { cpu: '1' }),
    makeNode('d', { unschedulable: true }),
  );
  world.pods(makePod('web', { cpu: '1' }));
  await world.idle();
  t.like(world.decision('web'), { outcome: 'placed', attempt: 1, nodes: 4, feasibleNodes: 2 });
  t.deepEqual(world.decision('web')?.refused, [
    { plugin: 'kernel.taints', message: 'the node is marked unschedulable', nodes: 1 },
    { plugin: 'size', message: 'too small', nodes: 1 },
  ]);
  t.like(world.decision('web')?.chosen, { node: 'b', total: 360 });
  t.deepEqual(world.decision('web')?.chosen?.parts[0], { plugin: 'roomy', points: 30, weight: 2 });
  t.like(world.decision('web')?.next, { node: 'a', total: 340 });
  await world.scheduler.stop();
});

test('an explanation says what every node would be to a pod, and changes nothing', async (t) => {
  const world = new World();
  world.nodes(
    makeNode('b'),
    makeNode('a'),
    makeNode('full', { pods: 0 }),
    makeNode('tainted', { taints: [{ key: 'k', effect: 'NoSchedule' }] }),
  );
  const { scored, rejected } = world.scheduler.explain(makePod('web', { cpu: '1' }));
  t.deepEqual(
    scored.map(({ node }) => node),
    ['a', 'b'],
  );
  t.deepEqual(rejected, {
    full: { plugin: 'kernel.capacity', message: 'the node has no room for another pod' },
    tainted: { plugin: 'kernel.taints', message: 'the node has the taint k:NoSchedule, which the pod does not tolerate' },
  });
  t.deepEqual(world.scheduler.counts(), { nodes: 4, pendingPods: 0, activePods: 0, bindsInFlight: 0, placedPods: 0 });
  await world.scheduler.stop();
});

test('a problem of one kind is told once in a while', (t) => {
  const reported: SchedulingProblem[] = [];
  let nowMs = 0;
  const report = throttled(
    (problem) => reported.push(problem),
    () => nowMs,
    1000,
  );
  const problem = (plugin: string) => ({ error: scheduleErrors.TAP_SCHEDULE_FILTER_FAILED({ message: 'x' }), plugin });
  report(problem('a'));
  report(problem('a'));
  report(problem('b'));
  nowMs = 1000;
  report(problem('a'));
  t.deepEqual(
    reported.map(({ plugin }) => plugin),
    ['a', 'b', 'a'],
  );
});

test('a class remembers a bounded number of different reasons', async (t) => {
  const world = new World();
  world.nodes(...Array.from({ length: 300 }, (_, n) => makeNode(`n${n}`, { taints: [{ key: `taint-${n}`, effect: 'NoSchedule' }] })));
  world.pods(makePod('web'));
  await world.idle();
  const refused = world.decision('web')?.refused ?? [];
  t.is(refused.length, 201);
  t.is(
    refused.reduce((sum, { nodes }) => sum + nodes, 0),
    300,
  );
  await world.scheduler.stop();
});
