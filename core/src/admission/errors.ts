import { errorTable } from '@tappaas/sdk';

/** Errors of admission that are not denials. */
export const admissionErrors = errorTable({
  TAP_ADMISSION_PLUGIN_FAILED: {
    httpStatus: 503,
    blame: 'plugin',
    retry: 'back-off',
    remedy: 'Look at the plugin named with `tappaas plugins`; its taps deny as long as it does not answer.',
  },
  TAP_ADMISSION_DRY_RUN_REFUSED: {
    httpStatus: 400,
    blame: 'plugin',
    retry: 'never',
    remedy:
      'Send the write without dryRun, or ask the author of the plugin named to respect `dryRun` and declare `sideEffects: none-on-dry-run`.',
  },
  TAP_ADMISSION_ANSWER_INVALID: {
    httpStatus: 503,
    blame: 'plugin',
    retry: 'never',
    remedy: 'Correct the plugin named: a mutating tap answers an object or nothing.',
  },
});
