import type { MetricRegistry } from '../../kernel/kernel.js';
import { isAtOnce } from '../../reconcile/again-pace.js';
import type { RunReport } from '../../reconcile/controller.js';

/** Makes the function that counts runs by controller and result. A controller that keeps asking to run again shows by its rate. */
export function countRuns(metrics: MetricRegistry): (controller: string, report: RunReport) => void {
  const runs = metrics.counter<'controller' | 'result'>({
    name: 'tappaas_reconciles_total',
    help: 'Runs of controllers by result: done, again (asked to run again later), at-once (asked to run again at once), error, timeout, terminal, stopped.',
    labels: ['controller', 'result'],
    seriesMax,
  });
  return (controller, report) => {
    const result = report.result === 'again' && isAtOnce(report.afterMs) ? 'at-once' : report.result;
    runs.bind({ controller, result }).add();
  };
}

/** About seven hundred controllers with all their results. */
const seriesMax = 5_000;
