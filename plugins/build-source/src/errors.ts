import { defineErrors } from '@tappaas/sdk';

/** Faults of source that this builder reports. */
export const sourceErrors = defineErrors({
  BUILD_SOURCE_UNREADABLE: {
    blame: 'caller',
    retry: 'never',
    httpStatus: 422,
    remedy: 'Correct the file that the message names, and deploy again.',
  },
});
