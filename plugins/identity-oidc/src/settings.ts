import { secret, Type, type Immutable } from '@tappaas/sdk';
import { allowedAddresses } from '@tappaas/sdk/outbound';

const httpsUrl = '^https://[^\\s?#@]+$';

const claims = Type.Object(
  {
    user: Type.String({ default: 'sub', maxLength: 128, description: 'Claim with the user’s name; it must be there.' }),
    acceptUnverifiedEmail: Type.Boolean({
      default: false,
      description:
        'Whether `user: email` names people whose provider does not say `email_verified: true`: only where nobody can give themselves an address.',
    }),
    userPrefix: Type.String({
      default: '',
      maxLength: 64,
      description:
        'Put before the name, so that providers cannot name each other’s users; each of several has one of its own, or one of them none.',
    }),
    groups: Type.String({ default: 'groups', maxLength: 128, description: 'Claim with the list of groups; may be absent.' }),
    groupsPrefix: Type.String({ default: '', maxLength: 64, description: 'Put before each group, for the same reason.' }),
    tenant: Type.String({ default: '', maxLength: 128, description: 'Claim with the tenant; empty: its users are of no tenant.' }),
    groupsWithoutTenant: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      default: [],
      maxItems: 16,
      description:
        'Groups, as the provider says them, whose people are let in without the claim `tenant`, as somebody of no tenant; without the claim, nobody else is.',
    }),
  },
  { default: {}, description: 'Which claims say who somebody is. Names with dots lead into objects.' },
);

const issuer = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$', description: 'Name of the provider here.' }),
  issuer: Type.String({ pattern: httpsUrl, maxLength: 512, description: 'Issuer identifier, to the letter as the provider states it.' }),
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
    description: 'Scopes that are asked for.',
  }),
  certificateAuthorityFile: Type.String({ default: '', description: 'PEM of the authority to trust; empty: the system’s.' }),
  allowedAddresses: allowedAddresses('its name, and hosts that its discovery document names,'),
  tenant: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 63,
      description: 'Tenant of all its people, whatever the provider says; excludes `claims.tenant`. Default: none.',
    }),
  ),
  tenants: Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
    default: [],
    maxItems: 256,
    description: 'Tenants that the claim `claims.tenant` may name; people of any other one are refused. Empty: any.',
  }),
  sharesNames: Type.Boolean({
    default: false,
    description:
      'Whether it may name the users and groups of every other provider that says the same. Otherwise no two providers have the same `userPrefix` or the same `groupsPrefix`.',
  }),
  claims,
});

/** The plugin's configuration. */
export const settingsSchema = Type.Object({
  publicUrl: Type.String({
    default: '',
    pattern: '^$|^https://[^\\s?#@]+$',
    maxLength: 512,
    description: 'Address of the API as browsers reach it, without a path; empty: nobody logs in with a browser.',
  }),
  issuers: Type.Array(issuer, { minItems: 1, maxItems: 32, description: 'The providers.' }),
  sessionHours: Type.Integer({
    default: 12,
    minimum: 1,
    maximum: 720,
    description: 'A browser’s session ends after that in any case, hours.',
  }),
  sessionsPerPersonMax: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 1_000,
    description: 'Browsers in which one person can be logged in at once; the oldest session beyond it ends.',
  }),
});

/** Settings in force. */
export type Settings = Immutable<Type.Static<typeof settingsSchema>>;
/** Settings of one provider. */
export type IssuerSettings = Settings['issuers'][number];
