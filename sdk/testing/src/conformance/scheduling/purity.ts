import type { PodClass } from '@tappaas/sdk';
import type { Case } from '../case.js';
import { answersOf, candidates, reordered, shuffled, type Columns } from './candidates.js';
import { broken, eachTap, type MakeScheduling, type SchedulingTap } from './harness.js';

const count = 500;
/** Sizes of subsets of the candidates, as after a change of a few nodes. */
const subsetCounts = [1, 2, 7, 100];

/** Decisions are cached by class and node, so a result may depend on nothing else. */
export function purity(make: MakeScheduling): readonly Case[] {
  return [
    eachTap('the same candidates get the same answers', make, (tap, pod) => {
      const columns = candidates(tap, count);
      expectSame(tap, pod, columns, answersOf(tap, pod, columns, count), identity(count), 'asked again');
    }),
    eachTap('the order of the candidates does not matter', make, (tap, pod) => {
      const columns = candidates(tap, count);
      expectSame(tap, pod, columns, answersOf(tap, pod, columns, count), shuffled(count), 'in another order');
    }),
    eachTap('a candidate gets the same answer alone, among few and among many', make, (tap, pod) => {
      const columns = candidates(tap, count);
      const all = answersOf(tap, pod, columns, count);
      for (const subset of subsetCounts) expectSame(tap, pod, columns, all, shuffled(count).slice(0, subset), `among ${subset}`);
      for (let i = 0; i < count; i++) expectSame(tap, pod, columns, all, [i], 'alone');
    }),
    eachTap('what was asked before does not matter', make, (tap, pod) => {
      const columns = candidates(tap, count);
      const before = answersOf(tap, pod, columns, count);
      answersOf(tap, { ...pod, namespace: 'other', labels: {}, requests: () => 1 }, candidates(tap, 3), 3);
      expectSame(tap, pod, columns, before, identity(count), 'after another class of pods');
    }),
    eachTap('a tap does not write into its columns', make, (tap, pod) => {
      const columns = candidates(tap, count);
      const before = structuredClone(columns);
      tap.run({ pod, count, out: new Int32Array(count), columns });
      const changed = Object.keys(columns).find((key) => columns[key]?.some((value, i) => value !== before[key]?.[i]));
      if (changed !== undefined) broken(tap, `it wrote into column "${changed}"`);
    }),
  ];
}

function expectSame(tap: SchedulingTap, pod: PodClass, columns: Columns, all: Int32Array, order: readonly number[], how: string): void {
  const again = answersOf(tap, pod, reordered(columns, order), order.length);
  order.forEach((from, i) => {
    if (again[i] !== all[from]) broken(tap, `candidate ${from} got ${all[from]} at first and ${again[i]} ${how}`);
  });
}

function identity(length: number): readonly number[] {
  return Array.from({ length }, (_, i) => i);
}
