import type { Awaitable, NodeColumn, PodClass, RetryOn } from '@tappaas/sdk';
import type { Case } from '../case.js';

/** The input of a tap's call, as the kernel passes it. */
export interface TapInput {
  readonly pod: PodClass;
  readonly count: number;
  readonly out: Int32Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/** One filter or score tap with its registered options. */
export interface SchedulingTap {
  /** Name of the tap in failures. */
  readonly name: string;
  readonly reads: Readonly<Record<string, NodeColumn>>;
  /** The reasons of a filter tap. */
  readonly reasons?: readonly { readonly message: string; readonly retryOn: readonly RetryOn[] }[];
  /** The scale of a score tap. */
  readonly scale?: 'points' | 'more-is-better' | 'less-is-better';
  readonly run: (input: TapInput) => unknown;
}

/** The taps of a plugin under test. */
export interface SchedulingHarness {
  readonly taps: readonly SchedulingTap[];
  /** Classes of pods that the plugin treats differently; ordinary ones are always tested too. */
  readonly pods?: readonly PodClass[];
}

export type MakeScheduling = () => Awaitable<SchedulingHarness>;

/** A case that runs for every tap and every class of pods. */
export function eachTap(title: string, make: MakeScheduling, check: (tap: SchedulingTap, pod: PodClass) => void): Case {
  return {
    title,
    run: async () => {
      const { taps, pods = [] } = await make();
      if (taps.length === 0) throw new Error('the plugin has neither a filter nor a score tap');
      for (const tap of taps) for (const pod of [...ordinaryPods(tap), ...pods]) check(tap, pod);
    },
  };
}

/** Fails a case, naming the tap. */
export function broken(tap: SchedulingTap, what: string): never {
  throw new Error(`tap "${tap.name}": ${what}`);
}

/** Pods that request nothing, little, and much of every resource that the tap reads. */
function ordinaryPods({ reads }: SchedulingTap): readonly PodClass[] {
  const resources = Object.values(reads).flatMap(({ name }) => /^(?:free|allocatable):(.+)$/.exec(name)?.[1] ?? []);
  const asking = (amount: number) => Object.fromEntries(['cpu', 'memory', ...resources].map((resource) => [resource, amount]));
  return [{}, asking(100), asking(2 ** 34)].map(podClass);
}

function podClass(requests: Readonly<Record<string, number>>): PodClass {
  return {
    spec: { containers: [{ name: 'main', image: 'app' }] },
    namespace: 'default',
    labels: { app: 'app' },
    priority: 0,
    requests: (resource) => requests[resource] ?? 0,
    resources: Object.keys(requests),
  };
}
