import type { CounterSeries, HistogramSeries, Metric, MetricRegistry } from '../metrics/registry.js';
import type { Outcome } from './blame.js';
import type { BreakerState } from './breaker.js';

type TapLabels = 'plugin' | 'hook';

/** The kernel's metrics about plugins. */
export interface GuardMetrics {
  readonly duration: Metric<TapLabels | 'outcome', HistogramSeries>;
  /** Calls skipped because the breaker was open or the plugin was not running. */
  readonly skipped: Metric<TapLabels | 'reason', CounterSeries>;
  readonly breaker: (plugin: string, hook: string, state: BreakerState) => void;
}

const breakerValue: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 0.5, open: 1 };

export function createGuardMetrics(registry: MetricRegistry): GuardMetrics {
  const open = registry.gauge<TapLabels>({
    name: 'tappaas_breaker_open',
    help: 'Whether the plugin is cut off the hook: 1 open, 0.5 being tried.',
    labels: ['plugin', 'hook'],
    seriesMax: 10_000,
  });
  return {
    duration: registry.histogram<TapLabels | 'outcome'>({
      name: 'tappaas_tap_duration_seconds',
      help: 'Time that calls of a plugin took, every call measured.',
      labels: ['plugin', 'hook', 'outcome'],
      seriesMax: 10_000,
    }),
    skipped: registry.counter<TapLabels | 'reason'>({
      name: 'tappaas_tap_skipped_total',
      help: 'Calls of a plugin that were not made.',
      labels: ['plugin', 'hook', 'reason'],
      seriesMax: 10_000,
    }),
    breaker: (plugin, hook, state) => open.bind({ plugin, hook }).set(breakerValue[state]),
  };
}

/** The metric series of one plugin at one hook: that of the usual outcome is bound in advance, others on first use. */
export class PointSeries {
  readonly ok: HistogramSeries;
  readonly #metrics: GuardMetrics;
  readonly #plugin: string;
  readonly #hook: string;

  constructor(metrics: GuardMetrics, plugin: string, hook: string) {
    this.#metrics = metrics;
    this.#plugin = plugin;
    this.#hook = hook;
    this.ok = metrics.duration.bind({ plugin, hook, outcome: 'ok' });
  }

  record(outcome: Outcome, durationMs: number): void {
    const series = outcome === 'ok' ? this.ok : this.#metrics.duration.bind({ plugin: this.#plugin, hook: this.#hook, outcome });
    series.observe(durationMs / 1000);
  }

  skip(reason: 'breaker' | 'not-running'): void {
    this.#metrics.skipped.bind({ plugin: this.#plugin, hook: this.#hook, reason }).add();
  }
}
