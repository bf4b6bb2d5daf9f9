import { errorTable } from '@tappaas/sdk';

/** Errors of invalid questions about access. */
export const accessErrors = errorTable({
  TAP_REVIEW_INVALID: {
    httpStatus: 422,
    blame: 'caller',
    retry: 'never',
    remedy: 'Correct the field of the review that the message names.',
  },
});
