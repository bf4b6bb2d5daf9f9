import { errorTable } from '../errors.js';

const caller = { blame: 'caller', retry: 'never', httpStatus: 401 } as const;

/** The errors of authenticators. The codes are the platform's, so every protocol answers 401. A message never says how close it was. */
export const credentialErrors = errorTable({
  TAP_CREDENTIAL_INVALID: { ...caller, remedy: 'Log in again with "tappaas login".' },
  TAP_CREDENTIAL_EXPIRED: { ...caller, remedy: 'Log in again with "tappaas login"; the credential was valid until it expired.' },
  TAP_ISSUER_UNAVAILABLE: {
    blame: 'upstream',
    retry: 'back-off',
    httpStatus: 503,
    remedy: 'Check that the address of the issuer is right and can be reached from the platform.',
  },
});
