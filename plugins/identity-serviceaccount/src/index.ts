import { definePlugin, families, platformServices, serviceAccountsGroup } from '@tappaas/sdk';
import { createAuthenticator } from './authenticator.js';
import { foreignClusters } from './foreign-accounts.js';
import { namespaces, secrets, serviceAccounts } from './service-accounts.js';
import { settingsSchema } from './settings.js';
import { tokenAction } from './token-request.js';

/** Authenticates service accounts: of this platform by tokens from TokenRequest, of connected clusters by their keys or TokenReviews. */
export default definePlugin({
  id: 'identity-serviceaccount',
  stability: 'beta',
  config: settingsSchema,
  example: {
    issuers: [
      {
        name: 'east',
        issuer: 'https://kubernetes.default.svc',
        audiences: ['tappaas'],
        jwksUrl: 'https://east.example.com/openid/v1/jwks',
        allowedAddresses: [],
      },
    ],
  },
  needs: { tokens: platformServices.tokens },
  permissions: {
    resources: [
      { kind: serviceAccounts, verbs: ['get'] },
      { kind: secrets, verbs: ['get'] },
      { kind: namespaces, verbs: ['get'] },
    ],
    identity: { signs: true, users: ['system:serviceaccount:*'], groups: [serviceAccountsGroup, `${serviceAccountsGroup}:*`] },
  },
  setup(host, settings, { tokens }) {
    host.action(tokenAction(settings, tokens));
    host.provide(families.authenticator, () => createAuthenticator(tokens, foreignClusters(settings, tokens)));
  },
});
