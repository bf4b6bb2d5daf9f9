import { errorTable } from '@tappaas/sdk';

const caller = { blame: 'caller', retry: 'never' } as const;

/** Errors of patches that cannot be applied. */
export const patchErrors = errorTable({
  TAP_PATCH_INVALID: { ...caller, httpStatus: 400, remedy: 'Correct the patch as the message says.' },
  TAP_PATCH_REJECTED: { ...caller, httpStatus: 422, remedy: 'Read the object again and make the patch fit it.' },
  TAP_PATCH_TOO_LARGE: { ...caller, httpStatus: 413, remedy: 'Split the patch into smaller ones.' },
});
