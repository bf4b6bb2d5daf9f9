import { secret, Type, type Immutable } from '@tappaas/sdk';
import { allowedAddresses } from '@tappaas/sdk/outbound';

const httpsUrl = '^https://[^\\s?#@]+$';

const claims = Type.Object(
  {
    user: Type.String({ default: 'sub', maxLength: 128, description: 'Claim with the user’s name; it must be there.' }),
    acceptUnverifiedEmail: Type.Boolean({
      default: false,
      description:
        'Whether `user: email` accepts users without the claim `email_verified: true`: safe only where users cannot choose their address.',
    }),
    userPrefix: Type.String({
      default: '',
      maxLength: 64,
      description:
        'Prefix of user names, so that providers cannot name each other’s users; each provider needs a different one, which may be empty for one of them.',
    }),
    groups: Type.String({ default: 'groups', maxLength: 128, description: 'Claim with the list of groups; may be absent.' }),
    groupsPrefix: Type.String({ default: '', maxLength: 64, description: 'Prefix of group names, for the same reason.' }),
    tenant: Type.String({ default: '', maxLength: 128, description: 'Claim with the tenant; empty: its users have no tenant.' }),
    groupsWithoutTenant: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      default: [],
      maxItems: 16,
      description:
        'Groups, as named by the provider, whose members may log in without the claim `tenant`, as users without a tenant; all others need the claim.',
    }),
  },
  { default: {}, description: 'Claims that identify the user. Names with dots address fields of nested objects.' },
);

const issuer = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$', description: 'Name of the provider here.' }),
  issuer: Type.String({ pattern: httpsUrl, maxLength: 512, description: 'Issuer identifier, exactly as the provider states it.' }),
  clientId: Type.String({ minLength: 1, maxLength: 256, description: 'Client that browsers log in to.' }),
  clientSecret: Type.Optional(secret({ description: 'Its secret; absent: a public client.' })),
  cliClientId: Type.String({
    default: '',
    maxLength: 256,
    description: 'Public client that the command line logs in to (loopback redirect or device flow); empty: the command line cannot.',
  }),
  audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
    default: [],
    maxItems: 16,
    description: 'Further audiences whose tokens are accepted as bearer tokens, besides the clients themselves.',
  }),
  scopes: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    default: ['openid', 'profile', 'email', 'offline_access'],
    maxItems: 32,
    description: 'Scopes that are requested.',
  }),
  certificateAuthorityFile: Type.String({ default: '', description: 'PEM of the authority to trust; empty: the system’s.' }),
  allowedAddresses: allowedAddresses('its name, and hosts that its discovery document names,'),
  tenant: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 63,
      description: 'Tenant of all users of this provider, whatever its claims say; excludes `claims.tenant`. Default: none.',
    }),
  ),
  tenants: Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
    default: [],
    maxItems: 256,
    description: 'Tenants that the claim `claims.tenant` may name; users of any other tenant are refused. Empty: any.',
  }),
  sharesNames: Type.Boolean({
    default: false,
    description:
      'Whether the provider may name the users and groups of every other provider with this setting. Otherwise no two providers may have the same `userPrefix` or the same `groupsPrefix`.',
  }),
  claims,
});

/** The plugin's configuration. */
export const settingsSchema = Type.Object({
  publicUrl: Type.String({
    default: '',
    pattern: '^$|^https://[^\\s?#@]+$',
    maxLength: 512,
    description: 'URL of the API as browsers reach it, without a path; empty: login with a browser is disabled.',
  }),
  issuers: Type.Array(issuer, { minItems: 1, maxItems: 32, description: 'The providers.' }),
  sessionHours: Type.Integer({
    default: 12,
    minimum: 1,
    maximum: 720,
    description: 'Maximum duration of a browser session, hours.',
  }),
  sessionsPerPersonMax: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 1_000,
    description: 'Maximum number of concurrent browser sessions per user; the oldest session beyond it ends.',
  }),
});

/** The plugin's configuration with defaults filled in. */
export type Settings = Immutable<Type.Static<typeof settingsSchema>>;
/** The settings of one provider. */
export type IssuerSettings = Settings['issuers'][number];
