import { defineService } from '../service.js';

/** All metrics of the platform and its plugins, as text in Prometheus' exposition format. */
export interface MetricsSource {
  /** @source https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): Promise<string>;
}

/** The service of the plugin that serves `/metrics`; without one the path answers 404. */
export const metricsPage = defineService<MetricsSource>({ id: 'tappaas/metrics-page', contract: 1 });
