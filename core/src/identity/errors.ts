import { errorTable } from '@tappaas/sdk';

/** Errors other than that of an invalid credential, whose codes are in the SDK. */
export const identityErrors = errorTable({
  TAP_CREDENTIAL_BUSY: {
    blame: 'platform',
    retry: 'back-off',
    httpStatus: 503,
    remedy: 'Try again; too many credentials are being verified at once, or their verification is slow.',
  },
  TAP_IDENTITY_RESERVED: {
    blame: 'caller',
    retry: 'never',
    httpStatus: 401,
    remedy: 'Use a credential with another name; an operator can configure a prefix for the names of its provider.',
  },
  TAP_CREDENTIAL_TOO_MANY: {
    blame: 'plugin',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Ask for one connection per process and keep it; every user of an engine counts once.',
  },
});
