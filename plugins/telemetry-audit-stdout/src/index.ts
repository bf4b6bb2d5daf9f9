import { definePlugin, families } from '@tappaas/sdk';
import { LineOutput } from './line-output.js';

/** Writes the audit log to the standard output, for platforms whose surroundings collect that; the platform's own log is on standard error. */
export default definePlugin({
  id: 'telemetry-audit-stdout',
  stability: 'beta',
  setup(host) {
    host.provide(families.auditSink, () => new LineOutput(process.stdout));
  },
});
