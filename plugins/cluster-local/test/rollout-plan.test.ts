import test from 'ava';
import * as fc from 'fast-check';
import type { Deployment, Immutable, ReplicaSet } from '@tappaas/sdk';
import { planDeployment } from '../dist/controllers/deployment-plan.js';
import { deploymentStatus } from '../dist/controllers/deployment-status.js';
import { planRollout, rolloutBounds } from '../dist/controllers/rollout-plan.js';

type Spec = NonNullable<Deployment['spec']>;
interface Set {
  readonly name: string;
  readonly specified: number;
  readonly available: number;
  readonly desired?: number;
}

const spec = (replicas: number, surge: number | string, unavailable: number | string, more: Partial<Spec> = {}): Spec => ({
  replicas,
  selector: { matchLabels: { app: 'x' } },
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
  template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'process' }] } },
  ...more,
});

const set = ({ name, specified, available, desired }: Set, wished: number): Immutable<ReplicaSet> => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name, generation: 1, annotations: { 'deployment.kubernetes.io/desired-replicas': String(desired ?? wished) } },
  spec: { replicas: specified, selector: {} },
  status: { replicas: specified, availableReplicas: available, observedGeneration: 1 },
});

test('bounds round surge up and unavailability down, and something can always be replaced', (t) => {
  t.deepEqual(rolloutBounds(spec(10, '25%', '25%')), { surge: 3, unavailable: 2 });
  t.deepEqual(rolloutBounds(spec(1, '25%', '25%')), { surge: 1, unavailable: 0 });
  t.deepEqual(rolloutBounds(spec(3, '0%', '10%')), { surge: 0, unavailable: 1 });
  t.deepEqual(rolloutBounds({ ...spec(4, 0, 0), strategy: { type: 'Recreate' } }), { surge: 0, unavailable: 4 });
});

/** Simulates a rollout: the plan resizes, pods become available or die at random, until nothing changes. */
function play(rollout: Spec, start: readonly Set[], random: () => number, steps: number) {
  const wished = rollout.replicas ?? 1;
  const { surge, unavailable } = rolloutBounds(rollout);
  let sets = start.map((one) => ({ ...one }));
  const isWhole = () => sets.reduce((sum, { available }) => sum + available, 0) >= wished - unavailable;
  let wasWhole = isWhole();
  for (let step = 0; step < steps; step += 1) {
    const objects = sets.map((one) => set(one, wished));
    const [current, ...old] = objects;
    const resizes = planRollout(rollout, current, old);
    for (const { set: resized, replicas } of resizes) {
      const one = sets.find(({ name }) => name === resized.metadata.name);
      if (one) Object.assign(one, { specified: replicas, available: Math.min(one.available, replicas), desired: wished });
    }
    const total = sets.reduce((sum, { specified }) => sum + specified, 0);
    if (total > wished + surge) return { problem: `${total} pods, allowed ${wished + surge}`, sets };
    if (wasWhole && !isWhole()) return { problem: `too few available: ${JSON.stringify(sets)}`, sets };
    if (resizes.length === 0 && sets.every(({ specified, available }) => specified === available))
      return { problem: undefined, sets, step };
    sets = sets.map((one) => ({ ...one, available: Math.min(one.specified, one.available + Math.round(random() * 2)) }));
    wasWhole = isWhole();
  }
  return { problem: 'did not come to an end', sets };
}

test('any rolling update stays within its bounds and comes to an end', (t) => {
  const size = fc.integer({ min: 0, max: 12 });
  const bound = fc.oneof(
    fc.integer({ min: 0, max: 4 }),
    fc.integer({ min: 0, max: 100 }).map((part) => `${part}%`),
  );
  fc.assert(
    fc.property(size, size, bound, bound, fc.nat(1_000_000), (wished, split, surge, unavailable, seed) => {
      const first = Math.min(split, wished);
      const start = [
        { name: 'new', specified: 0, available: 0 },
        { name: 'older', specified: first, available: first },
        { name: 'old', specified: wished - first, available: wished - first },
      ];
      let noise = seed;
      const random = () => (noise = (noise * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
      const { problem, sets } = play(spec(wished, surge, unavailable), start, random, 400);
      return problem === undefined && sets.map(({ specified }) => specified).join() === [wished, 0, 0].join();
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('broken pods of an old template go before the ones that serve', (t) => {
  const rollout = spec(4, 1, 0);
  const sets = [
    set({ name: 'new', specified: 1, available: 0 }, 4),
    set({ name: 'broken', specified: 1, available: 0 }, 4),
    set({ name: 'old', specified: 4, available: 4 }, 4),
  ];
  const resizes = planRollout(rollout, sets[0], sets.slice(1));
  t.deepEqual(
    resizes.map(({ set: { metadata }, replicas }) => [metadata.name, replicas]),
    [['broken', 0]],
  );
});

test('replicas that change in the middle of a rollout are shared out in proportion', (t) => {
  const rollout = spec(20, 5, 0);
  const sets = [
    set({ name: 'new', specified: 5, available: 5, desired: 10 }, 20),
    set({ name: 'old', specified: 10, available: 10, desired: 10 }, 20),
  ];
  const resizes = planRollout(rollout, sets[0], sets.slice(1));
  const total = resizes.reduce((sum, { replicas }) => sum + replicas, 0);
  t.is(total, 25);
  t.deepEqual(
    new Map(resizes.map(({ set: { metadata }, replicas }) => [metadata.name, replicas])),
    new Map([
      ['old', 17],
      ['new', 8],
    ]),
  );
});

test('a recreate starts nothing new before the last old pod has gone', (t) => {
  const rollout: Spec = { ...spec(2, 0, 0), strategy: { type: 'Recreate' } };
  const going = {
    ...set({ name: 'old', specified: 0, available: 0 }, 2),
    status: { replicas: 0, terminatingReplicas: 1, observedGeneration: 1 },
  };
  const current = set({ name: 'new', specified: 0, available: 0 }, 2);
  t.deepEqual(
    planRollout(rollout, current, [set({ name: 'old', specified: 2, available: 2 }, 2)]).map(({ replicas }) => replicas),
    [0],
  );
  t.deepEqual(planRollout(rollout, current, [going]), []);
  const gone = { ...going, status: { replicas: 0, observedGeneration: 1 } };
  t.deepEqual(
    planRollout(rollout, current, [gone]).map(({ replicas }) => replicas),
    [2],
  );
});

const deployment = (more: Partial<Spec> = {}, status?: Deployment['status']): Immutable<Deployment> => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', namespace: 'default', uid: 'd', generation: 2 },
  spec: spec(2, 1, 0, { revisionHistoryLimit: 1, progressDeadlineSeconds: 60, ...more }),
  ...(status ? { status } : {}),
});

test('a first plan creates a sized set with the hash in labels and selector', (t) => {
  const plan = planDeployment(deployment(), [], new Set<string>());
  const hash = plan.create?.metadata.labels?.['pod-template-hash'] ?? '';
  t.is(plan.create?.metadata.name, `shop-${hash}`);
  t.is(plan.create?.spec?.replicas, 2);
  t.is(plan.create?.spec?.selector.matchLabels?.['pod-template-hash'], hash);
  t.is(plan.create?.spec?.template?.metadata?.labels?.['pod-template-hash'], hash);
  t.is(plan.revision, 1);
});

test('a set with the same template is taken up again with a new revision, and old ones beyond the history go', (t) => {
  const first = planDeployment(deployment(), [], new Set<string>()).create;
  const owned = (name: string, revision: number, from: Immutable<ReplicaSet>): Immutable<ReplicaSet> => ({
    ...from,
    metadata: { ...from.metadata, name, generation: 1, annotations: { 'deployment.kubernetes.io/revision': String(revision) } },
    spec: { ...from.spec, selector: {}, replicas: 0 },
    status: { replicas: 0, observedGeneration: 1 },
  });
  const other = (name: string, revision: number) =>
    owned(name, revision, {
      ...(first as ReplicaSet),
      spec: { selector: {}, template: { spec: { containers: [{ name: name, image: 'process' }] } } },
    });
  const plan = planDeployment(deployment(), [owned('a', 1, first as ReplicaSet), other('b', 2), other('c', 3)], new Set<string>());
  t.is(plan.create, undefined);
  t.is(plan.current?.metadata.name, 'a');
  t.is(plan.revision, 4);
  t.deepEqual(
    plan.forget.map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('a name that another set holds is a collision, counted until the hash differs', (t) => {
  const name = planDeployment(deployment(), [], new Set<string>()).create?.metadata.name ?? '';
  t.true(planDeployment(deployment(), [], new Set([name])).collision);
  const next = planDeployment(deployment({}, { collisionCount: 1 }), [], new Set([name]));
  t.false(next.collision);
  t.not(next.create?.metadata.name, name);
});

test('a rollout that does not move fails at its deadline, and every move sets the clock back', (t) => {
  const current = set({ name: 'new', specified: 1, available: 0 }, 2);
  const first = deploymentStatus(deployment(), current, [], 1_000_000);
  t.is(first.deadlineAtMs, 1_060_000);
  const waiting = deploymentStatus(deployment({}, first.status), current, [], 1_030_000);
  t.is(waiting.deadlineAtMs, 1_060_000);
  const moved = deploymentStatus(deployment({}, first.status), set({ name: 'new', specified: 2, available: 1 }, 2), [], 1_030_000);
  t.is(moved.deadlineAtMs, 1_090_000);
  const failed = deploymentStatus(deployment({}, first.status), current, [], 1_060_000);
  const condition = failed.status.conditions?.find(({ type }) => type === 'Progressing');
  t.like(condition, { status: 'False', reason: 'ProgressDeadlineExceeded' });
  const again = deploymentStatus(deployment({}, failed.status), current, [], 2_000_000);
  t.deepEqual(
    again.status.conditions?.find(({ type }) => type === 'Progressing'),
    condition,
    'what has not changed is not written again',
  );
});
