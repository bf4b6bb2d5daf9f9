import { defineErrors } from '@tappaas/sdk';

/** Errors of applications on their cluster. */
export const applicationErrors = defineErrors({
  CONTROLLER_APPLICATION_NO_BATCH: {
    httpStatus: 422,
    blame: 'caller',
    retry: 'never',
    remedy: 'Place the application on a cluster with the batch profile, or remove its release tasks and schedules.',
  },
});
