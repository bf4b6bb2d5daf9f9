import type { MetricRegistry } from '../../kernel/kernel.js';
import type { AuditLog } from '../../telemetry/audit/audit-log.js';

/** Exports how far the sinks of the audit log lag; returns the function that stops it. */
export function showAuditMetrics(metrics: MetricRegistry, auditLog: AuditLog): () => void {
  const waiting = metrics.gauge<'sink'>({
    name: 'tappaas_audit_waiting_lines',
    help: 'Lines that wait for an audit sink.',
    labels: ['sink'],
  });
  const dropped = metrics.gauge<'sink'>({
    name: 'tappaas_audit_dropped_lines',
    help: 'Lines that an audit sink was not given since the start, as its onOverflow says.',
    labels: ['sink'],
  });
  const failing = metrics.gauge<'sink'>({
    name: 'tappaas_audit_sink_failing',
    help: '1 while the last attempt of an audit sink to keep its lines has failed.',
    labels: ['sink'],
  });
  return metrics.onCollect(() => {
    for (const queue of auditLog.queues) {
      const labels = { sink: queue.name };
      waiting.bind(labels).set(queue.counts.waiting);
      dropped.bind(labels).set(queue.counts.dropped);
      failing.bind(labels).set(queue.isFailing ? 1 : 0);
    }
  });
}
