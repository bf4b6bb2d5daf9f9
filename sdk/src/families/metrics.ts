import { defineService } from '../service.js';

/** Every metric of the platform and its plugins, as text in Prometheus' exposition format. */
export interface MetricsSource {
  /** @source https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): Promise<string>;
}

/** Provided by the plugin that answers `/metrics`; without one the path is 404. */
export const metricsPage = defineService<MetricsSource>({ id: 'tappaas/metrics-page', contract: 1 });
