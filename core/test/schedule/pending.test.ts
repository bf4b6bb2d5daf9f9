import test from 'ava';
import { backoffMs } from '../../dist/schedule/backoff.js';
import { defaultLimits } from '../../dist/schedule/options.js';
import { filterTap, makeNode, makePod, World } from './world.ts';

const minuteMs = 60_000;

test('higher priority goes first, then the order of arrival', async (t) => {
  const world = new World();
  world.pods(makePod('low'), makePod('high', { priority: 10 }), makePod('later'), makePod('high-too', { priority: 10 }));
  await world.idle();
  const order: string[] = [];
  const bind = world.bind;
  world.bind = (pod, node) => {
    order.push(pod.metadata.name ?? '');
    return bind(pod, node);
  };
  world.clock.advance(10_000);
  world.nodes(makeNode('a'));
  await world.idle();
  t.deepEqual(order, ['high', 'high-too', 'low', 'later']);
  await world.scheduler.stop();
});

test('pods of other schedulers only count where they are', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(
    makePod('foreign', { cpu: '1', node: 'a', spec: { schedulerName: 'default-scheduler' } }),
    makePod('waiting', { spec: { schedulerName: 'default-scheduler' } }),
  );
  world.pods(makePod('mine', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.size, 0);
  t.is(world.scheduler.counts().placedPods, 1);
  await world.scheduler.stop();
});

test('a pod that has run to its end frees its node', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  const done = makePod('done', { cpu: '1', node: 'a' });
  world.pods(done, makePod('next', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.get('next'), undefined);
  world.scheduler.podChanged({ ...done, status: { phase: 'Succeeded' } });
  await world.after(10_000);
  t.is(world.bound.get('next'), 'a');
  await world.scheduler.stop();
});

test('pods that are seen before their node count when it comes, and after it went and came back', async (t) => {
  const world = new World();
  world.pods(makePod('early', { cpu: '3', node: 'a' }));
  world.nodes(makeNode('a', { cpu: '4' }));
  world.scheduler.nodeDeleted('a');
  world.nodes(makeNode('a', { cpu: '4' }));
  world.pods(makePod('big', { cpu: '2' }), makePod('small', { cpu: '1' }));
  await world.idle();
  t.deepEqual([...world.bound.keys()], ['small']);
  await world.scheduler.stop();
});

test('what pods ask of a resource counts from the moment a node brings it', async (t) => {
  const gpu = 'example.com/gpu';
  const world = new World();
  world.nodes(makeNode('a'));
  world.pods(makePod('holder', { more: { [gpu]: '1' }, node: 'a' }), makePod('wants', { more: { [gpu]: '1' } }));
  await world.idle();
  t.is(world.decision('wants')?.message, `0 of 1 nodes can take the pod: 1 too little ${gpu} is free (kernel.capacity)`);
  world.nodes(makeNode('a', { more: { [gpu]: '1' } }));
  await world.after(10_000);
  t.is(world.bound.size, 0);
  world.nodes(makeNode('a', { more: { [gpu]: '2' } }));
  await world.after(10_000);
  t.is(world.bound.get('wants'), 'a');
  await world.scheduler.stop();
});

test('a pod rests between attempts, longer each time, with part of it left to chance', (t) => {
  const options = { baseMs: 1000, maxMs: 10_000 };
  t.deepEqual(
    [1, 2, 3, 4, 5, 2000].map((attempts) => backoffMs(options, attempts, () => 1)),
    [1000, 2000, 4000, 8000, 10_000, 10_000],
  );
  t.is(
    backoffMs(options, 1, () => 0),
    500,
  );
});

test('a waiting pod is tried only on events that its reasons name, and after five minutes', async (t) => {
  let accepts = false;
  const reasons = [{ message: 'not now', retryOn: ['pod-deleted'] as const }];
  const world = new World({ filter: [filterTap({ reasons, everyPod: true, run: ({ out }) => void out.fill(accepts ? 0 : 1) })] });
  world.nodes(makeNode('a'));
  world.pods(makePod('other', { node: 'a' }), makePod('web'));
  await world.idle();
  accepts = true;
  world.nodes(makeNode('a', { labels: { changed: 'yes' } }));
  await world.after(10_000);
  t.is(world.bound.size, 0, 'a changed node is not what it waits for');
  world.delete('other');
  await world.idle();
  t.is(world.bound.get('web'), 'a');
  accepts = false;
  world.pods(makePod('second'));
  await world.idle();
  accepts = true;
  await world.after(5 * minuteMs - 1);
  t.is(world.bound.get('second'), undefined);
  await world.after(1);
  t.is(world.bound.get('second'), 'a');
  await world.scheduler.stop();
});

test('pods whose class still has no node are not tried again for an event', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('tiny', { cpu: '1m', node: 'a' }), ...['x', 'y', 'z'].map((name) => makePod(name, { cpu: '2' })));
  await world.idle();
  const before = world.decisions.length;
  world.delete('tiny');
  await world.after(10_000);
  t.is(world.decisions.length, before);
  await world.scheduler.stop();
});

test('a pod that changes while it waits is tried as what it is now', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('web', { cpu: '2' }));
  await world.idle();
  world.scheduler.podChanged(makePod('web', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a pod that asks for an amount nobody can read is told so and does not stop the others', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { memory: 'lots' }));
  world.pods(makePod('wrong', { cpu: 'much' }), makePod('right', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.get('right'), 'a');
  t.is(world.decision('wrong')?.message, 'quantity of cpu: expected a Kubernetes quantity that is not negative, found "much"');
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_QUANTITY_INVALID', 'the amount of the node is reported');
  await world.scheduler.stop();
});

test('a pod that asks for what nobody honours waits, and says so', async (t) => {
  const world = new World();
  world.nodes(makeNode('a'));
  world.pods(makePod('web', { spec: { resourceClaims: [{ name: 'gpu' }] } }));
  await world.idle();
  t.is(world.decision('web')?.message, 'the scheduler does not support resourceClaims');
  await world.scheduler.stop();
});

test('pods beyond the limit are refused and asked for again when there is room', async (t) => {
  let room = 0;
  const world = new World({}, { limits: { ...defaultLimits, pendingPodsMax: 4 }, onRoom: () => room++ });
  world.pods(...['a', 'b', 'c', 'd', 'e'].map((name) => makePod(name)));
  await world.idle();
  t.is(world.scheduler.counts().pendingPods, 4);
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_QUEUE_FULL');
  world.delete('a');
  t.is(room, 0);
  world.delete('b');
  t.is(room, 1);
  world.pods(makePod('e'));
  world.delete('c');
  t.is(room, 1);
  await world.scheduler.stop();
});

test('the same refusal is told once, and again after five minutes', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('web', { cpu: '2' }));
  await world.after(10_000);
  for (let n = 0; n < 3; n++) {
    world.scheduler.podChanged(makePod('web', { cpu: '2', labels: { n: String(n) } }));
    await world.idle();
  }
  t.is(world.decisions.length, 4);
  t.is(world.events.length, 1);
  await world.after(5 * minuteMs);
  t.is(world.events.length, 2);
  await world.scheduler.stop();
});
