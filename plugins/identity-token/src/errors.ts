import { defineErrors } from '@tappaas/sdk';

/** Errors of requests to issue a token. */
export const errors = defineErrors({
  IDENTITY_TOKEN_EXCEEDS_RIGHTS: {
    httpStatus: 403,
    blame: 'caller',
    retry: 'never',
    remedy:
      'Make a token of your own, with groups that you are in and a scope that you have, and issue it with the credential that made it.',
  },
});
