import test from 'ava';
import { makeFit } from '../dist/fit.js';
import { run } from './candidates.ts';

const roomy = { podsFree: 10, 'free:cpu': 4000, 'free:memory': 2 ** 33, 'free:ephemeral-storage': 2 ** 33 };
const reasonsOf = (
  requests: Readonly<Record<string, number>>,
  nodes: readonly Readonly<Record<string, number>>[],
  extended: string[] = [],
) => {
  const fit = makeFit(extended);
  return run(fit, requests, nodes).map((answer) => fit.reasons[answer - 1]?.message);
};

test('a node takes a pod when exactly what it requests is free', (t) => {
  t.deepEqual(reasonsOf({ cpu: 4000, memory: 2 ** 33 }, [roomy]), [undefined]);
});

test('one unit less than requested refuses the pod, naming the resource', (t) => {
  t.deepEqual(
    reasonsOf({ cpu: 1000, memory: 1024, 'ephemeral-storage': 1 }, [
      { ...roomy, 'free:cpu': 999 },
      { ...roomy, 'free:memory': 1023 },
      { ...roomy, 'free:ephemeral-storage': 0 },
      { ...roomy, podsFree: 0 },
    ]),
    ['insufficient cpu', 'insufficient memory', 'insufficient ephemeral-storage', 'too many pods'],
  );
});

test('a resource that the pod does not request never stands in the way', (t) => {
  t.deepEqual(reasonsOf({ cpu: 1 }, [{ ...roomy, 'free:memory': -5 }]), [undefined]);
});

test('an extended resource that the operator names has a reason of its own', (t) => {
  const nodes = [{ ...roomy, 'free:nvidia.com/gpu': 1 }, roomy];
  t.deepEqual(reasonsOf({ 'nvidia.com/gpu': 1 }, nodes, ['nvidia.com/gpu']), [undefined, 'insufficient nvidia.com/gpu']);
});

test('every reason is worth a retry when pods go or nodes change', (t) => {
  for (const { retryOn } of makeFit(['nvidia.com/gpu']).reasons)
    t.deepEqual([...retryOn].sort(), ['node-added', 'node-changed', 'pod-deleted']);
});
