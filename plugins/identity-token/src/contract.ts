import { defineKind, Type, type ObjectOf } from '@tappaas/sdk';

const scopeSchema = Type.Object(
  {
    namespaces: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
        maxItems: 64,
        description: 'Namespaces the token is valid in. Default: all.',
      }),
    ),
    verbs: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 63 }), {
        maxItems: 32,
        description: 'Verbs the token is valid for, such as get, list and watch. Default: all.',
      }),
    ),
  },
  { description: 'Restricts what the token can be used for, whatever its user may do.' },
);

/** An API token: its user, what it can be used for and when it expires. Only a hash of the token itself is stored. */
export const ApiToken = defineKind({
  group: 'identity.tappaas.dev',
  kind: 'ApiToken',
  plural: 'apitokens',
  version: 'v1alpha1',
  scope: 'Cluster',
  description:
    'An API token: its user, what it can be used for and when it expires. Deleting it revokes it. The token itself is shown once.',
  spec: Type.Object({
    user: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'User the token authenticates as. Default: the creator.' }),
    ),
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        maxItems: 256,
        description:
          'Groups the token acts with: a subset of the creator’s, unless an administrator creates it. Default: the creator’s groups at that time when made for oneself, otherwise none.',
      }),
    ),
    tenant: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 63,
        description: 'Tenant the token belongs to. Default: the creator’s; required for another user.',
      }),
    ),
    withoutTenant: Type.Optional(
      Type.Boolean({
        description:
          'States explicitly that the token belongs to no tenant, so that a tenant cannot be forgotten in a token for another user.',
      }),
    ),
    description: Type.Optional(Type.String({ maxLength: 1024, description: 'What the token is for.' })),
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'When the token expires. Default: as the plugin is configured.' }),
    ),
    scope: Type.Optional(scopeSchema),
    madeWith: Type.Optional(
      Type.Object(
        {
          name: Type.String({ maxLength: 253, description: 'Its name.' }),
          uid: Type.String({ maxLength: 64, description: 'Its uid.' }),
        },
        { description: 'The API token this one was created with, if any; it ends with that token, and no later. Written by the platform.' },
      ),
    ),
    tokenId: Type.Optional(Type.String({ pattern: '^[0-9a-f]{12}$', description: 'Id of the token that was issued; written by issue.' })),
    sha256: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the token that was issued; written by issue.' }),
    ),
  }),
  status: Type.Object({
    lastUsedTime: Type.Optional(Type.String({ format: 'date-time', description: 'When it was last used, to within some minutes.' })),
    observedGeneration: Type.Optional(Type.Integer({ description: 'The generation of the spec that the status is about.' })),
    conditions: Type.Optional(
      Type.Array(
        Type.Object({
          type: Type.String({ description: 'Type of the condition, in CamelCase.' }),
          status: Type.Union([Type.Literal('True'), Type.Literal('False'), Type.Literal('Unknown')], { description: 'Whether it holds.' }),
          reason: Type.String({ description: 'One word in CamelCase, for programs.' }),
          message: Type.String({ description: 'For people: the present state, and the next step.' }),
          lastTransitionTime: Type.String({ format: 'date-time', description: 'When status last changed.' }),
          observedGeneration: Type.Optional(Type.Integer({ description: 'The generation of the spec that the condition is about.' })),
        }),
        { description: 'Ready says whether the token is valid.', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
      ),
    ),
  }),
  immutable: ['spec.user', 'spec.tenant', 'spec.withoutTenant', 'spec.madeWith'],
  fields: ['spec.tokenId', 'spec.user', 'spec.tenant', 'spec.madeWith.uid'],
  owner: { user: 'spec.user', tenant: 'spec.tenant' },
  columns: [
    { name: 'User', path: '.spec.user', description: 'User the token authenticates as.' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].reason', description: 'Whether the token is valid.' },
    { name: 'Expires', path: '.spec.expiresAt', description: 'When the token expires.' },
    { name: 'Last used', path: '.status.lastUsedTime', type: 'date', description: 'Time since it was last used.' },
    { name: 'Groups', path: '.spec.groups', description: 'Groups the token acts with.', wide: true },
    { name: 'Made with', path: '.spec.madeWith.name', description: 'Token it was created with, and ends with.', wide: true },
    { name: 'Description', path: '.spec.description', description: 'What the token is for.', wide: true },
  ],
});

/** An ApiToken object. */
export type ApiTokenObject = ObjectOf<typeof ApiToken>;
