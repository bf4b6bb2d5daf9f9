import { errorTable } from './errors.js';

const caller = { blame: 'caller', retry: 'never' } as const;

/**
 * The errors of {@link Resources}, for every engine and cluster.
 *
 * Errors of a connected cluster have the same codes with `blame: 'upstream'` and `retry: 'back-off'`: a missing namespace or an exhausted
 * quota, for example, may be fixed by someone else, so none of them ends a reconcile's back-off.
 */
export const objectErrors = errorTable({
  TAP_OBJECT_NOT_FOUND: { ...caller, httpStatus: 404, remedy: 'Check the name and the namespace.' },
  TAP_OBJECT_EXISTS: { ...caller, httpStatus: 409, remedy: 'Choose another name, or update the object that exists.' },
  TAP_OBJECT_CONFLICT: {
    ...caller,
    httpStatus: 409,
    retry: 'back-off',
    remedy: 'Read the object again and repeat the change on its current state.',
  },
  TAP_OBJECT_INVALID: { ...caller, httpStatus: 422, remedy: 'Correct the fields named.' },
  TAP_OBJECT_FORBIDDEN: {
    ...caller,
    httpStatus: 403,
    remedy: 'Ask an administrator for the permission, or change what the message names.',
  },
  TAP_OBJECT_EXPIRED: { ...caller, httpStatus: 410, remedy: 'List again without resourceVersion, or continue with the given token.' },
});
