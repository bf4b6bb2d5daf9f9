/** What a platform answers to a scraper whether or not it loads the plugin that serves metrics. */
import test from 'ava';
import { platformHome } from '../platform-process.ts';

test('a platform that loads no plugin for metrics says so at once, with and without workers', async (t) => {
  t.timeout(240_000);
  for (const api of [{}, { workers: 1 }]) {
    const home = await platformHome({ plugins: { metrics: null, local: null }, api });
    t.teardown(() => home.remove());
    const platform = await home.start();
    t.teardown(() => platform.stop());
    const beganMs = performance.now();
    const refused = await platform.api('GET', '/metrics');
    t.true(performance.now() - beganMs < 5_000);
    t.is(refused.status, 404);
    t.regex(refused.text, /"code":"TAP_METRICS_NOT_SERVED"/);
    t.regex(refused.text, /Load @tappaas\/telemetry-metrics/);
  }
});
