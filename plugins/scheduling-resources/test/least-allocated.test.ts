import test from 'ava';
import { makeLeastAllocated } from '../dist/least-allocated.js';
import { run } from './candidates.ts';

const cpuAndMemory = makeLeastAllocated([
  { resource: 'cpu', weight: 1 },
  { resource: 'memory', weight: 1 },
]);
const node = (freeCpu: number, freeMemory: number) => ({
  'free:cpu': freeCpu,
  'allocatable:cpu': 4000,
  'free:memory': freeMemory,
  'allocatable:memory': 1000,
});

test('an empty node gets 100 points and a full one none', (t) => {
  t.deepEqual(run(cpuAndMemory, {}, [node(4000, 1000), node(0, 0)]), [100, 0]);
});

test('what counts is what would be left after the pod', (t) => {
  t.deepEqual(run(cpuAndMemory, { cpu: 1000, memory: 500 }, [node(4000, 1000), node(2000, 500)]), [62, 12]);
});

test('weights shift the mean, and a weight of nothing leaves a resource out', (t) => {
  const weighted = makeLeastAllocated([
    { resource: 'cpu', weight: 3 },
    { resource: 'memory', weight: 1 },
  ]);
  t.deepEqual(run(weighted, {}, [node(4000, 0)]), [75]);
  t.deepEqual(
    Object.values(makeLeastAllocated([{ resource: 'cpu', weight: 0 }]).reads).map(({ name }) => name),
    [],
  );
});

test('a resource that the node does not have is left out of the mean', (t) => {
  t.deepEqual(run(cpuAndMemory, {}, [{ ...node(2000, 0), 'allocatable:memory': 0 }]), [50]);
});

test('a node that holds more than it has gets no points for that resource instead of fewer than none', (t) => {
  t.deepEqual(run(cpuAndMemory, {}, [node(-4000, 1000)]), [50]);
});

test('pods count as a resource, so pods without requests spread', (t) => {
  const byPods = makeLeastAllocated([{ resource: 'pods', weight: 1 }]);
  t.deepEqual(
    run(byPods, {}, [
      { podsFree: 10, 'allocatable:pods': 10 },
      { podsFree: 5, 'allocatable:pods': 10 },
    ]),
    [90, 40],
  );
});
