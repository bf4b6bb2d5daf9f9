import { defineErrors } from '@tappaas/sdk';

/** What can be wrong with source that is packed as it is. */
export const sourceErrors = defineErrors({
  BUILD_SOURCE_UNREADABLE: {
    blame: 'caller',
    retry: 'never',
    httpStatus: 422,
    remedy: 'Mend the file that the message names, and deploy again.',
  },
});
