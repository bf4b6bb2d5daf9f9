import type { MetricSample, Strings } from '@tappaas/sdk';
import { BucketSeries, NumberSeries, type SampleListener } from './series.js';

/** Options of a metric. Up to `seriesMax` label sets have series of their own; all others are counted together as `other`. */
export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** Default 1,000. */
  readonly seriesMax?: number;
}

/** A metric with its label sets. */
export class Family<L extends string, S extends NumberSeries | BucketSeries> {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricSample['kind'];
  readonly series = new Map<string, { readonly labels: Strings; readonly series: S }>();
  onSample: SampleListener | undefined;
  readonly #labelNames: readonly L[];
  readonly #seriesMax: number;
  readonly #make: (labels: Strings) => S;

  constructor(
    kind: MetricSample['kind'],
    options: MetricOptions<L>,
    make: (labels: Strings, family: { onSample: SampleListener | undefined }) => S,
  ) {
    this.kind = kind;
    this.name = options.name;
    this.help = options.help;
    this.#labelNames = options.labels ?? [];
    this.#seriesMax = options.seriesMax ?? 1000;
    this.#make = (labels) => make(labels, this);
  }

  /** Returns the series of a label set; keep it where speed matters. */
  bind(labels: Readonly<Record<L, string>>): S {
    const full = this.series.size >= this.#seriesMax && !this.series.has(this.#keyOf(labels));
    const known: Strings = Object.fromEntries(this.#labelNames.map((name) => [name, full ? 'other' : labels[name]]));
    const key = this.#keyOf(known);
    const found = this.series.get(key);
    if (found !== undefined) return found.series;
    const made = { labels: known, series: this.#make(known) };
    this.series.set(key, made);
    return made.series;
  }

  #keyOf(labels: Strings): string {
    return this.#labelNames.map((name) => labels[name]).join('\u0000');
  }
}
