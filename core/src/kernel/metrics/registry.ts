import type { MetricSample, Strings } from '@tappaas/sdk';
import { Family, type MetricOptions } from './family.js';
import { BucketSeries, NumberSeries, type CounterSeries, type GaugeSeries, type HistogramSeries } from './series.js';
import { exposition } from './exposition.js';

export type { MetricOptions } from './family.js';
export type { CounterSeries, GaugeSeries, HistogramSeries } from './series.js';

/** A metric; `bind` returns the series of a label set. */
export interface Metric<L extends string, S> {
  readonly name: string;
  bind(labels: Readonly<Record<L, string>>): S;
}

/** Counters, gauges and histograms of the process, exported as Prometheus text. */
export interface MetricRegistry {
  counter<L extends string = never>(options: MetricOptions<L>): Metric<L, CounterSeries>;
  gauge<L extends string = never>(options: MetricOptions<L>): Metric<L, GaugeSeries>;
  /** `bounds` are increasing, in the metric's unit. Default: durations in seconds from 10 µs to a minute. */
  histogram<L extends string = never>(options: MetricOptions<L> & { readonly bounds?: readonly number[] }): Metric<L, HistogramSeries>;
  /** Calls `collect` before each export, for gauges that are cheaper to read than to keep up to date. */
  onCollect(collect: () => void): () => void;
  /** Sets the listener for every change of every metric; undefined removes it, and then there is no cost. */
  listen(listener: ((sample: MetricSample) => void) | undefined): void;
  /** Prometheus text exposition format 0.0.4. */
  text(): string;
}

const durationBounds: readonly number[] = Object.freeze([
  0.000_01, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
]);

const nameForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

class Registry implements MetricRegistry {
  readonly #families = new Map<string, Family<string, NumberSeries> | Family<string, BucketSeries>>();
  readonly #collectors = new Set<() => void>();
  #listener: ((sample: MetricSample) => void) | undefined;
  #telling = false;

  counter<L extends string = never>(options: MetricOptions<L>): Metric<L, CounterSeries> {
    return this.#family<L, NumberSeries>('counter', options, (labels, family) => new NumberSeries(labels, family));
  }

  gauge<L extends string = never>(options: MetricOptions<L>): Metric<L, GaugeSeries> {
    return this.#family<L, NumberSeries>('gauge', options, (labels, family) => new NumberSeries(labels, family));
  }

  histogram<L extends string = never>(options: MetricOptions<L> & { readonly bounds?: readonly number[] }): Metric<L, HistogramSeries> {
    const bounds = options.bounds ?? durationBounds;
    return this.#family<L, BucketSeries>('histogram', options, (labels, family) => new BucketSeries(bounds, labels, family));
  }

  onCollect(collect: () => void): () => void {
    this.#collectors.add(collect);
    return () => void this.#collectors.delete(collect);
  }

  listen(listener: ((sample: MetricSample) => void) | undefined): void {
    this.#listener = listener;
    for (const family of this.#families.values()) this.#tell(family);
  }

  text(): string {
    for (const collect of this.#collectors) collect();
    return exposition([...this.#families.values()]);
  }

  /** Returns the metric with that name; repeated calls with the same kind return the same one. */
  #family<L extends string, S extends NumberSeries | BucketSeries>(
    kind: MetricSample['kind'],
    options: MetricOptions<L>,
    make: (labels: Strings, family: Family<L, S>) => S,
  ): Family<L, S> {
    if (!nameForm.test(options.name)) throw new TypeError(`metric name "${options.name}" is not letters, digits and underscores`);
    const known = this.#families.get(options.name);
    if (known !== undefined) {
      if (known.kind !== kind) throw new TypeError(`metric ${options.name} is a ${known.kind}, not a ${kind}`);
      return known as Family<L, S>;
    }
    const made: Family<L, S> = new Family<L, S>(kind, options, (labels) => make(labels, made));
    this.#families.set(options.name, made as Family<string, NumberSeries>);
    this.#tell(made as Family<string, NumberSeries>);
    return made;
  }

  /** Changes made by the listener itself are not reported, which would never end. */
  #tell(family: Family<string, NumberSeries> | Family<string, BucketSeries>): void {
    const listener = this.#listener;
    if (listener === undefined) {
      family.onSample = undefined;
      return;
    }
    const { name, kind, help } = family;
    family.onSample = (labels, value) => {
      if (this.#telling) return;
      this.#telling = true;
      try {
        listener({ name, kind, help, labels, value });
      } finally {
        this.#telling = false;
      }
    };
  }
}

export function createMetricRegistry(): MetricRegistry {
  return new Registry();
}
