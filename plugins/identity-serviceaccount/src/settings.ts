import { secret, Type, type Immutable } from '@tappaas/sdk';
import { allowedAddresses } from '@tappaas/sdk/outbound';

const https = '^https://[^?#]+$';
const name = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'Name of the cluster: its users and groups begin with it and a colon.',
});
const issuer = Type.String({ minLength: 1, maxLength: 512, description: 'What the tokens name as their issuer, to the letter.' });
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
    description: 'Lifetime of a token that asks for none, seconds.',
  }),
  lifetimeSecondsMax: Type.Integer({
    default: 86_400,
    minimum: 600,
    maximum: 86_400,
    description: 'Longest lifetime of a token, seconds; one that asks for more gets this.',
  }),
  issuers: Type.Array(
    Type.Object({
      name,
      issuer,
      audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        minItems: 1,
        maxItems: 16,
        description: 'For whom tokens have to be; one of them.',
      }),
      jwksUrl: Type.Optional(
        Type.String({ pattern: https, description: 'Where its keys are. Default: where its discovery document says.' }),
      ),
      certificateAuthorityFile,
      token: Type.Optional(
        secret({ description: 'Bearer token for asking for its keys, where they are not shown to everybody. Default: none.' }),
      ),
      allowedAddresses: allowed,
      tenant,
    }),
    { default: [], maxItems: 100, description: 'Clusters whose service accounts are known by the keys that they publish.' },
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
        description: 'For whom tokens have to be. Default: for that cluster’s API.',
      }),
      tenant,
    }),
    { default: [], maxItems: 100, description: 'Clusters that are asked whose a token is (TokenReview).' },
  ),
});

/** Settings in force. */
export type Settings = Immutable<Type.Static<typeof settingsSchema>>;
