import { columns, type NodeColumn, type PodClass } from '@tappaas/sdk';
import type { SchedulingTap } from './harness.js';

export type Columns = Readonly<Record<string, Float64Array>>;

/** Columns of diverse nodes: empty, full, tiny, huge and overcommitted. Deterministic for a given count. */
export function candidates({ reads }: SchedulingTap, count: number): Columns {
  const random = randomFrom(count);
  const given = new Map<string, Float64Array>();
  const valuesOf = (column: NodeColumn): Float64Array => {
    const known = given.get(column.name);
    if (known !== undefined) return known;
    const all = allocatableOf(column);
    const limits = all && valuesOf(all);
    const values = Float64Array.from({ length: count }, (_, i) => valueOf(column, limits?.[i], random));
    given.set(column.name, values);
    return values;
  };
  return Object.fromEntries(Object.entries(reads).map(([key, column]) => [key, valuesOf(column).slice()]));
}

/** Permuted columns: entry i is the former entry `order[i]`. */
export function reordered(columns: Columns, order: readonly number[]): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([key, values]) => [key, Float64Array.from(order, (from) => values[from] ?? Number.NaN)]),
  );
}

/** Calls the tap with its own copy of the columns, as the kernel does; returns what it wrote. */
export function answersOf(tap: SchedulingTap, pod: PodClass, columns: Columns, count: number): Int32Array {
  const own = Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, values.slice()]));
  const out = new Int32Array(count);
  tap.run({ pod, count, out, columns: own });
  return out;
}

/** A permutation of the first `count` integers; deterministic for a given count. */
export function shuffled(count: number): readonly number[] {
  const random = randomFrom(count + 1);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
  }
  return order;
}

/** The column that bounds a column of free resources: free never exceeds allocatable. */
function allocatableOf({ name }: NodeColumn): NodeColumn | undefined {
  if (name === 'podsFree') return columns.allocatable('pods');
  return name.startsWith('free:') ? columns.allocatable(name.slice('free:'.length)) : undefined;
}

function valueOf({ unit }: NodeColumn, limit: number | undefined, random: () => number): number {
  const largest = limit ?? (unit === 'bytes' ? 2 ** 38 : unit === 'millicores' ? 128_000 : 250);
  const share = random();
  if (share < 0.1) return 0;
  if (share < 0.2) return limit === undefined ? 1 : -1;
  if (share < 0.3) return largest;
  return Math.floor(random() * largest);
}

/** A deterministic pseudo-random generator of numbers in [0, 1) (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
