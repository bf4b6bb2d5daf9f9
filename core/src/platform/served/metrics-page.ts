import { metricsPage } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';
import { platformErrors } from '../errors.js';

/**
 * Returns the metrics page of this process, as written by the plugin that serves metrics.
 *
 * @throws TAP_METRICS_NOT_SERVED immediately: a scraper asks every few seconds, and a plugin that is not loaded may never be
 */
export function ownMetricsPage(kernel: Kernel): () => Promise<string> {
  return async () => {
    const page = kernel.services.provided(metricsPage);
    if (page === undefined) throw platformErrors.TAP_METRICS_NOT_SERVED({ message: 'no plugin that serves metrics is loaded' });
    return page.text();
  };
}
