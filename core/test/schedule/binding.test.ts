import test from 'ava';
import type { Pod } from '@tappaas/sdk';
import type { BindOutcome } from '../../dist/schedule/taps.js';
import { defaultLimits } from '../../dist/schedule/options.js';
import { makeNode, makePod, World } from './world.ts';

/** Lets a test decide when and how each binding ends. */
function heldBindings(world: World) {
  const held = new Map<string, { end: (outcome: BindOutcome | Error) => void; pod: Pod; node: string }>();
  world.bind = (pod, node) =>
    new Promise((resolve, reject) => {
      const end = (outcome: BindOutcome | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      held.set(pod.metadata.name ?? '', { end, pod, node });
    });
  const of = async (name: string) => {
    for (;;) {
      const binding = held.get(name);
      if (binding) return binding;
      await new Promise(setImmediate);
    }
  };
  return { of, held };
}

test('a pod counts on its node while the binding is in flight', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }), makeNode('b', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }), makePod('two', { cpu: '1' }));
  const [one, two] = [await bindings.of('one'), await bindings.of('two')];
  t.deepEqual([one.node, two.node], ['a', 'b']);
  one.end(world.accept(one.pod, one.node));
  two.end(world.accept(two.pod, two.node));
  await world.idle();
  t.is(world.scheduler.counts().placedPods, 2);
  t.is(world.scheduler.counts().pendingPods, 0);
  await world.scheduler.stop();
});

test('a conflict gives the node to others and the pod another try', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }));
  (await bindings.of('one')).end('conflict');
  world.pods(makePod('two', { cpu: '1' }));
  const two = await bindings.of('two');
  t.is(two.node, 'a');
  two.end(world.accept(two.pod, two.node));
  await world.after(10_000);
  t.is(world.decision('one')?.outcome, 'unschedulable');
  await world.scheduler.stop();
});

test('a pod that is gone when it is bound is forgotten', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a'));
  world.pods(makePod('one'));
  (await bindings.of('one')).end('gone');
  await world.idle();
  t.deepEqual([world.scheduler.counts().pendingPods, world.scheduler.counts().placedPods], [0, 0]);
  await world.scheduler.stop();
});

test('a binder that throws is reported, and the pod tried again after a rest', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }));
  (await bindings.of('one')).end(new Error('timeout'));
  bindings.held.clear();
  await world.idle();
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_BIND_FAILED');
  t.is(world.scheduler.counts().placedPods, 0);
  world.clock.advance(1000);
  const again = await bindings.of('one');
  again.end(world.accept(again.pod, again.node));
  await world.idle();
  t.is(world.bound.get('one'), 'a');
  await world.scheduler.stop();
});

test('a lost answer to a binding that went through does no harm', async (t) => {
  const undone: string[] = [];
  const reported: string[] = [];
  const world = new World({
    reserve: async () => ({ undos: [{ plugin: 'volume', undo: () => void undone.push('volume') }] }),
    postBind: ({ node }) => void reported.push(node),
  });
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }));
  const one = await bindings.of('one');
  world.accept(one.pod, one.node);
  one.end(new Error('timeout'));
  await world.idle();
  t.deepEqual([world.scheduler.counts().pendingPods, world.scheduler.counts().placedPods], [0, 1]);
  t.is(world.problems.length, 0);
  t.deepEqual([undone, reported], [[], ['a']]);
  await world.scheduler.stop();
});

test('a pod that somebody else bound elsewhere meanwhile counts there and only there', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }), makeNode('b', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }));
  const one = await bindings.of('one');
  world.accept(one.pod, 'b');
  one.end('conflict');
  world.pods(makePod('two', { cpu: '1' }));
  const two = await bindings.of('two');
  t.is(two.node, 'a');
  two.end(world.accept(two.pod, two.node));
  await world.idle();
  t.is(world.scheduler.counts().placedPods, 2);
  await world.scheduler.stop();
});

test('a pod that is deleted while it is bound leaves nothing behind', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }));
  const one = await bindings.of('one');
  world.delete('one');
  one.end('conflict');
  await world.idle();
  t.deepEqual([world.scheduler.counts().pendingPods, world.scheduler.counts().placedPods], [0, 0]);
  await world.scheduler.stop();
});

test('a pod under deletion counts on the node until its binding has ended', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a', { cpu: '1' }));
  const pod = makePod('one', { cpu: '1' });
  world.pods(pod);
  const one = await bindings.of('one');
  world.scheduler.podChanged({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
  t.is(world.scheduler.counts().placedPods, 1);
  one.end('gone');
  await world.idle();
  t.is(world.scheduler.counts().placedPods, 0);
  await world.scheduler.stop();
});

test('what goes wrong in the telling of a decision costs no node and stops nobody', async (t) => {
  let reported = 0;
  const world = new World(
    {},
    {
      onDecision: () => {
        if (++reported === 1) throw new Error('boom');
      },
    },
  );
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('one', { cpu: '1' }));
  await world.idle();
  t.is(world.scheduler.counts().placedPods, 0);
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_STEP_FAILED');
  await world.after(1000);
  t.is(world.bound.get('one'), 'a');
  await world.scheduler.stop();
});

test('a scheduler that is stopped is idle', async (t) => {
  const world = new World();
  await world.scheduler.stop();
  await t.notThrowsAsync(world.idle());
});

test('no more bindings are in flight than the limit', async (t) => {
  const world = new World({}, { limits: { ...defaultLimits, bindsInFlightMax: 2 } });
  const bindings = heldBindings(world);
  world.nodes(makeNode('a'));
  world.pods(makePod('one'), makePod('two'), makePod('three'));
  const one = await bindings.of('one');
  await bindings.of('two');
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  t.is(world.scheduler.counts().bindsInFlight, 2);
  t.false(bindings.held.has('three'));
  one.end(world.accept(one.pod, one.node));
  const rest = [await bindings.of('two'), await bindings.of('three')];
  for (const { end, pod, node } of rest) end(world.accept(pod, node));
  await world.idle();
  t.is(world.bound.size, 3);
  await world.scheduler.stop();
});

test('stopping waits for bindings in flight and places nothing more', async (t) => {
  const world = new World();
  const bindings = heldBindings(world);
  world.nodes(makeNode('a'));
  world.pods(makePod('one'));
  const one = await bindings.of('one');
  let stopped = false;
  const stopping = world.scheduler.stop().then(() => {
    stopped = true;
  });
  world.pods(makePod('two'));
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  t.false(stopped);
  one.end(world.accept(one.pod, one.node));
  await stopping;
  t.false(bindings.held.has('two'));
});
