import { Type, type Immutable } from '@tappaas/sdk';

const name = Type.String({ minLength: 1, maxLength: 256 });
const headerName = (value: string, description: string) => Type.String({ default: value, pattern: '^[a-z0-9-]{1,64}$', description });

/** The plugin's configuration. */
export const settingsSchema = Type.Object({
  authorities: Type.String({
    minLength: 1,
    description: 'PEM file of the authorities that sign client certificates; read again when it changes.',
  }),
  revocations: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'PEM file with the authorities’ revocation lists; read again when it changes. If set, every authority, including roots, needs a list: certificates of one without a list, or with an outdated one, are refused. Default: none, revocation is not checked.',
    }),
  ),
  lifetimeHoursMax: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 87_600,
      description: 'Longest lifetime of a certificate, hours: short ones need no revocation list. Default: none.',
    }),
  ),
  user: Type.Union([Type.Literal('CN'), Type.Literal('DNS'), Type.Literal('URI'), Type.Literal('email')], {
    default: 'CN',
    description: 'Source of the user name: the subject’s common name, or the first alternative name of that type.',
  }),
  groups: Type.Union([Type.Literal('O'), Type.Literal('OU'), Type.Literal('none')], {
    default: 'O',
    description: 'Source of the groups: the subject’s organizations or organizational units.',
  }),
  prefix: Type.String({
    default: '',
    maxLength: 64,
    description: 'Prefix of user and group names, to distinguish them from those of other authenticators.',
  }),
  tenant: Type.Optional(
    Type.String({ minLength: 1, maxLength: 63, description: 'Tenant of all users with a certificate. Default: none.' }),
  ),
  frontProxy: Type.Optional(
    Type.Object(
      {
        names: Type.Array(name, {
          minItems: 1,
          maxItems: 16,
          description: 'Common names of the proxies that may authenticate other users.',
        }),
        userHeader: headerName('x-remote-user', 'Header that names the user.'),
        groupHeader: headerName('x-remote-group', 'Header that names a group; sent once for each.'),
        tenantHeader: headerName('x-remote-tenant', 'Header that names the tenant.'),
      },
      { description: 'Proxies that have authenticated people themselves, and the headers in which they name them.' },
    ),
  ),
});

/** The plugin's configuration with defaults filled in. */
export type Settings = Immutable<Type.Static<typeof settingsSchema>>;
