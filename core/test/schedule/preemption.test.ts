import test from 'ava';
import type { Eviction, PostFilterInput } from '../../dist/schedule/taps.js';
import type { SchedulerOptions } from '../../dist/schedule/options.js';
import { makeNode, makePod, World } from './world.ts';

const minuteMs = 60_000;

/** A world whose only plugin evicts `victims` from node a, and where evictions are written down. */
function preempting(victims: readonly string[], options: Partial<SchedulerOptions> = {}) {
  const requested: PostFilterInput[] = [];
  const evicted: string[] = [];
  const eviction: Eviction = { node: 'a', evict: victims.map((name) => ({ namespace: 'default', name, uid: `uid-default-${name}` })) };
  const world = new World(
    {
      postFilter: async (input) => {
        requested.push(input);
        return { plugin: 'preemption', eviction };
      },
    },
    {
      evict: async ({ name }) => {
        evicted.push(name);
      },
      ...options,
    },
  );
  return { world, requested, evicted };
}

test('a pod that fits nowhere gets the room of pods of lower priority, when these have left', async (t) => {
  const { world, requested, evicted } = preempting(['low']);
  world.nodes(makeNode('a', { cpu: '1' }), makeNode('b', { cpu: '100m' }));
  world.pods(makePod('low', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('high', { cpu: '1', priority: 10 }));
  await world.idle();
  t.deepEqual(evicted, ['low']);
  t.deepEqual(requested[0]?.rejected, { a: 'too little cpu is free', b: 'too little cpu is free' });
  t.deepEqual(
    requested[0]?.nodes.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
  t.deepEqual(
    requested[0]?.pods.map(({ metadata }) => metadata.name),
    ['low'],
  );
  t.deepEqual(
    world.decision('high')?.evicting?.pods.map(({ name }) => name),
    ['low'],
  );
  t.true(world.events.some(({ reason, pod }) => reason === 'Preempted' && pod.name === 'low'));
  t.is(world.bound.get('high'), undefined);
  world.delete('low');
  await world.idle();
  t.is(world.bound.get('high'), 'a');
  await world.scheduler.stop();
});

test('nobody else gets what the victims free', async (t) => {
  const { world } = preempting(['low-1', 'low-2']);
  world.nodes(makeNode('a', { cpu: '2' }));
  world.pods(makePod('low-1', { cpu: '1' }), makePod('low-2', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('high', { cpu: '2', priority: 10 }));
  await world.idle();
  world.pods(makePod('thief', { cpu: '1' }));
  world.delete('low-1');
  await world.after(10_000);
  t.is(world.bound.get('thief'), undefined);
  t.is(world.bound.get('high'), undefined);
  world.delete('low-2');
  await world.after(10_000);
  t.is(world.bound.get('high'), 'a');
  t.is(world.bound.get('thief'), undefined);
  await world.scheduler.stop();
});

test('deleting the pod ends its claim, and others may use the room', async (t) => {
  const { world } = preempting(['low-1']);
  world.nodes(makeNode('a', { cpu: '2' }));
  world.pods(makePod('low-1', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('high', { cpu: '2', priority: 10 }));
  await world.idle();
  world.pods(makePod('other', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.get('other'), undefined);
  world.scheduler.podDeleted(makePod('high', { cpu: '2', priority: 10 }));
  await world.after(10_000);
  t.is(world.bound.get('other'), 'a');
  await world.scheduler.stop();
});

test('victims that do not leave within five minutes are asked again', async (t) => {
  const { world, evicted } = preempting(['low']);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('low', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('high', { cpu: '1', priority: 10 }));
  await world.idle();
  await world.after(4 * minuteMs);
  t.deepEqual(evicted, ['low']);
  await world.after(minuteMs);
  t.deepEqual(evicted, ['low', 'low']);
  world.delete('low');
  await world.idle();
  t.is(world.bound.get('high'), 'a');
  await world.scheduler.stop();
});

for (const [why, victims, priority] of [
  ['of the same priority', ['low', 'small'], 0],
  ['on another node', ['low', 'small', 'elsewhere'], 10],
  ['that do not exist', ['low', 'small', 'nobody'], 10],
  ['whose leaving does not suffice', ['small'], 10],
] as const) {
  test(`evicting pods ${why} is refused and reported`, async (t) => {
    const { world, evicted } = preempting(victims);
    world.nodes(makeNode('a', { cpu: '1' }), makeNode('b', { cpu: '500m' }));
    world.pods(
      makePod('low', { cpu: '900m', node: 'a' }),
      makePod('small', { cpu: '50m', node: 'a' }),
      makePod('elsewhere', { cpu: '400m', node: 'b' }),
    );
    world.pods(makePod('high', { cpu: '1', priority }));
    await world.idle();
    t.deepEqual(evicted, []);
    t.like(world.problems[0], { plugin: 'preemption', error: { code: 'TAP_SCHEDULE_EVICTION_REFUSED' } });
    t.is(world.decision('high')?.outcome, 'unschedulable');
    await world.scheduler.stop();
  });
}

test('a node that comes while victims are sought is not missed', async (t) => {
  let answer: () => void = () => undefined;
  const world = new World(
    { postFilter: () => new Promise((resolve) => (answer = () => resolve(undefined))) },
    { evict: async () => undefined },
  );
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('web', { cpu: '2' }));
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  world.nodes(makeNode('b', { cpu: '2' }));
  answer();
  await world.idle();
  await world.after(1000);
  t.is(world.bound.get('web'), 'b');
  await world.scheduler.stop();
});

test('an eviction that a disruption budget forbids leaves everything as it was', async (t) => {
  const { world } = preempting(['low'], {
    evict: async () => {
      throw new Error('429: disruption budget');
    },
  });
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('low', { cpu: '900m' }));
  await world.idle();
  world.pods(makePod('high', { cpu: '1', priority: 10 }), makePod('small', { cpu: '100m' }));
  await world.idle();
  t.is(world.bound.get('small'), 'a', 'the room that is left is not claimed');
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_STEP_FAILED');
  await world.scheduler.stop();
});

test('a pod that must not preempt, and one that cannot, ask nobody', async (t) => {
  const { world, requested } = preempting(['low']);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('low', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('polite', { cpu: '1', priority: 10, spec: { preemptionPolicy: 'Never' } }));
  await world.idle();
  t.is(requested.length, 0);
  await world.scheduler.stop();
});

test('a claim on a node that vanishes ends', async (t) => {
  const { world, requested } = preempting(['low']);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('low', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('high', { cpu: '1', priority: 10 }));
  await world.idle();
  world.scheduler.nodeDeleted('a');
  world.nodes(makeNode('b', { cpu: '1' }));
  await world.after(10_000);
  t.is(world.bound.get('high'), 'b');
  t.is(requested.length, 1);
  t.is(world.scheduler.counts().placedPods, 2);
  await world.scheduler.stop();
});

test('a postFilter tap that throws costs the pod this attempt only', async (t) => {
  let calls = 0;
  const world = new World(
    {
      postFilter: async () => {
        calls++;
        throw new Error('boom');
      },
    },
    { evict: async () => undefined },
  );
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('web', { cpu: '2' }));
  await world.after(5 * minuteMs);
  t.is(calls, 1);
  await world.after(5 * minuteMs);
  t.is(calls, 2);
  t.is(world.decision('web')?.outcome, 'unschedulable');
  await world.scheduler.stop();
});
