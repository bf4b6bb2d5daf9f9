import { metricsPage } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';
import { platformErrors } from '../errors.js';

/**
 * The page of this process's metrics, as the plugin that serves them writes it.
 *
 * @throws TAP_METRICS_NOT_SERVED at once: a scraper asks every few seconds, and a plugin that is not loaded may never come
 */
export function ownMetricsPage(kernel: Kernel): () => Promise<string> {
  return async () => {
    const page = kernel.services.provided(metricsPage);
    if (page === undefined) throw platformErrors.TAP_METRICS_NOT_SERVED({ message: 'no plugin that serves metrics is loaded' });
    return page.text();
  };
}
