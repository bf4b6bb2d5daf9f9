import { defineErrors } from '@tappaas/sdk';

const caller = { blame: 'caller', retry: 'never' } as const;

/** Errors of token requests for service accounts. */
export const errors = defineErrors({
  IDENTITY_SERVICEACCOUNT_REQUEST_INVALID: {
    ...caller,
    httpStatus: 422,
    remedy: 'Correct the field of the TokenRequest that the message names.',
  },
  IDENTITY_SERVICEACCOUNT_ACCOUNT_MISMATCH: {
    ...caller,
    httpStatus: 409,
    remedy: 'Read the service account again: it was deleted and created again.',
  },
  IDENTITY_SERVICEACCOUNT_BOUND_MISMATCH: {
    ...caller,
    httpStatus: 409,
    remedy: 'Read the object that the token is to be bound to again, and ask with its uid.',
  },
});
