import { definePlugin, metricsPage, platformServices } from '@tappaas/sdk';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { processMetrics } from './process-metrics.js';

/** Serves `/metrics`: the metrics of the platform and its plugins, and of the process. */
export default definePlugin({
  id: 'telemetry-metrics',
  stability: 'beta',
  needs: { metrics: platformServices.metrics },
  setup(host, _config, { metrics }) {
    let stop = (): unknown => undefined;
    host.provide(
      metricsPage,
      () => {
        const delay = monitorEventLoopDelay({ resolution: 20 });
        delay.enable();
        const facts = () => ({ usage: process.resourceUsage(), memory: process.memoryUsage(), upSeconds: process.uptime(), delay });
        stop = () => delay.disable();
        return { text: async () => (await metrics.text()) + processMetrics(facts()) };
      },
      () => {
        stop();
      },
    );
  },
});
