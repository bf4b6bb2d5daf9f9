import { defineErrors } from '@tappaas/sdk';

/** Errors of the audit log's files. */
export const errors = defineErrors({
  TELEMETRY_AUDIT_FILE_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Make room on the disk of the audit log, or mend the rights of its directory.',
  },
});
