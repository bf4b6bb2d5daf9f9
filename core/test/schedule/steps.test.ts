import test from 'ava';
import type { Reserved, StepRefusal } from '../../dist/schedule/taps.js';
import { makeNode, makePod, World } from './world.ts';

const node = makeNode('a', { cpu: '1' });
const minuteMs = 60_000;

test('the steps run in the order of the framework', async (t) => {
  const order: string[] = [];
  const step = (name: string) => async () => {
    order.push(name);
    return undefined;
  };
  const world = new World({
    preEnqueue: step('preEnqueue'),
    preFilter: step('preFilter'),
    filter: [{ plugin: 'p', reads: {}, reasons: [], run: () => void order.push('filter') }],
    score: [{ plugin: 'p', reads: {}, scale: 'points', weight: 1, run: () => void order.push('score') }],
    reserve: async () => {
      order.push('reserve');
      return { undos: [] };
    },
    permit: step('permit'),
    preBind: step('preBind'),
    bind: async () => {
      order.push('bind');
      return 'bound';
    },
    postBind: () => void order.push('postBind'),
  });
  world.nodes(node);
  world.pods(makePod('web'));
  await world.idle();
  t.deepEqual(order, ['preEnqueue', 'preFilter', 'filter', 'score', 'reserve', 'permit', 'preBind', 'bind', 'postBind']);
  t.is(world.bound.size, 0, 'the tap has bound the pod, so the binder was not asked');
  await world.scheduler.stop();
});

test('a pod with scheduling gates is not tried until they are gone', async (t) => {
  const world = new World();
  world.nodes(node);
  world.pods(makePod('web', { spec: { schedulingGates: [{ name: 'quota' }] } }));
  await world.after(10 * minuteMs);
  t.is(world.decisions.length, 0);
  t.deepEqual(world.conditions, ['the pod has scheduling gates']);
  world.scheduler.podChanged(makePod('web'));
  await world.idle();
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a pod that preEnqueue keeps out is asked about again when it changes and after five minutes', async (t) => {
  let requested = 0;
  const world = new World({ preEnqueue: async () => (++requested < 3 ? { plugin: 'quota', message: 'no quota left' } : undefined) });
  world.nodes(node);
  world.pods(makePod('web'));
  await world.idle();
  t.deepEqual(world.conditions, ['plugin "quota": no quota left']);
  world.scheduler.podChanged(makePod('web', { labels: { changed: 'yes' } }));
  await world.idle();
  t.is(requested, 2);
  await world.after(5 * minuteMs);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('preEnqueue is not asked again about a pod that it has let in', async (t) => {
  let requested = 0;
  const world = new World({
    preEnqueue: async () => {
      requested++;
      return undefined;
    },
  });
  world.nodes(node);
  world.pods(makePod('web', { cpu: '2' }));
  await world.idle();
  await world.after(5 * minuteMs);
  t.is(world.decisions.length, 2);
  t.is(requested, 1);
  await world.scheduler.stop();
});

test('a pod that preFilter refuses is tried again when it has rested', async (t) => {
  let requested = 0;
  const world = new World({
    preFilter: async () => (++requested === 1 ? { plugin: 'gang', message: 'the others are missing' } : undefined),
  });
  world.nodes(node);
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.decision('web')?.message, 'plugin "gang": the others are missing');
  t.is(world.bound.size, 0);
  await world.after(1000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a pod that changes during a step is placed as what it was, and tried as what it is when that fails', async (t) => {
  let requested = 0;
  const world: World = new World({
    preFilter: async () => {
      if (++requested === 1) world.scheduler.podChanged(makePod('web', { cpu: '1' }));
      return undefined;
    },
  });
  world.nodes(node);
  world.pods(makePod('web', { cpu: '2' }));
  await world.idle();
  t.is(world.decision('web')?.outcome, 'unschedulable');
  await world.after(1000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

for (const step of ['preEnqueue', 'preFilter', 'permit', 'preBind'] as const) {
  test(`a ${step} tap that throws costs the pod time and is reported`, async (t) => {
    let requested = 0;
    const world = new World({
      [step]: async () => {
        if (++requested === 1) throw new Error('boom');
        return undefined;
      },
    });
    world.nodes(node);
    world.pods(makePod('web', { cpu: '1' }));
    await world.idle();
    t.is(world.bound.size, 0);
    t.is(world.scheduler.counts().placedPods, 0, 'it counts nowhere');
    t.is(world.problems.length, 1);
    await world.after(10_000);
    t.is(world.bound.get('web'), 'a');
    await world.scheduler.stop();
  });
}

const undos = (undone: string[], failing?: string): Reserved['undos'] =>
  ['first', 'second', 'third'].map((plugin) => ({
    plugin,
    undo: () => {
      undone.push(plugin);
      if (plugin === failing) throw new Error('boom');
    },
  }));

test('what was reserved is undone in reverse when a later step refuses, also when one undo fails', async (t) => {
  const undone: string[] = [];
  let refused = false;
  const world = new World({
    reserve: async () => ({ undos: undos(undone, 'second') }),
    preBind: async () => {
      if (refused) return undefined;
      refused = true;
      return { plugin: 'volume', message: 'not attached' };
    },
  });
  world.nodes(node);
  world.pods(makePod('web', { cpu: '1' }));
  await world.idle();
  t.deepEqual(undone, ['third', 'second', 'first']);
  t.is(world.problems[0]?.error.message, 'undoing the reserve of plugin "second" failed');
  await world.after(1000);
  t.is(world.bound.get('web'), 'a');
  t.is(undone.length, 3, 'a bound pod keeps what was reserved');
  await world.scheduler.stop();
});

test('when a reserve tap fails, what the taps before it hold is undone', async (t) => {
  const undone: string[] = [];
  let failed = false;
  const world = new World({
    reserve: async () => {
      if (failed) return { undos: [] };
      failed = true;
      return { undos: undos(undone), failure: new Error('boom') };
    },
  });
  world.nodes(node);
  world.pods(makePod('web', { cpu: '1' }));
  await world.idle();
  t.deepEqual(undone, ['third', 'second', 'first']);
  t.is(world.scheduler.counts().placedPods, 0);
  await world.after(1000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a waiting permit holds the node, lets other pods be placed, and is asked again', async (t) => {
  let allowed = false;
  const waits: StepRefusal = { plugin: 'gang', message: 'wait', waitMs: minuteMs };
  const world = new World({ permit: async ({ pod }) => (pod.metadata.name === 'gang' && !allowed ? waits : undefined) });
  world.nodes(node, makeNode('b', { cpu: '1' }));
  world.pods(makePod('gang', { cpu: '1' }), makePod('other', { cpu: '1' }));
  while (!world.bound.has('other')) await new Promise(setImmediate);
  t.is(world.bound.get('other'), 'b');
  t.is(world.bound.get('gang'), undefined);
  allowed = true;
  await world.after(minuteMs);
  t.is(world.bound.get('gang'), 'a');
  await world.scheduler.stop();
});

test('a permit that waits for more than fifteen minutes gives the node back', async (t) => {
  const undone: string[] = [];
  const world = new World({
    reserve: async () => ({ undos: undos(undone) }),
    permit: async () => ({ plugin: 'gang', message: 'wait', waitMs: 10 * minuteMs }),
  });
  world.nodes(node);
  world.pods(makePod('web', { cpu: '1' }));
  const turns = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  await turns();
  world.clock.advance(10 * minuteMs);
  await turns();
  t.deepEqual(undone, []);
  world.clock.advance(5 * minuteMs);
  await turns();
  t.deepEqual(undone, ['third', 'second', 'first']);
  t.true(world.conditions.includes('plugin "gang": did not permit the pod within 15 minutes'));
  await world.scheduler.stop();
});

test('deleting a pod ends its wait in permit and frees the node', async (t) => {
  const undone: string[] = [];
  const world = new World({
    reserve: async () => ({ undos: undos(undone) }),
    permit: async ({ pod }) => (pod.metadata.name === 'web' ? { plugin: 'gang', message: 'wait', waitMs: minuteMs } : undefined),
  });
  world.nodes(node);
  world.pods(makePod('web', { cpu: '1' }));
  while (world.scheduler.counts().bindsInFlight === 0) await new Promise(setImmediate);
  world.delete('web');
  world.pods(makePod('next', { cpu: '1' }));
  await world.idle();
  t.deepEqual(undone, ['third', 'second', 'first']);
  t.is(world.bound.get('next'), 'a');
  await world.scheduler.stop();
});

test('a postBind tap that throws changes nothing', async (t) => {
  const world = new World({
    postBind: () => {
      throw new Error('boom');
    },
  });
  world.nodes(node);
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.bound.get('web'), 'a');
  t.is(world.problems.length, 1);
  await world.scheduler.stop();
});
