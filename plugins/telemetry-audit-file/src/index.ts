import { definePlugin, families, Type } from '@tappaas/sdk';
import { AuditFiles } from './audit-files.js';

const config = Type.Object({
  directory: Type.String({ default: './data/audit', description: 'Where the files lie; readable for their owner only.' }),
  fileBytesMax: Type.Integer({
    default: 16_777_216,
    minimum: 4_096,
    maximum: 1_073_741_824,
    description: 'A file that is larger is not written on; the next one begins, bytes.',
  }),
  totalBytesMax: Type.Integer({
    default: 1_073_741_824,
    minimum: 8_192,
    description: 'Oldest files of a chain are removed when those of all chains together are larger, bytes; never the one that is written.',
  }),
  keepDays: Type.Integer({
    default: 365,
    minimum: 1,
    maximum: 36_500,
    description: 'Files whose last line is older are removed, days; never the last one of a chain.',
  }),
});

/** Keeps the audit log in files: one line an event, on the disk before it counts as kept. */
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
