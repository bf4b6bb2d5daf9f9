import { defineErrors } from '@tappaas/sdk';

const caller = { httpStatus: 400, blame: 'caller', retry: 'never' } as const;

/** Errors of logins, sessions and tokens of OpenID providers. */
export const errors = defineErrors({
  IDENTITY_OIDC_ISSUER_UNKNOWN: { ...caller, remedy: 'Name one of the providers that GET issuers lists.' },
  IDENTITY_OIDC_ISSUER_TWICE: {
    httpStatus: 500,
    blame: 'caller',
    retry: 'never',
    remedy: 'Give each provider a name of its own, and name each issuer once; further clients of it go into audiences.',
  },
  IDENTITY_OIDC_NAMES_SHARED: {
    httpStatus: 500,
    blame: 'caller',
    retry: 'never',
    remedy:
      'Give each provider a `claims.userPrefix` and a `claims.groupsPrefix` of its own (one of them may go without), or set `sharesNames: true` for both if each may name the people of the other.',
  },
  IDENTITY_OIDC_TENANT_CONTRADICTORY: {
    httpStatus: 500,
    blame: 'caller',
    retry: 'never',
    remedy:
      'Set `tenant` alone where all users of the provider belong to one tenant, or `claims.tenant` with `tenants` where a claim names the tenant.',
  },
  IDENTITY_OIDC_LOGIN_INVALID: {
    ...caller,
    remedy: 'Begin the log-in again; it has to be finished in the same browser within ten minutes.',
  },
  IDENTITY_OIDC_LOGOUT_INVALID: { ...caller, remedy: 'Send a logout token of OpenID Connect Back-Channel Logout 1.0 for this client.' },
  IDENTITY_OIDC_CLAIM_MISSING: {
    ...caller,
    httpStatus: 403,
    remedy:
      'Ask the operator of this platform to have the provider send what the message names, or to change `claims` in the plugin’s configuration.',
  },
  IDENTITY_OIDC_CLAIM_FOREIGN: {
    ...caller,
    httpStatus: 403,
    remedy: 'Ask the operator of this platform: the provider names a tenant, a user or a group that it may not name here.',
  },
  IDENTITY_OIDC_NOT_CONFIGURED: { ...caller, httpStatus: 501, remedy: 'Set publicUrl in the plugin’s configuration.' },
  IDENTITY_OIDC_PROVIDER_FAILED: {
    httpStatus: 502,
    blame: 'upstream',
    retry: 'back-off',
    remedy:
      'Check the provider and the network path to it; the log has the cause. The operator names a private certificate authority of the provider in `certificateAuthorityFile`.',
  },
});
