import { defineErrors } from '@tappaas/sdk';

/** What can be wrong with an application on its cluster. */
export const applicationErrors = defineErrors({
  CONTROLLER_APPLICATION_NO_BATCH: {
    httpStatus: 422,
    blame: 'caller',
    retry: 'never',
    remedy: 'Place the application on a cluster with the batch profile, or remove its release tasks and schedules.',
  },
});
