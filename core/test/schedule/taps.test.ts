import test from 'ava';
import { columns, type NodeColumn } from '@tappaas/sdk';
import type { BatchInput } from '../../dist/schedule/taps.js';
import { noTaps } from '../../dist/schedule/taps.js';
import { filterTap, makeNode, makePod, ManualClock, scoreTap, World } from './world.ts';

const three = () => [makeNode('a'), makeNode('b'), makeNode('c')];
const price: NodeColumn = { name: 'cost/price', unit: 'cents', '~column': true };

/** Accepts or scores each candidate by the value of its column. */
const each = (value: (input: BatchInput, i: number) => number) => (input: BatchInput) => {
  for (let i = 0; i < input.count; i++) input.out[i] = value(input, i);
};

test('a filter that throws is reported, and the pod tried again after a rest', async (t) => {
  let calls = 0;
  const run = () => {
    if (++calls === 1) throw new Error('boom');
  };
  const world = new World({ filter: [filterTap({ plugin: 'cost', run })] });
  world.nodes(...three());
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.bound.size, 0);
  t.like(world.problems[0], { plugin: 'cost', error: { code: 'TAP_SCHEDULE_FILTER_FAILED', message: 'filter of plugin "cost" failed' } });
  t.is(world.decision('web')?.outcome, 'failed');
  await world.after(1000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a filter that answers beyond its reasons places nothing', async (t) => {
  for (const answer of [2, -1]) {
    const world = new World({ filter: [filterTap({ run: ({ out }) => void out.fill(answer) })] });
    world.nodes(...three());
    world.pods(makePod('web'));
    await world.idle();
    t.is(world.bound.size, 0);
    t.is(world.problems[0]?.error.message, `filter of plugin "test-filter": expected 0 to 1 (its number of reasons), found ${answer}`);
    await world.scheduler.stop();
  }
});

test('a score that throws counts as nothing for every node, and is asked again after a while', async (t) => {
  let failing = false;
  const favourite = each(({ columns }, i) => (columns['price']?.[i] === 3 ? 100 : 0));
  const run = (input: BatchInput) => {
    if (failing) throw new Error('boom');
    favourite(input);
  };
  const world = new World({
    columns: [{ plugin: 'cost', name: price.name, of: ({ metadata }) => Number(metadata.labels?.['price']) }],
    score: [scoreTap({ plugin: 'cost', reads: { price, cpu: columns.free('cpu') }, run })],
  });
  world.nodes(...['1', '2', '3'].map((label, i) => makeNode('abc'[i] ?? '', { labels: { price: label } })));
  world.pods(makePod('first', { cpu: '1m' }));
  await world.idle();
  t.is(world.bound.get('first'), 'c');
  failing = true;
  world.pods(makePod('second', { cpu: '1m' }));
  await world.idle();
  t.is(world.bound.get('second'), 'a', 'points given to c before the failure count no more');
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_SCORE_FAILED');
  failing = false;
  await world.after(500);
  world.pods(makePod('third', { cpu: '1m' }));
  await world.idle();
  t.is(world.bound.get('third'), 'a');
  await world.after(1000);
  world.pods(makePod('fourth', { cpu: '1m' }));
  await world.idle();
  t.is(world.bound.get('fourth'), 'c');
  await world.scheduler.stop();
});

test('points beyond 0 to 100 are reported and count as nothing', async (t) => {
  const points: Readonly<Record<string, number>> = { '1000': 101, '2000': -1, '3000': 50 };
  const byCpu = each(({ columns }, i) => points[String(columns['cpu']?.[i])] ?? 0);
  const world = new World({ score: [scoreTap({ reads: { cpu: columns.allocatable('cpu') }, run: byCpu })] });
  world.nodes(makeNode('a', { cpu: '1' }), makeNode('b', { cpu: '2' }), makeNode('c', { cpu: '3' }));
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.bound.get('web'), 'c');
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_SCORE_RANGE');
  await world.scheduler.stop();
});

test('a tap that is slow is reported with the time it took', async (t) => {
  const clock = new ManualClock();
  const world = new World({ filter: [filterTap({ plugin: 'slow', run: () => clock.advance(21) })] }, { clock });
  world.nodes(...three());
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.problems[0]?.error.message, 'plugin "slow": a batch tap took 21 ms for 3 candidates, expected at most 20 ms');
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a pure tap is asked about all nodes once for a class, and then about those that changed', async (t) => {
  const counts: number[] = [];
  const world = new World({ filter: [filterTap({ reads: { cpu: columns.free('cpu') }, run: ({ count }) => void counts.push(count) })] });
  world.nodes(...three());
  for (const name of ['one', 'two', 'three']) {
    world.pods(makePod(name, { cpu: '1m' }));
    await world.idle();
  }
  t.deepEqual(counts, [3, 1, 1]);
  world.nodes(makeNode('b', { labels: { new: 'yes' } }));
  world.pods(makePod('four', { cpu: '1m' }));
  await world.idle();
  t.deepEqual(counts, [3, 1, 1, 2]);
  await world.scheduler.stop();
});

test('a tap that reads nothing of the pods on a node is not asked when they change', async (t) => {
  const counts: number[] = [];
  const world = new World({
    filter: [filterTap({ reads: { cpu: columns.allocatable('cpu') }, run: ({ count }) => void counts.push(count) })],
  });
  world.nodes(...three());
  world.pods(makePod('one', { cpu: '1m' }), makePod('two', { cpu: '1m' }), makePod('three', { cpu: '1m' }));
  await world.idle();
  t.deepEqual(counts, [3]);
  await world.scheduler.stop();
});

test('a heartbeat that changes nothing of a node asks nobody', async (t) => {
  const counts: number[] = [];
  const world = new World({
    filter: [filterTap({ reads: { cpu: columns.allocatable('cpu') }, run: ({ count }) => void counts.push(count) })],
  });
  world.nodes(...three());
  world.pods(makePod('one'));
  await world.idle();
  world.nodes(...three());
  world.pods(makePod('two'));
  await world.idle();
  t.deepEqual(counts, [3]);
  await world.scheduler.stop();
});

test('a tap that is not pure is asked about every feasible node for every pod', async (t) => {
  const counts: number[] = [];
  const refusesOneMoreEachTime = filterTap({
    everyPod: true,
    run: ({ count, out }) => {
      out.fill(1, 0, counts.length);
      counts.push(count);
    },
  });
  const world = new World({ filter: [refusesOneMoreEachTime] });
  world.nodes(...three());
  for (const name of ['one', 'two', 'three']) {
    world.pods(makePod(name));
    await world.idle();
  }
  t.deepEqual(counts, [3, 3, 3]);
  t.deepEqual([...world.bound.values()], ['a', 'b', 'c']);
  await world.scheduler.stop();
});

test('a tap cannot change what other taps and the kernel see', async (t) => {
  const seen: number[] = [];
  const vandal = filterTap({ reads: { cpu: columns.free('cpu') }, run: ({ columns }) => void columns['cpu']?.fill(1e9) });
  const reader = filterTap({ reads: { cpu: columns.free('cpu') }, run: ({ columns }) => void seen.push(...(columns['cpu'] ?? [])) });
  const world = new World({ filter: [vandal, reader] });
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('web', { cpu: '2' }));
  await world.idle();
  t.deepEqual(seen, [1000]);
  t.is(world.bound.size, 0);
  await world.scheduler.stop();
});

test('a node without a value in a column that some tap reads takes no pod, and does when it has one', async (t) => {
  const prices = new Map([['b', 5]]);
  let changed: () => void = () => t.fail('nobody listens');
  const world = new World({
    columns: [
      {
        plugin: 'cost',
        name: price.name,
        of: ({ metadata }) => prices.get(metadata.name ?? '') ?? Number.NaN,
        onChanged: (listener) => {
          changed = listener;
          return () => {
            changed = () => undefined;
          };
        },
      },
    ],
    score: [
      scoreTap({ plugin: 'cost', reads: { price }, scale: 'less-is-better', run: each(({ columns }, i) => columns['price']?.[i] ?? 0) }),
    ],
  });
  world.nodes(...three());
  world.pods(makePod('one'));
  await world.idle();
  t.is(world.bound.get('one'), 'b');
  t.deepEqual(world.decision('one')?.refused, [
    { plugin: 'kernel.columns', message: 'column "cost/price" of plugin "cost" has no value for the node', nodes: 2 },
  ]);
  prices.set('c', 4);
  changed();
  world.pods(makePod('two', { priority: 1 }));
  await world.idle();
  t.is(world.bound.get('two'), 'c');
  await world.scheduler.stop();
});

test('a node whose column has another value lets waiting pods be tried, although nothing else of it changed', async (t) => {
  const of = ({ metadata }: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }) =>
    Number(metadata.annotations?.['price']);
  const dear = filterTap({
    plugin: 'cost',
    reads: { price },
    reasons: [{ message: 'dear', retryOn: ['column-changed'] }],
    run: each(({ columns }, i) => ((columns['price']?.[i] ?? 0) > 5 ? 1 : 0)),
  });
  const other = { plugin: 'other', name: 'other/one', of: () => 1 };
  const world = new World({ columns: [{ plugin: 'cost', name: price.name, of }, other], filter: [dear] });
  const priced = (cents: string) => {
    const node = makeNode('a');
    return { ...node, metadata: { ...node.metadata, annotations: { price: cents } } };
  };
  world.nodes(priced('9'));
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.decision('web')?.refused[0]?.message, 'dear');
  world.nodes(priced('5'));
  await world.after(10_000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('columns of the same name belong each to its own plugin, and the names of the kernel stay its own', async (t) => {
  const seen = new Map<string, number[]>();
  const reading = (plugin: string, column: NodeColumn) =>
    filterTap({ plugin, reads: { it: column }, run: ({ columns }) => void seen.set(plugin, [...(columns['it'] ?? [])]) });
  const world = new World({
    columns: [
      { plugin: 'one', name: price.name, of: () => 1 },
      { plugin: 'two', name: price.name, of: () => 2 },
      { plugin: 'three', name: 'podsFree', of: () => 3 },
    ],
    filter: [reading('one', price), reading('two', price), reading('three', columns.podsFree)],
  });
  world.nodes(makeNode('a', { pods: 7 }));
  world.pods(makePod('web'));
  await world.idle();
  t.deepEqual(
    [...seen],
    [
      ['one', [1]],
      ['two', [2]],
      ['three', [7]],
    ],
  );
  await world.scheduler.stop();
});

test('a column that throws or gives no number is reported, and its node takes no pod', async (t) => {
  const of = ({ metadata }: { metadata: { name?: string } }): number => {
    if (metadata.name === 'a') throw new Error('boom');
    return metadata.name === 'b' ? ('5' as unknown as number) : 5;
  };
  const world = new World({
    columns: [{ plugin: 'cost', name: price.name, of }],
    score: [scoreTap({ reads: { price }, run: () => undefined })],
  });
  world.nodes(...three());
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.bound.get('web'), 'c');
  t.is(world.problems[0]?.error.code, 'TAP_SCHEDULE_COLUMN_FAILED');
  await world.scheduler.stop();
});

test('a column of a plugin that does not run yet is computed when it runs', async (t) => {
  let running = false;
  const of = () => {
    if (!running) throw new Error('not running');
    return 5;
  };
  const world = new World({
    columns: [{ plugin: 'cost', name: price.name, of }],
    score: [scoreTap({ reads: { price }, run: () => undefined })],
  });
  world.nodes(...three());
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.bound.size, 0);
  running = true;
  await world.after(10_000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a score stretches what it says over the feasible nodes only, times its weight', async (t) => {
  const byPrice = scoreTap({
    plugin: 'cost',
    reads: { price },
    scale: 'less-is-better',
    weight: 3,
    run: each(({ columns }, i) => columns['price']?.[i] ?? 0),
  });
  const world = new World({
    columns: [{ plugin: 'cost', name: price.name, of: ({ metadata }) => Number(metadata.labels?.['price']) }],
    score: [byPrice],
  });
  const priced = (name: string, cents: number, cpu = '4') => makeNode(name, { cpu, labels: { price: String(cents) } });
  world.nodes(priced('a', 100), priced('b', 50), priced('c', 20), priced('d', 1, '10m'));
  const pod = makePod('web', { cpu: '1' });
  const { scored, rejected } = world.scheduler.explain(pod);
  const points = scored.map(({ node, parts }) => [node, parts.find(({ plugin }) => plugin === 'cost')?.points]);
  t.deepEqual(points, [
    ['c', 100],
    ['b', 62],
    ['a', 0],
  ]);
  t.deepEqual(
    scored.map(({ total }) => total),
    [600, 486, 300],
  );
  t.deepEqual(Object.keys(rejected), ['d']);
  await world.scheduler.stop();
});

test('when the range of a score moves, nodes that did not change change places', async (t) => {
  const byPrice = scoreTap({
    plugin: 'cost',
    reads: { price },
    scale: 'less-is-better',
    run: each(({ columns }, i) => columns['price']?.[i] ?? 0),
  });
  const bySize = scoreTap({
    plugin: 'size',
    reads: { cpu: columns.allocatable('cpu') },
    run: each(({ columns }, i) => (columns['cpu']?.[i] ?? 0) / 1000),
  });
  const world = new World({
    columns: [{ plugin: 'cost', name: price.name, of: ({ metadata }) => Number(metadata.labels?.['price']) }],
    score: [byPrice, bySize],
  });
  const priced = (name: string, cents: number, cpu: string) => makeNode(name, { cpu, labels: { price: String(cents) } });
  world.nodes(priced('a', 10, '40'), priced('b', 20, '60'), priced('outlier', 100, '1'));
  world.pods(makePod('before'));
  await world.idle();
  t.is(world.bound.get('before'), 'b', '100 + 40 points for a, 88 + 60 for b');
  world.scheduler.nodeDeleted('outlier');
  world.pods(makePod('after'));
  await world.idle();
  t.is(world.bound.get('after'), 'a', '100 + 40 points for a, 0 + 60 for b');
  await world.scheduler.stop();
});

test('a tap finds its answers set to 0, whatever it answered before', async (t) => {
  const full = filterTap({
    reads: { cpu: columns.free('cpu') },
    reasons: [{ message: 'full', retryOn: ['pod-deleted'] }],
    run: ({ count, out, columns }) => {
      for (let i = 0; i < count; i++) if (columns['cpu']?.[i] === 0) out[i] = 1;
    },
  });
  const world = new World({ filter: [full] });
  world.nodes(makeNode('a', { cpu: '1' }));
  world.pods(makePod('big', { cpu: '1' }));
  await world.idle();
  world.pods(makePod('small'));
  await world.idle();
  t.is(world.decision('small')?.refused[0]?.message, 'full');
  world.delete('big');
  await world.after(1000);
  t.is(world.bound.get('small'), 'a');
  await world.scheduler.stop();
});

test('another hook generation takes over, and pods that waited are tried with it', async (t) => {
  const world = new World({ filter: [filterTap({ run: ({ out }) => void out.fill(1) })] });
  world.nodes(...three());
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.decision('web')?.refused[0]?.message, 'refused by the test');
  world.scheduler.setTaps(noTaps);
  await world.after(10_000);
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});

test('a generation that cannot be is refused, and the old one goes on', async (t) => {
  const world = new World();
  world.nodes(...three());
  const unknown = filterTap({ reads: { price }, run: () => undefined });
  t.throws(() => world.scheduler.setTaps({ ...noTaps, filter: [unknown] }), { code: 'TAP_SCHEDULE_COLUMN_UNKNOWN' });
  for (const weight of [-1, 1.5, 10_001, Number.NaN]) {
    t.throws(() => world.scheduler.setTaps({ ...noTaps, score: [scoreTap({ weight, run: () => undefined })] }), {
      code: 'TAP_SCHEDULE_WEIGHT_INVALID',
    });
  }
  const many = Array.from({ length: 2001 }, () => scoreTap({ weight: 10_000, run: () => undefined }));
  t.throws(() => world.scheduler.setTaps({ ...noTaps, score: many }), { code: 'TAP_SCHEDULE_WEIGHT_INVALID' });
  world.pods(makePod('web'));
  await world.idle();
  t.is(world.bound.get('web'), 'a');
  await world.scheduler.stop();
});
