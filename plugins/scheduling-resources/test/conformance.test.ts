import test from 'ava';
import { schedulingConformance } from '../../../sdk/testing/dist/conformance/scheduling.js';
import { makeFit } from '../dist/fit.js';
import { makeLeastAllocated } from '../dist/least-allocated.js';
import { podClass } from './candidates.ts';

const leastAllocated = makeLeastAllocated([
  { resource: 'cpu', weight: 2 },
  { resource: 'memory', weight: 1 },
  { resource: 'pods', weight: 1 },
]);
const taps = [
  { name: 'fit', ...makeFit(['nvidia.com/gpu']) },
  { name: 'least-allocated', scale: 'points' as const, ...leastAllocated },
];

for (const { title, run } of schedulingConformance(() => ({ taps, pods: [podClass({ 'nvidia.com/gpu': 2 })] }))) {
  test(title, (t) => t.notThrowsAsync(run));
}
