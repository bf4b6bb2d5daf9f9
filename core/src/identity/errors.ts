import { errorTable } from '@tappaas/sdk';

const caller = { blame: 'caller', retry: 'never', httpStatus: 401 } as const;

/** Why a credential is not good. The message never says how close it was. */
export const identityErrors = errorTable({
  TAP_CREDENTIAL_INVALID: { ...caller, remedy: 'Log in again with "tappaas login".' },
  TAP_CREDENTIAL_EXPIRED: { ...caller, remedy: 'Log in again with "tappaas login"; the credential was good until it expired.' },
  TAP_CREDENTIAL_TOO_MANY: {
    blame: 'plugin',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Ask for one connection per process and keep it; every user of an engine counts once.',
  },
});
