import { definePlugin, families, Type } from '@tappaas/sdk';
import { AuditFiles } from './audit-files.js';

const config = Type.Object({
  directory: Type.String({ default: './data/audit', description: 'Directory of the log files; readable only by their owner.' }),
  fileBytesMax: Type.Integer({
    default: 16_777_216,
    minimum: 4_096,
    maximum: 1_073_741_824,
    description: 'Size beyond which a file is closed and the next one begins, bytes.',
  }),
  totalBytesMax: Type.Integer({
    default: 1_073_741_824,
    minimum: 8_192,
    description:
      'Maximum size of the files of all chains together, bytes; beyond it the oldest files of a chain are removed, never the one being written.',
  }),
  keepDays: Type.Integer({
    default: 365,
    minimum: 1,
    maximum: 36_500,
    description: 'Files whose last line is older are removed, days; never the last one of a chain.',
  }),
});

/** Stores the audit log in files: one line per event, on the disk before it counts as stored. */
export default definePlugin({
  id: 'telemetry-audit-file',
  stability: 'beta',
  config,
  example: {},
  setup(host, settings) {
    host.provide(
      families.auditSink,
      ({ clock }) => AuditFiles.open(settings, () => clock.nowMs()),
      (files) => (files as AuditFiles).close(),
    );
  },
});
