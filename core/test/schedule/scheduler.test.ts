import test from 'ava';
import { makeNode, makePod, World } from './world.ts';

test('a pod goes to the first node by name on which it fits', async (t) => {
  const world = new World();
  world.nodes(makeNode('b'), makeNode('a', { cpu: '100m' }), makeNode('c'));
  world.pods(makePod('web', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.get('web'), 'b');
  t.is(world.scheduler.counts().placedPods, 1);
  await world.scheduler.stop();
});

test('a pod that fits nowhere waits, and is told why', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }), makeNode('b', { cpu: '2', memory: '1Gi' }));
  world.pods(makePod('web', { cpu: '2', memory: '2Gi' }));
  await world.idle();
  t.is(world.bound.size, 0);
  t.is(world.decision('web')?.outcome, 'unschedulable');
  t.is(
    world.decision('web')?.message,
    '0 of 2 nodes can take the pod: 1 too little cpu is free (kernel.capacity), 1 too little memory is free (kernel.capacity)',
  );
  t.is(world.events.filter(({ reason }) => reason === 'FailedScheduling').length, 1);
  await world.scheduler.stop();
});

const failures = ({ events }: World) => events.filter(({ reason }) => reason === 'FailedScheduling').map(({ message }) => message);

test('while a cluster begins, nobody is told that it has no node yet; when none comes they are', async (t) => {
  const world = new World();
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.decision('web')?.message, 'there is no node', 'whoever asks is answered');
  t.deepEqual(failures(world), []);
  await world.after(14_000);
  t.deepEqual(failures(world), []);
  await world.after(1_000);
  t.deepEqual(failures(world), ['there is no node']);
  world.pods(makePod('late'));
  await world.idle();
  t.deepEqual(failures(world), ['there is no node', 'there is no node'], 'it has begun long since');
  await world.scheduler.stop();
});

test('a pod that came before the first node is placed when that comes, and nothing was told', async (t) => {
  const world = new World();
  world.pods(makePod('web'));
  await world.idle();
  await world.after(3_000);
  world.nodes(makeNode('a'));
  await world.idle();
  t.is(world.bound.get('web'), 'a');
  t.deepEqual(failures(world), []);
  await world.scheduler.stop();
});

test('a waiting pod is placed when a node comes that can take it', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('web', { cpu: '2' }));
  await world.idle();
  world.nodes(makeNode('b', { cpu: '2' }));
  await world.after(10_000);
  t.is(world.bound.get('web'), 'b');
  await world.scheduler.stop();
});

test('what a deleted pod held is given to one that waits', async (t) => {
  const world = new World();
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('first', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('second', { cpu: '1' }));
  await world.idle();
  t.is(world.bound.get('second'), undefined);
  world.delete('first');
  await world.after(10_000);
  t.is(world.bound.get('second'), 'a');
  await world.scheduler.stop();
});
