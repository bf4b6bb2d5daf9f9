import { errorTable } from '@tappaas/sdk';

/** Why admission could not come to an answer. */
export const admissionErrors = errorTable({
  TAP_ADMISSION_PLUGIN_FAILED: {
    httpStatus: 503,
    blame: 'plugin',
    retry: 'back-off',
    remedy: 'Look at the plugin named with `tappaas plugins`; its taps deny as long as it does not answer.',
  },
  TAP_ADMISSION_ANSWER_INVALID: {
    httpStatus: 503,
    blame: 'plugin',
    retry: 'never',
    remedy: 'Correct the plugin named: a mutating tap answers an object or nothing.',
  },
});
