import { secret, Type, type Immutable } from '@tappaas/sdk';
import { allowedAddresses } from '@tappaas/sdk/outbound';

const https = '^https://[^?#]+$';
const name = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'Name of the cluster: its users and groups begin with it and a colon.',
});
const issuer = Type.String({ minLength: 1, maxLength: 512, description: 'Exact issuer (`iss`) of the tokens.' });
const certificateAuthorityFile = Type.Optional(
  Type.String({ minLength: 1, description: 'PEM file of the authorities to trust. Default: those of the system.' }),
);
const allowed = allowedAddresses('its name, and hosts that its discovery document names,');
const tenant = Type.Optional(
  Type.String({ minLength: 1, maxLength: 63, description: 'Tenant that its service accounts belong to. Default: none.' }),
);

/** The plugin's configuration. */
export const settingsSchema = Type.Object({
  lifetimeSeconds: Type.Integer({
    default: 3600,
    minimum: 600,
    maximum: 86_400,
    description: 'Lifetime of a token whose request names none, seconds.',
  }),
  lifetimeSecondsMax: Type.Integer({
    default: 86_400,
    minimum: 600,
    maximum: 86_400,
    description: 'Maximum lifetime of a token, seconds; a request for more gets this.',
  }),
  issuers: Type.Array(
    Type.Object({
      name,
      issuer,
      audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        minItems: 1,
        maxItems: 16,
        description: 'Accepted audiences; a token must be for one of them.',
      }),
      jwksUrl: Type.Optional(
        Type.String({ pattern: https, description: 'URL of the key set. Default: the one in the discovery document.' }),
      ),
      certificateAuthorityFile,
      token: Type.Optional(secret({ description: 'Bearer token for fetching the keys, where they are not public. Default: none.' })),
      allowedAddresses: allowed,
      tenant,
    }),
    { default: [], maxItems: 100, description: 'Clusters whose service account tokens are verified with the keys they publish.' },
  ),
  reviewers: Type.Array(
    Type.Object({
      name,
      issuer,
      server: Type.String({ pattern: https, description: 'Address of the cluster’s API.' }),
      certificateAuthorityFile,
      allowedAddresses: allowed,
      token: secret({ description: 'Token of a caller there that may create TokenReviews.' }),
      audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        default: [],
        maxItems: 16,
        description: 'Audiences that tokens must be for. Default: that cluster’s API.',
      }),
      tenant,
    }),
    { default: [], maxItems: 100, description: 'Clusters that are asked to identify the user of a token (TokenReview).' },
  ),
});

/** The plugin's configuration with defaults filled in. */
export type Settings = Immutable<Type.Static<typeof settingsSchema>>;
