import { defineErrors } from '@tappaas/sdk';

/** Errors of standard output. */
export const errors = defineErrors({
  TELEMETRY_AUDIT_STDOUT_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Check the program that reads the platform’s standard output: it has ended or does not read.',
  },
});
