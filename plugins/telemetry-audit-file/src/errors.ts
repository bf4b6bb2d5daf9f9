import { defineErrors } from '@tappaas/sdk';

/** Errors of the audit log's files. */
export const errors = defineErrors({
  TELEMETRY_AUDIT_FILE_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Free space on the disk of the audit log, or correct the permissions of its directory.',
  },
});
