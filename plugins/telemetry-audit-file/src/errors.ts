import { defineErrors } from '@tappaas/sdk';

/** What can be wrong with the files of the audit log. */
export const errors = defineErrors({
  TELEMETRY_AUDIT_FILE_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Make room on the disk of the audit log, or mend the rights of its directory.',
  },
});
