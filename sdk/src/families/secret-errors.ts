import { errorTable } from '../errors.js';

/** The errors that a {@link SecretStore} throws. No message contains a value. */
export const secretErrors = errorTable({
  TAP_SECRET_NOT_FOUND: {
    httpStatus: 404,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Check the path and the version, or write the secret into the store.',
  },
  TAP_SECRET_FORBIDDEN: {
    httpStatus: 403,
    blame: 'caller',
    retry: 'never',
    remedy: 'Choose a path that the store permits, or ask its administrator for the right to it.',
  },
  TAP_SECRET_UNAVAILABLE: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Check the health of the secret store and the network path to it.',
  },
  TAP_SECRET_CONFLICT: {
    httpStatus: 409,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Read the version of the secret again and repeat the write on it.',
  },
});
