import type { Outcome } from '@tappaas/sdk';
import test from 'ava';
import { createMetricRegistry } from '../../dist/kernel/metrics/registry.js';
import { countRuns } from '../../dist/platform/controllers/run-counts.js';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { createController } from '../../dist/reconcile/controller.js';
import { VirtualClock } from '../virtual-clock.ts';

test('the runs of a controller are counted by result, and those that asked to run again at once apart', async (t) => {
  const clock = new VirtualClock();
  const metrics = createMetricRegistry();
  const count = countRuns(metrics);
  const queue = createWorkQueue<string>({ clock, random: () => 0, backoff: { baseMs: 100, maxMs: 100, jitter: 0 } });
  const outcomes: (Outcome | Error)[] = [{ againAfterMs: 0 }, { againAfterMs: 9 }, { againAfterMs: 10 }, new Error('failed'), undefined];
  const stop = new AbortController();
  const controller = createController({
    name: 'mesh/Application',
    queue,
    clock,
    async reconcile() {
      const outcome = outcomes.shift();
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    onReport: (report) => count('mesh/Application', report),
  });
  void controller.run(stop.signal);
  queue.add('team-a/shop');
  await clock.advance(1_000);
  stop.abort();
  t.deepEqual(metrics.text().match(/^tappaas_reconciles_total.*$/gm), [
    'tappaas_reconciles_total{controller="mesh/Application",result="at-once"} 2',
    'tappaas_reconciles_total{controller="mesh/Application",result="again"} 1',
    'tappaas_reconciles_total{controller="mesh/Application",result="error"} 1',
    'tappaas_reconciles_total{controller="mesh/Application",result="done"} 1',
  ]);
});
