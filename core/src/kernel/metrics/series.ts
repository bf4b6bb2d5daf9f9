import type { Strings } from '@tappaas/sdk';

/** One label set of a metric, bound in advance so that counting costs a single addition. */
export interface CounterSeries {
  add(by?: number): void;
  readonly value: number;
}

export interface GaugeSeries {
  set(value: number): void;
  add(by: number): void;
  readonly value: number;
}

export interface HistogramSeries {
  observe(value: number): void;
  readonly count: number;
  readonly sum: number;
}

/** Reports one change of a metric to a listener. */
export type SampleListener = (labels: Strings, value: number) => void;

export class NumberSeries implements CounterSeries, GaugeSeries {
  value = 0;
  readonly #labels: Strings;
  readonly #family: { onSample: SampleListener | undefined };

  constructor(labels: Strings, family: { onSample: SampleListener | undefined }) {
    this.#labels = labels;
    this.#family = family;
  }

  add(by = 1): void {
    this.value += by;
    this.#family.onSample?.(this.#labels, by);
  }

  set(value: number): void {
    this.value = value;
    this.#family.onSample?.(this.#labels, value);
  }
}

export class BucketSeries implements HistogramSeries {
  count = 0;
  sum = 0;
  /** Observations per bucket, not cumulative; the last bucket is `+Inf`. */
  readonly counts: Float64Array;
  readonly bounds: readonly number[];
  readonly #labels: Strings;
  readonly #family: { onSample: SampleListener | undefined };

  constructor(bounds: readonly number[], labels: Strings, family: { onSample: SampleListener | undefined }) {
    this.bounds = bounds;
    this.#labels = labels;
    this.#family = family;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.count += 1;
    this.sum += value;
    this.#family.onSample?.(this.#labels, value);
  }
}
