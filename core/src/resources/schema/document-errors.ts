import { errorTable } from '@tappaas/sdk';

/** Errors of a body that cannot be read. */
export const documentErrors = errorTable({
  TAP_DOCUMENT_SYNTAX: { httpStatus: 400, blame: 'caller', retry: 'never', remedy: 'Send valid JSON or YAML.' },
  TAP_DOCUMENT_LIMIT: { httpStatus: 400, blame: 'caller', retry: 'never', remedy: 'Send a smaller or flatter document.' },
});
