import { definePlugin, families } from '@tappaas/sdk';
import { LineOutput } from './line-output.js';

/** Writes the audit log to standard output, for environments that collect it from there; the platform's own log goes to standard error. */
export default definePlugin({
  id: 'telemetry-audit-stdout',
  stability: 'beta',
  setup(host) {
    host.provide(families.auditSink, () => new LineOutput(process.stdout));
  },
});
